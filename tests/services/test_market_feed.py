"""Ticks on their way to the board: later ones win, leaps wait, and the source says its age."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.domain.market import FeedSource, Ticker
from app.extensions import db
from app.models import MarketFeed, PriceSample, Quote
from app.services import market, votes
from app.services.market import FeedNote, FeedState, TickReport
from tests import factories as make
from tests.fakes import FakeMarket

NOW = make.NOW
SECOND = timedelta(seconds=1)
NOTE = FeedNote(FeedSource.STREAM, since=NOW, heard_at=NOW)


@pytest.fixture(autouse=True)
def coins(session: Session) -> None:
    """BTC at 100 won and ETH at 10, both traded and observed now."""
    make.make_coin("BTC", price="100")
    make.make_coin("ETH", price="10")


def tick(
    price: str, after_s: float, *, code: str = "BTC", stamped_s: float | None = None
) -> Ticker:
    """A trade so many seconds from now, stamped then unless told otherwise."""
    at = NOW + after_s * SECOND
    stamped = at if stamped_s is None else NOW + stamped_s * SECOND
    return replace(make.make_ticker(code, price, at=at), stamped_at=stamped)


def store(*ticks: Ticker, after_s: float = 10, note: FeedNote = NOTE) -> TickReport:
    return market.store_ticks(ticks=ticks, note=note, now=NOW + after_s * SECOND)


def quote(code: str = "BTC") -> Quote:
    coin = market.get_coin(code)
    assert coin is not None
    found = db.session.get(Quote, coin.id, populate_existing=True)
    assert found is not None
    return found


def price(code: str = "BTC") -> Decimal:
    return quote(code).price


def snapshot(*ticks: Ticker, after_s: float) -> None:
    """What the minute fetched at this moment, stamped then."""
    now = NOW + after_s * SECOND
    rows = (replace(row, stamped_at=now) for row in ticks)
    market.store_tickers(market=FakeMarket(*rows), now=now)


def test_tick_is_written_with_the_moment_at_which_the_exchange_told_it() -> None:
    report = store(tick("101.5", 3, stamped_s=4), after_s=10)

    assert report == TickReport(1, ())
    found = quote()
    assert (found.price, found.traded_at) == (Decimal("101.5"), NOW + 3 * SECOND)
    assert (found.observed_at, found.fetched_at) == (NOW + 4 * SECOND, NOW + 10 * SECOND)


def test_all_figures_of_a_tick_arrive() -> None:
    told = replace(
        tick("101", 1),
        prev_close=Decimal("99.5"), open=Decimal(98), high=Decimal(103), low=Decimal(97),
        high_52w=Decimal(200), low_52w=Decimal(50),
        change_rate=0.015, turnover_24h=5e9, turnover_today=2e9,
    )  # fmt: skip

    store(told)

    found = quote()
    assert {name: getattr(found, name) for name in (
        "prev_close", "open", "high", "low", "high_52w", "low_52w",
        "change_rate", "turnover_24h", "turnover_today",
    )} == {name: getattr(told, name) for name in (
        "prev_close", "open", "high", "low", "high_52w", "low_52w",
        "change_rate", "turnover_24h", "turnover_today",
    )}  # fmt: skip


def test_tick_of_an_earlier_trade_never_goes_back_in_time() -> None:
    store(tick("101", 5))

    assert store(tick("99", 4)).stored == 0

    assert (price(), quote().traded_at) == (Decimal(101), NOW + 5 * SECOND)


def test_tick_told_twice_is_written_once() -> None:
    assert store(tick("101", 5)).stored == 1
    assert store(tick("101", 5)).stored == 0


def test_tick_stamped_long_ago_is_as_old_as_its_stamp() -> None:
    store(tick("101", 1), after_s=600)

    assert quote().observed_at == NOW + SECOND
    assert market.price_age(NOW + 600 * SECOND).age_s == 599


def test_tick_from_the_future_is_no_news_and_half_a_minute_is_no_future() -> None:
    assert store(tick("101", 41), after_s=10).stored == 0
    assert store(tick("101", 40), after_s=10).stored == 1

    assert quote().observed_at == NOW + 10 * SECOND


def test_unknown_and_delisted_markets_are_never_written(session: Session) -> None:
    gone = make.make_coin("OLD", price="5", delisted_at=NOW)

    assert store(tick("6", 1, code="OLD"), tick("7", 1, code="NEVER")).stored == 0

    assert price("OLD") == 5
    assert gone.market not in market.followed_markets()


def test_followed_are_the_markets_of_active_coins() -> None:
    assert market.followed_markets() == {"KRW-BTC", "KRW-ETH"}


def test_first_price_of_a_coin_may_come_by_tick() -> None:
    make.make_coin("NEW", price=None)

    store(tick("3", 1, code="NEW"))

    assert price("NEW") == 3


def test_leap_is_held_back_and_spoils_no_other() -> None:
    report = store(tick("500", 1), tick("11", 1, code="ETH"))

    assert report == TickReport(1, ("KRW-BTC",))
    assert (price(), quote().observed_at, price("ETH")) == (Decimal(100), NOW, Decimal(11))


def test_leap_is_never_believed_from_the_stream_however_often_it_comes() -> None:
    for number in range(1, 50):
        store(tick("500", number), after_s=number)

    assert price() == 100


def test_leap_is_believed_after_three_snapshots_counted_without_the_stream() -> None:
    seen = []
    for number in (1, 2, 3):
        at = 60 * number
        store(tick("500", at - 1), after_s=at - 1)
        snapshot(tick("500", at), after_s=at)
        seen.append(price())

    assert seen == [100, 100, 500]
    assert quote().suspect_price is None


def test_no_vote_starts_from_the_old_price_while_a_leap_waits() -> None:
    asker = make.make_user("asker")
    store(tick("500", 1))

    with pytest.raises(Conflict):
        votes.open_vote(
            user_id=asker.id, draft=make.make_draft(), request_key="k", now=NOW + 2 * SECOND
        )

    store(tick("101", 3))
    assert votes.start_price(coin_code="BTC", now=NOW + 4 * SECOND).price == 101


def test_plausible_tick_clears_a_suspicion_of_the_snapshots() -> None:
    snapshot(tick("500", 60), after_s=60)
    assert quote().suspect_count == 1

    store(tick("101", 61), after_s=61)

    assert (quote().suspect_price, quote().suspect_count) == (None, 0)


def test_leap_in_the_stream_leaves_the_count_of_the_snapshots_alone() -> None:
    snapshot(tick("500", 60), after_s=60)

    store(tick("900", 61), after_s=61)

    assert (quote().suspect_price, quote().suspect_count) == (Decimal(500), 1)


def test_snapshot_that_was_overtaken_leaves_the_streamed_price_and_writes_its_sample(
    session: Session,
) -> None:
    store(tick("103", 29.9), after_s=30)

    snapshot(tick("102", 29), tick("10", 0, code="ETH"), after_s=30)

    assert (price(), quote().traded_at) == (Decimal(103), NOW + 29.9 * SECOND)
    minute = NOW.replace(second=0) + timedelta(minutes=1)
    samples = session.query(PriceSample).filter_by(minute=minute)
    assert {row.price for row in samples} == {Decimal(102), Decimal(10)}


def test_snapshot_with_a_later_trade_wins_though_the_stream_spoke_last() -> None:
    store(tick("103", 5, stamped_s=31), after_s=31)

    snapshot(tick("104", 6), after_s=30)

    assert (price(), quote().observed_at) == (Decimal(104), NOW + 31 * SECOND)


def test_coin_without_a_tick_is_refreshed_by_the_minute() -> None:
    store(tick("103", 5))

    snapshot(tick("103", 5), tick("10", 0, code="ETH"), after_s=60)

    assert {quote(code).observed_at for code in ("BTC", "ETH")} == {NOW + 60 * SECOND}


def test_snapshot_that_repeats_the_price_never_turns_its_trade_older() -> None:
    store(tick("103", 5))

    snapshot(tick("103", 3), after_s=60)

    assert quote().traded_at == NOW + 5 * SECOND


def test_after_three_minutes_without_confirmation_the_snapshot_is_believed() -> None:
    store(tick("103", 20), after_s=20)

    snapshot(tick("99", 10), after_s=200)
    assert price() == 103

    snapshot(tick("99", 10), after_s=201)
    assert price() == 99


def test_ticks_and_the_state_of_the_feed_are_one_transaction_of_two_statements(
    session: Session,
) -> None:
    said: list[str] = []

    def note(*args: object) -> None:
        said.append(str(args[2]).split()[0])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        store(tick("101", 1), tick("11", 1, code="ETH"))
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    assert said == ["BEGIN", "SELECT", "INSERT", "INSERT"]


def test_source_is_told_with_its_age() -> None:
    store(note=replace(NOTE, reconnects=2, problem="x" * 300), after_s=1)

    assert market.feed_state(NOW + 7 * SECOND) == FeedState(
        FeedSource.STREAM, 7.0, since=NOW, reconnects=2, problem="x" * 200
    )
    assert db.session.query(MarketFeed).count() == 1


@pytest.mark.parametrize(
    ("age_s", "source"), [(30, FeedSource.STREAM), (31, FeedSource.NONE), (-5, FeedSource.STREAM)]
)
def test_source_that_was_not_heard_for_half_a_minute_is_none(
    age_s: int, source: FeedSource
) -> None:
    store(note=NOTE)

    found = market.feed_state(NOW + age_s * SECOND)

    assert (found.source, found.age_s) == (source, max(0, age_s))


def test_before_anything_was_heard_there_is_no_source() -> None:
    assert market.feed_state(NOW) == FeedState(FeedSource.NONE)

    store(note=FeedNote(FeedSource.NONE, since=NOW, problem="unreachable"))

    assert market.feed_state(NOW) == FeedState(FeedSource.NONE, problem="unreachable")


def test_change_shows_at_once_here_and_within_a_second_in_other_processes() -> None:
    before = prices(NOW)
    store(tick("101", 1))

    assert (before["BTC"], prices(NOW)["BTC"]) == (100, 101)
    market.coins_now.get(NOW + SECOND)
    written_elsewhere = quote()
    written_elsewhere.price = Decimal(102)
    db.session.commit()
    assert prices(NOW + 2 * SECOND)["BTC"] == 102


def prices(now: datetime) -> dict[str, Decimal | None]:
    return {coin.code: coin.price for coin in market.catalogue(now)}
