"""Asking for all prices, by itself: how often, and what becomes of it when it fails."""

from datetime import timedelta
from threading import Event

import pytest

from app.domain.market import Snapshot, Ticker
from app.exchanges.base import Heard, RateLimited, Unavailable
from app.jobs import polling
from app.jobs.beside import beside
from app.jobs.line import Tempo
from app.jobs.polling import Polling
from tests import factories as make
from tests.fakes import FakeMarket
from tests.jobs.by_hand import Clock, at_once

NOW = make.NOW


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Seconds that pass when told to; an answer is there at once."""
    clock = Clock()
    monkeypatch.setattr(polling, "monotonic", clock)
    monkeypatch.setattr(polling, "beside", at_once)
    return clock


@pytest.fixture
def market() -> FakeMarket:
    return FakeMarket(make.make_ticker(at=NOW))


def ask(asking: Polling, market: FakeMarket) -> Heard:
    return asking.ask(market, lambda: NOW)


def pauses(asking: Polling, market: FakeMarket, clock: Clock, number: int) -> list[float]:
    """Seconds from each question to the next."""
    found = []
    for _ in range(number):
        began, before = clock.s, len(market.asked)
        while len(market.asked) == before:
            clock.s += 0.25
            ask(asking, market)
        found.append(clock.s - began)
    return found


def test_prices_are_asked_for_every_two_seconds(market: FakeMarket, clock: Clock) -> None:
    asking = Polling(Tempo())

    heard = ask(asking, market)

    assert (len(heard.ticks), asking.is_live, asking.problem) == (1, True, None)
    assert pauses(asking, market, clock, 3) == [2, 2, 2]


def test_while_it_fails_it_asks_less_often_andat_once_again_after(
    market: FakeMarket, clock: Clock
) -> None:
    asking = Polling(Tempo())
    market.fails = Unavailable("down")
    ask(asking, market)
    assert (asking.is_live, asking.problem) == (False, "down")

    assert pauses(asking, market, clock, 4) == [4, 8, 10, 10]

    market.fails = None
    pauses(asking, market, clock, 1)
    assert asking.is_live
    assert pauses(asking, market, clock, 2) == [2, 2]


def test_who_asks_for_quiet_gets_it(market: FakeMarket, clock: Clock) -> None:
    asking = Polling(Tempo())
    market.fails = RateLimited("banned", 60)
    ask(asking, market)

    assert pauses(asking, market, clock, 1) == [60]


def test_answer_of_another_time_is_not_live_and_says_so(market: FakeMarket, clock: Clock) -> None:
    old = FakeMarket(make.make_ticker(at=NOW - timedelta(seconds=31)))
    asking = Polling(Tempo())

    ask(asking, old)

    assert not asking.is_live
    assert "newest price is of" in str(asking.problem)


def test_answer_that_takes_its_time_is_not_waited_for(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Event()

    class Slow(FakeMarket):
        def tickers(self) -> Snapshot[Ticker]:
            assert answers.wait(5)
            return super().tickers()

    monkeypatch.setattr(polling, "beside", beside)
    slow, asking = Slow(make.make_ticker(at=NOW)), Polling(Tempo())

    assert ask(asking, slow) == Heard()
    assert asking.is_undecided
    clock.s += 60
    assert ask(asking, slow) == Heard()

    answers.set()
    heard = Heard()
    while not heard.ticks:
        heard = ask(asking, slow)
    assert (len(slow.asked), asking.is_live, asking.is_undecided) == (1, True, False)
