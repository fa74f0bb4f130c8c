"""Keeping candles: never a hole, never twice, nothing believed that contradicts what we know."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.candles import Ask
from app.domain.market import Candle, CandleUnit
from app.models import CandleSpan, Coin, Quote, StoredCandle, User
from app.services import market
from app.services.market import Implausible, Target
from app.services.market.filling import MOST_DOUBTS
from tests import factories as make
from tests.fakes import FakeMarket

NOW = make.NOW  # 2026-03-02 03:04:30 UTC, a Monday
TODAY = datetime(2026, 3, 2, tzinfo=UTC)
YESTERDAY = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR, MINUTE = CandleUnit.DAY, CandleUnit.HOUR, CandleUnit.MINUTE


@pytest.fixture
def coin(session: Session) -> Coin:
    return make.make_coin(price=None)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def history(*closes: str | None, last: datetime = YESTERDAY) -> list[Candle]:
    """Days up to `last`, one per close; None is a day without trades."""
    first = last - days(len(closes) - 1)
    return [
        make.make_candle(close, opened_at=first + days(place))
        for place, close in enumerate(closes)
        if close
    ]


def target(unit: CandleUnit = DAY, *, now: datetime = NOW, wanted: int = 400) -> Target:
    found = market.candle_targets(now=now, days=wanted)
    return next(one for one in found if one.unit == unit)


def fill(
    exchange: Sequence[Candle], *, now: datetime = NOW, wanted: int = 400, most: int = 10
) -> list[Ask]:
    """Ask until nothing is left to ask; returns what was asked."""
    fake = FakeMarket()
    fake.history["KRW-BTC", DAY] = list(exchange)
    one, asked = target(now=now, wanted=wanted), []
    while (ask := one.ask) is not None and len(asked) < most:
        page = fake.candles("KRW-BTC", DAY, until=ask.until, count=ask.count)
        one = market.store_page(target=one, ask=ask, candles=page, now=now)
        asked.append(ask)
    return asked


def closes(session: Session) -> list[str]:
    session.rollback()
    rows = session.scalars(select(StoredCandle.close).order_by(StoredCandle.opened_at))
    return [f"{close:f}" for close in rows]


def span(session: Session) -> CandleSpan:
    session.expire_all()
    return session.scalars(select(CandleSpan)).one()


def test_year_of_days_takes_two_calls_and_then_none(session: Session, coin: Coin) -> None:
    exchange = history(*map(str, range(1, 1001)))

    assert len(fill(exchange)) == 2
    assert closes(session) == list(map(str, range(601, 1001)))
    assert fill(exchange) == []
    assert fill(exchange, now=NOW + timedelta(hours=20)) == []


def test_next_day_is_one_call_for_that_day_and_the_one_before(session: Session, coin: Coin) -> None:
    exchange = history(*map(str, range(1, 1001)), last=TODAY)
    fill(exchange[:-1])

    asked = fill(exchange, now=NOW + days(1))

    assert asked == [Ask(TODAY + days(1), 2, since=TODAY - days(1))]
    assert closes(session)[-2:] == ["999", "1000"]


def test_candle_that_still_forms_is_never_asked_for(coin: Coin) -> None:
    assert target(DAY).end == TODAY
    assert target(HOUR).end == TODAY + timedelta(hours=3)
    assert target(DAY, now=TODAY + timedelta(seconds=4)).end == TODAY - days(1)
    assert target(DAY, now=TODAY + timedelta(seconds=5)).end == TODAY


def test_clock_that_is_fast_finishes_no_candle(coin: Coin) -> None:
    make.set_price("BTC", "100", at=TODAY - timedelta(minutes=5))

    assert target(DAY, now=TODAY + timedelta(minutes=10)).end == TODAY - days(1)


def test_coin_with_a_short_history_is_asked_once_more_whether_that_is_all(
    session: Session, coin: Coin
) -> None:
    exchange = history("1", "2", "3")

    assert fill(exchange) == [Ask(TODAY, 200), Ask(TODAY - days(3), 200)]
    assert span(session).reaches_start is True
    assert fill(exchange) == []


def test_coin_that_was_never_traded_is_known_to_have_nothing(session: Session, coin: Coin) -> None:
    assert fill([]) == [Ask(TODAY, 200)]
    assert fill([]) == []
    assert closes(session) == []


@pytest.mark.parametrize(
    ("traded_at", "prev_close", "is_doubted"),
    [
        (YESTERDAY, None, True),
        (TODAY, Decimal(99), True),
        (TODAY, None, False),  # listed today
    ],
)
def test_coin_that_was_traded_is_not_believed_to_have_nothing(
    coin: Coin, traded_at: datetime, prev_close: Decimal | None, is_doubted: bool
) -> None:
    make.set_price("BTC", "100", at=NOW)
    with transaction() as session:
        session.execute(update(Quote).values(traded_at=traded_at, prev_close=prev_close))

    if is_doubted:
        with pytest.raises(Implausible, match="no candle at all"):
            fill([])
    else:
        assert fill([]) == [Ask(TODAY, 200)]


def test_days_without_trades_are_known_too(session: Session, coin: Coin) -> None:
    exchange = history("1", None, None, "4", None)

    fill(exchange, wanted=4)

    assert closes(session) == ["1", "4"]
    assert fill(exchange, wanted=4) == []


def test_long_downtime_is_made_up_for_without_a_hole(session: Session, coin: Coin) -> None:
    exchange = history(*map(str, range(1, 801)), last=TODAY + days(349))
    fill([one for one in exchange if one.opened_at < TODAY])

    asked = fill(exchange, now=NOW + days(350))

    assert len(asked) == 2
    assert closes(session) == list(map(str, range(51, 801)))
    assert span(session).known_from == TODAY - days(400)


def test_what_is_too_old_to_be_of_use_makes_way(session: Session, coin: Coin) -> None:
    exchange = history(*map(str, range(1, 1001)), last=TODAY + days(499))
    fill([one for one in exchange if one.opened_at < TODAY])

    fill(exchange, now=NOW + days(500))

    assert closes(session) == list(map(str, range(601, 1001)))
    assert span(session).known_from == TODAY + days(100)


def test_candle_that_the_exchange_corrects_is_corrected(
    session: Session, coin: Coin, caplog: pytest.LogCaptureFixture
) -> None:
    fill(history("1", "2"), wanted=2)
    caplog.set_level("INFO")

    fill(history("1", "3", "4", last=TODAY), wanted=2, now=NOW + days(1))

    assert closes(session) == ["1", "3", "4"]
    assert "candle_corrected market=KRW-BTC unit=1440" in caplog.text


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (("1", "10", "10"), "went from 2 to 10"),
        (("1", "0.4", "2"), "went from 2 to 0.4"),
        (("1", None, "2"), "2026-03-01 00:00 UTC is gone"),
        ((), "2026-03-01 00:00 UTC is gone"),
    ],
)
def test_answer_that_contradicts_what_we_know_changes_nothing(
    session: Session, coin: Coin, told: tuple[str | None, ...], reason: str
) -> None:
    fill(history("1", "2"), wanted=2)

    with pytest.raises(Implausible, match=reason):
        fill(history(*told, last=TODAY), wanted=2, now=NOW + days(1))

    assert closes(session) == ["1", "2"]
    assert span(session).known_until == TODAY


def test_quiet_coin_is_asked_from_its_last_candle_on_so_that_silence_proves_itself(
    session: Session, coin: Coin
) -> None:
    fill(history("1", None, None), wanted=3)

    with pytest.raises(Implausible, match="2026-02-27 00:00 UTC is gone"):
        fill([], wanted=3, now=NOW + days(1))
    fill(history("1", None, None, None, last=TODAY), wanted=3, now=NOW + days(1))

    assert span(session).known_until == TODAY + days(1)


def test_candle_that_contradicts_its_ticker_is_held_back(session: Session, coin: Coin) -> None:
    seen = [(TODAY - timedelta(minutes=1), Decimal(100))]
    market.remember_prices(code="BTC", prices=seen)

    with pytest.raises(Implausible, match="says 500, we saw 100"):
        fill(history("100", "500"), wanted=2)
    fill(history("100", "499"), wanted=2)

    assert closes(session) == ["100", "499"]


def test_exchange_that_insists_for_an_hour_is_believed(session: Session, coin: Coin) -> None:
    fill(history("1", "2"), wanted=2)
    rewritten = history("100", "200", "200", last=TODAY)
    now, waited = NOW + days(1), timedelta(0)

    for _ in range(MOST_DOUBTS):
        with pytest.raises(Implausible) as caught:
            fill(rewritten, wanted=3, now=now)
        one = target(now=now)
        market.push_back(target=one, problem=f"Implausible: {caught.value}", now=now)
        waits_until = target(now=now).waits_until
        assert waits_until is not None
        waited, now = waited + (waits_until - now), waits_until
    fill(rewritten, wanted=3, now=now)

    assert timedelta(hours=1) <= waited < timedelta(hours=2)
    assert closes(session) == ["100", "200", "200"]
    assert span(session).attempts == 0


def test_failures_of_the_network_do_not_make_a_contradiction_true(
    session: Session, coin: Coin
) -> None:
    fill(history("1", "2"), wanted=2)
    one = target()
    for _ in range(9):
        market.push_back(target=one, problem="Unavailable: no answer", now=NOW)

    with pytest.raises(Implausible):
        fill(history("1", "20", "20", last=TODAY), wanted=2, now=NOW + days(1))
    market.push_back(target=one, problem="Implausible: 2 to 20", now=NOW)

    assert span(session).attempts == 1


def test_candles_that_cannot_be_had_wait_longer_each_time(session: Session, coin: Coin) -> None:
    one = target()
    waits = []
    for _ in range(3):
        market.push_back(target=one, problem="Unavailable: " + "x" * 300, now=NOW)
        row = span(session)
        assert row.retry_at is not None
        waits.append(row.retry_at - NOW)

    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4)]
    assert span(session).problem == ("Unavailable: " + "x" * 300)[:200]
    assert target().waits_until == NOW + waits[-1]


def test_success_ends_the_waiting(session: Session, coin: Coin) -> None:
    market.push_back(target=target(), problem="Unavailable: no answer", now=NOW)

    fill(history("1", "2"), wanted=2)

    row = span(session)
    assert (row.attempts, row.retry_at, row.problem) == (0, None, None)


def test_page_of_a_slower_filler_leaves_no_hole(session: Session, coin: Coin) -> None:
    exchange = history(*map(str, range(1, 1001)))
    slow = target()
    fill(exchange)
    old = Ask(TODAY - days(700), 10)

    known = market.store_page(target=slow, ask=old, candles=exchange[290:300], now=NOW)

    assert known.known is not None
    assert known.known.since == TODAY - days(400)
    assert len(closes(session)) == 400


def units(code: str = "BTC") -> dict[CandleUnit, tuple[int, timedelta]]:
    found = market.candle_targets(now=NOW)
    return {one.unit: (one.rank, one.end - one.wanted_from) for one in found if one.code == code}


def test_every_active_coin_gets_days_and_a_week_of_hours(coin: Coin) -> None:
    make.make_coin("GONE", delisted_at=NOW)

    assert units() == {DAY: (1, days(400)), HOUR: (2, days(8))}
    assert units("GONE") == {}


def test_coin_with_a_running_vote_gets_a_month_of_hours_and_a_day_of_minutes(alice: User) -> None:
    vote = make.make_vote(alice)
    everything = {DAY: (1, days(400)), HOUR: (2, days(30)), MINUTE: (3, days(1))}
    assert units() == everything

    make.close(vote)
    assert units() == everything

    make.settle(vote)
    assert MINUTE not in units()


def test_what_is_looked_at_comes_first(session: Session, coin: Coin) -> None:
    make.make_coin("ETH")
    market.want_candles(coin_id=coin.id, unit=MINUTE, now=NOW)

    first = market.candle_targets(now=NOW)[0]

    assert (first.rank, first.code, first.unit) == (0, "BTC", MINUTE)
    assert first.end == NOW.replace(second=0)
    assert market.watched_codes(NOW) == {"BTC"}


def test_wish_is_forgotten_after_a_quarter_of_an_hour(session: Session, coin: Coin) -> None:
    market.want_candles(coin_id=coin.id, unit=MINUTE, now=NOW - timedelta(minutes=15))

    assert MINUTE not in units()
    assert market.watched_codes(NOW) == set()


def test_minutes_that_nobody_looks_at_come_in_quarters_of_an_hour(alice: User) -> None:
    make.make_vote(alice)

    assert target(MINUTE).end == NOW.replace(minute=0, second=0)


def test_old_minutes_and_hours_go_and_days_stay(session: Session, coin: Coin) -> None:
    for unit in CandleUnit:
        make.make_candles(coin, *["1"] * 30, unit=unit, until=NOW - unit.length * 10)
        make.make_candles(coin, *["1"] * 10, unit=unit)
        make.know_the_start(coin, unit=unit)
    later = NOW + days(8) - timedelta(minutes=20)

    assert market.drop_old_candles(now=later) == 20
    assert market.drop_old_candles(now=later) == 0
    assert market.drop_old_candles(now=later + days(93)) > 0

    session.rollback()
    left = session.execute(select(StoredCandle.unit).distinct()).scalars().all()
    assert set(left) == {DAY}
    spans = {row.unit: row for row in session.scalars(select(CandleSpan))}
    assert spans[DAY].known_until == TODAY
    assert spans[MINUTE].known_from == spans[MINUTE].known_until
    assert [spans[unit].reaches_start for unit in CandleUnit] == [False, False, True]


def test_progress_tells_what_is_known_and_what_is_missing(session: Session, coin: Coin) -> None:
    make.make_coin("ETH")
    fill(history(*map(str, range(1, 401))))
    market.push_back(target=target(HOUR), problem="UnknownMarket: 404", now=NOW)

    found = market.fill_progress(NOW)

    by_unit = {one.unit: (one.wanted, one.known, one.calls_left) for one in found.units}
    assert by_unit == {DAY: (2, 1, 2), HOUR: (2, 0, 2), MINUTE: (0, 0, 0)}
    assert found.units[0].candles == 400
    assert [(one.code, one.unit, one.attempts) for one in found.failing] == [("BTC", HOUR, 1)]
    assert (found.calls_left, found.calls_per_s, found.time_left) == (4, None, None)
