"""The line by itself, before a stream in a variable: when it opens, and when it is given up."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from threading import Event, Timer
from time import sleep

import pytest

from app.domain.market import FeedSource, Ticker
from app.exchanges.base import ExchangeError, Heard, RateLimited, Unavailable
from app.jobs import line, unwritten
from app.jobs.beside import beside
from app.jobs.line import Line, Tempo
from app.jobs.unwritten import State, Unwritten
from app.services.market import TickReport
from tests import factories as make
from tests.jobs.by_hand import Clock, at_once

NOW = make.NOW
SECOND = timedelta(seconds=1)
BTC = frozenset({"KRW-BTC"})
BOTH = frozenset({"KRW-BTC", "KRW-ETH"})


class FakeStream:
    """`PriceStream` by hand: `fails`, when set, is raised; `heard` is what the next take gives."""

    def __init__(self) -> None:
        self.fails: ExchangeError | None = None
        self.heard = Heard()
        self.deeds: list[str] = []
        self.answers = Event()
        self.answers.set()

    def open(self, markets: Collection[str]) -> None:
        assert self.answers.wait(5)
        self._note(f"open {len(markets)}")

    def follow(self, markets: Collection[str]) -> None:
        self._note(f"follow {len(markets)}")

    def listen(self, seconds: float, now: datetime) -> None:
        self._note("listen")

    def take(self) -> Heard:
        heard, self.heard = self.heard, Heard()
        return heard

    def close(self) -> None:
        self.deeds.append("close")

    def _note(self, deed: str) -> None:
        self.deeds.append(deed)
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(line, "monotonic", clock)
    monkeypatch.setattr(unwritten, "monotonic", clock)
    return clock


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture(autouse=True)
def _opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "beside", at_once)


@pytest.fixture
def slow(stream: FakeStream, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A line whose exchange takes the call, and answers when `stream.answers` is set."""
    monkeypatch.setattr(line, "beside", beside)
    stream.answers.clear()
    found = Line(stream, Tempo())
    found.tend(BTC)
    return found


@pytest.fixture
def tended(stream: FakeStream, clock: Clock) -> Line:
    """Open, following BTC."""
    found = Line(stream, Tempo())
    found.tend(BTC)
    return found


def tell(found: Line, stream: FakeStream, *ticks: Ticker, refused: int = 0) -> Heard:
    stream.heard = Heard(ticks, refused, "KRW-BTC: no price" if refused else "")
    return found.take(NOW)


def test_line_is_opened_once_and_follows_another_set(tended: Line, stream: FakeStream) -> None:
    tended.tend(BTC)
    tended.tend(BOTH)
    tended.tend(BOTH)

    assert stream.deeds == ["open 1", "follow 2"]
    assert (tended.reconnects, tended.is_live) == (0, False)


def test_exchange_that_takes_its_time_to_answer_is_not_waited_for(
    slow: Line, stream: FakeStream, clock: Clock
) -> None:
    slow.tend(BTC)
    assert (slow.open_for_s, slow.listen(0.1, NOW), stream.deeds) == (None, False, [])

    stream.answers.set()
    until_open(slow, BOTH)

    assert stream.deeds == ["open 1", "follow 2"]
    assert slow.opened == 1


def test_line_that_is_given_up_while_it_opens_is_hung_up_then(
    slow: Line, stream: FakeStream, clock: Clock
) -> None:
    slow.close()
    stream.answers.set()
    until_open(slow, BTC)

    assert stream.deeds == ["open 1", "close", "open 1"]
    assert slow.opened == 1


def test_end_leaves_no_line_that_was_just_being_opened(slow: Line, stream: FakeStream) -> None:
    Timer(0.1, stream.answers.set).start()

    slow.end()

    assert stream.deeds == ["open 1", "close"]


def until_open(found: Line, markets: frozenset[str]) -> None:
    """Tend it as the feed does, and once more when it is open."""
    for _ in range(500):
        found.tend(markets)
        if found.open_for_s is not None:
            break
        sleep(0.01)
    found.tend(markets)


def test_no_markets_no_line(tended: Line, stream: FakeStream) -> None:
    tended.tend(frozenset())

    assert stream.deeds == ["open 1", "close"]
    assert not tended.listen(0.1, NOW)


def test_line_is_live_once_it_told_a_price_of_now(tended: Line, stream: FakeStream) -> None:
    tell(tended, stream)
    assert not tended.is_live

    assert tell(tended, stream, make.make_ticker(at=NOW)).ticks
    assert tended.is_live


@pytest.mark.parametrize(
    ("after_s", "problem"), [(-60, "it is 60 s behind"), (60, "it is -60 s behind")]
)
def test_line_that_tells_of_another_time_is_not_live_and_says_so(
    tended: Line, stream: FakeStream, after_s: int, problem: str
) -> None:
    tell(tended, stream, make.make_ticker(at=NOW + after_s * SECOND))

    assert not tended.is_live
    assert problem in str(tended.problem)


def test_line_that_tells_only_what_is_refused_says_so(tended: Line, stream: FakeStream) -> None:
    tell(tended, stream, refused=3)

    assert tended.problem == "the stream tells nothing that holds: KRW-BTC: no price"


@pytest.mark.parametrize(("silent_s", "closed"), [(10.0, False), (10.1, True)])
def test_line_is_given_up_after_ten_seconds_of_silence(
    tended: Line, stream: FakeStream, clock: Clock, silent_s: float, closed: bool
) -> None:
    tell(tended, stream, make.make_ticker(at=NOW))
    clock.s += silent_s

    tell(tended, stream)

    assert ("close" in stream.deeds, tended.is_live) == (closed, not closed)
    assert tended.problem == ("the stream says nothing" if closed else None)


def test_pauses_double_up_to_half_a_minute_and_none_is_like_another(
    stream: FakeStream, clock: Clock
) -> None:
    stream.fails = Unavailable("down")
    found = Line(stream, Tempo())

    found.tend(BTC)
    pauses = []
    for tries in range(1, 28):
        began = clock.s
        while stream.deeds.count("open 1") == tries:
            clock.s += 0.05
            found.tend(BTC)
        pauses.append(clock.s - began)

    longest = [1, 2, 4, 8, 16] + [30] * 22
    assert all(most / 2 <= one <= most + 0.1 for one, most in zip(pauses, longest, strict=True))
    assert max(pauses[5:]) - min(pauses[5:]) > 1


def test_who_asks_for_quiet_gets_it(stream: FakeStream, clock: Clock) -> None:
    stream.fails = RateLimited("banned", 60)
    found = Line(stream, Tempo())
    found.tend(BTC)

    clock.s += 59.9
    found.tend(BTC)
    assert stream.deeds.count("open 1") == 1

    clock.s += 0.2
    found.tend(BTC)
    assert stream.deeds.count("open 1") == 2


@pytest.mark.parametrize(("lasted_s", "pause_s"), [(5, 4), (11, 1)])
def test_pause_is_short_again_once_a_line_has_lasted(
    stream: FakeStream, clock: Clock, lasted_s: float, pause_s: float
) -> None:
    found = Line(stream, Tempo())
    for _ in range(2):  # lost twice, without ever having lasted
        found.tend(BTC)
        stream.fails = Unavailable("cut")
        found.listen(0.1, NOW)
        stream.fails = None
        clock.s += 30
    found.tend(BTC)

    clock.s += lasted_s
    tell(found, stream, make.make_ticker(at=NOW))
    stream.fails = Unavailable("cut")
    found.listen(0.1, NOW)
    stream.fails = None

    clock.s += pause_s / 2 - 0.1
    found.tend(BTC)
    assert stream.deeds.count("open 1") == 3
    clock.s += pause_s / 2 + 0.2
    found.tend(BTC)
    assert stream.deeds.count("open 1") == 4


def test_what_was_told_before_the_line_broke_is_still_taken(
    tended: Line, stream: FakeStream
) -> None:
    stream.fails = Unavailable("cut")
    tended.listen(0.1, NOW)

    heard = tell(tended, stream, make.make_ticker(at=NOW))

    assert len(heard.ticks) == 1
    assert (tended.is_live, tended.problem) == (False, "cut")


def test_what_waits_is_never_replaced_by_an_earlier_trade(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Ticker] = []

    def store(**given: object) -> TickReport:
        written.extend(given["ticks"])  # type: ignore[call-overload]
        return TickReport(1, ())

    monkeypatch.setattr(unwritten, "store_ticks", store)
    waiting = Unwritten(NOW)
    later, earlier = (make.make_ticker(at=NOW + after * SECOND) for after in (2, 1))

    waiting.add((later,), NOW)
    waiting.add((earlier,), NOW)
    waiting.write(State(FeedSource.STREAM), NOW)

    assert written == [later]


def test_what_could_not_be_written_is_written_the_next_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Ticker] = []
    failures = [OSError("the disk is full")]

    def store(**given: Iterable[Ticker]) -> TickReport:
        if failures:
            raise failures.pop()
        written.extend(given["ticks"])
        return TickReport(1, ())

    monkeypatch.setattr(unwritten, "store_ticks", store)
    waiting, tick = Unwritten(NOW), make.make_ticker(at=NOW)
    waiting.add((tick,), NOW)

    with pytest.raises(OSError, match="full"):
        waiting.write(State(FeedSource.STREAM), NOW)
    waiting.write(State(FeedSource.STREAM), NOW)

    assert written == [tick]


def test_unchanged_state_is_written_every_three_seconds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwritten, "store_ticks", lambda **_given: TickReport(0, ()))
    waiting, state = Unwritten(NOW), State(FeedSource.STREAM)

    wrote = []
    for _ in range(8):
        wrote.append(waiting.write(state, NOW) is not None)
        clock.s += 1

    assert wrote == [True, False, False, True, False, False, True, False]
