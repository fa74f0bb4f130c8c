"""The market as we keep it: who is listed, which prices are believed, and how old they are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.market import BadRow
from app.exchanges.base import Unavailable
from app.extensions import db
from app.models import Coin, PriceSample, Quote
from app.services import market
from app.services.market import ImplausibleListing, StoreReport
from tests import factories as make
from tests.fakes import FakeMarket, listing_of

NOW = make.NOW
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
PNG = b"\x89PNG\r\n\x1a\n picture"


def store(*rows: object, now: datetime = NOW) -> StoreReport:
    return market.store_tickers(market=FakeMarket(*rows), now=now)  # type: ignore[arg-type]


def refresh(*codes: str, now: datetime = NOW) -> market.ListingChanges:
    return market.refresh_listings(market=listing_of(*codes), now=now)


def quote(code: str = "BTC") -> Quote:
    coin = market.get_coin(code)
    assert coin is not None
    return coin_quote(coin.id)


def coin_quote(coin_id: int) -> Quote:
    found = db.session.get(Quote, coin_id, populate_existing=True)
    assert found is not None
    return found


def samples(session: Session) -> Sequence[tuple[datetime, Decimal]]:
    rows = session.execute(
        select(PriceSample.minute, PriceSample.price).order_by(PriceSample.minute)
    )
    return [(row.minute, row.price) for row in rows]


def test_listed_markets_appear_by_themselves(session: Session) -> None:
    assert refresh("BTC", "ETH").added == ("BTC", "ETH")
    assert refresh("BTC", "ETH", "NEW").added == ("NEW",)

    coin = market.get_coin("NEW")
    assert coin is not None
    assert (coin.market, coin.is_active) == ("KRW-NEW", True)


def test_missing_market_turns_inactive_and_keeps_its_history(session: Session) -> None:
    refresh("BTC", "ETH")
    store(make.make_ticker("ETH", "7"), make.make_ticker("BTC"))

    assert refresh("BTC", now=NOW + MINUTE).delisted == ("ETH",)

    coin = market.get_coin("ETH")
    assert coin is not None
    assert (coin.is_active, coin.delisted_at) == (False, NOW + MINUTE)
    assert coin_quote(coin.id).price == 7
    assert refresh("BTC").delisted == ()


def test_returning_market_is_active_again(session: Session) -> None:
    refresh("BTC", "ETH")
    refresh("BTC")

    assert refresh("BTC", "ETH") == market.ListingChanges()

    coin = market.get_coin("ETH")
    assert coin is not None
    assert (coin.is_active, coin.delisted_at) == (True, None)


def test_names_warnings_and_search_follow_the_list(session: Session) -> None:
    refresh("BTC")
    later = listing_of()
    later.listed = (
        make.Listing("KRW-BTC", "BTC", "새코인", "New Coin", True, ("PRICE_FLUCTUATIONS", "X")),
    )

    market.refresh_listings(market=later, now=NOW)

    found = market.catalogue(NOW)[0]
    assert (found.korean_name, found.warning) == ("새코인", True)
    assert found.cautions == ("PRICE_FLUCTUATIONS", "X")
    assert "ㅅㅋㅇ" in found.search_key


def test_spoilt_row_is_no_delisting(session: Session) -> None:
    refresh("BTC", "ETH")
    spoilt = listing_of("BTC")
    spoilt.bad = (BadRow("KRW-ETH", "korean_name is empty"),)

    changes = market.refresh_listings(market=spoilt, now=NOW)

    assert (changes.delisted, changes.bad_rows) == ((), 1)


@pytest.mark.parametrize(("kept", "believed"), [(24, True), (23, False), (0, False)])
def test_list_that_takes_away_over_a_fifth_is_not_believed(
    session: Session, kept: int, believed: bool
) -> None:
    codes = [f"C{number}" for number in range(30)]
    refresh(*codes)

    if believed:
        assert len(refresh(*codes[:kept]).delisted) == 6
        return
    with pytest.raises(ImplausibleListing):
        refresh("OTHER", *codes[:kept])
    assert sum(coin.is_active for coin in session.scalars(select(Coin))) == 30
    assert market.get_coin("OTHER") is None


def test_few_delistings_are_believed_on_a_small_market(session: Session) -> None:
    refresh("A", "B", "C", "D", "E", "F")

    assert len(refresh("A").delisted) == 5


def test_list_that_fails_changes_nothing(session: Session) -> None:
    refresh("BTC")
    broken = listing_of()
    broken.fails = Unavailable("down")

    with pytest.raises(Unavailable):
        market.refresh_listings(market=broken, now=NOW)

    assert [coin.code for coin in session.scalars(select(Coin).where(Coin.is_active))] == ["BTC"]


def test_prices_are_matched_by_market_and_exact(session: Session) -> None:
    refresh("BTC", "ETH")

    report = store(make.make_ticker("ETH", "0.00001234"), make.make_ticker("BTC", "162876000"))

    assert (report.stored, report.observed_at) == (2, NOW)
    assert quote("ETH").price == Decimal("0.00001234")
    assert quote("BTC").price == Decimal("162876000")


def test_market_we_do_not_know_is_named(session: Session) -> None:
    refresh("BTC")

    report = store(make.make_ticker("BTC"), make.make_ticker("NEW"))

    assert (report.stored, report.unknown) == (1, ("KRW-NEW",))


def test_delisted_coin_gets_no_price(session: Session) -> None:
    refresh("BTC", "ETH")
    refresh("BTC")

    report = store(make.make_ticker("BTC"), make.make_ticker("ETH"))

    assert report.unknown == ("KRW-ETH",)


def test_missing_coin_keeps_its_price_and_its_age(session: Session) -> None:
    refresh("BTC", "ETH")
    store(make.make_ticker("BTC", "100"), make.make_ticker("ETH", "7"))
    later = NOW + MINUTE

    store(make.make_ticker("BTC", "101", at=later), now=later)

    assert (quote("ETH").price, quote("ETH").observed_at) == (Decimal(7), NOW)
    assert (quote("BTC").price, quote("BTC").observed_at) == (Decimal(101), later)


def test_bad_rows_are_counted_and_spoil_no_other(session: Session) -> None:
    refresh("BTC", "ETH")
    exchange = FakeMarket(make.make_ticker("BTC"))
    exchange.bad = (BadRow("KRW-ETH", "trade_price is NaN"),)

    report = market.store_tickers(market=exchange, now=NOW)

    assert (report.stored, report.bad_rows) == (1, 1)


def test_snapshot_of_bad_rows_alone_stores_nothing(session: Session) -> None:
    exchange = FakeMarket()
    exchange.bad = (BadRow("KRW-BTC", "zero"),)

    assert market.store_tickers(market=exchange, now=NOW).observed_at is None


def test_failing_exchange_changes_no_price(session: Session) -> None:
    refresh("BTC")
    store(make.make_ticker("BTC"))
    broken = FakeMarket()
    broken.fails = Unavailable("down")

    with pytest.raises(Unavailable):
        market.store_tickers(market=broken, now=NOW + MINUTE)

    assert quote().observed_at == NOW


@pytest.mark.parametrize(
    ("lag", "age"),
    [(30 * SECOND, timedelta(0)), (31 * SECOND, 31 * SECOND), (10 * MINUTE, 10 * MINUTE)],
)
def test_stale_snapshot_gets_its_own_age(session: Session, lag: timedelta, age: timedelta) -> None:
    refresh("BTC")

    store(make.make_ticker("BTC", at=NOW - lag))

    assert quote().observed_at == NOW - age
    market.price_age_now.forget()
    assert market.price_age(NOW).age_s == age.total_seconds()


def test_older_snapshot_never_overwrites(session: Session) -> None:
    refresh("BTC")
    store(make.make_ticker("BTC", "100"))

    report = store(make.make_ticker("BTC", "90", at=NOW - MINUTE), now=NOW - MINUTE)

    assert report.stored == 0
    assert (quote().price, quote().observed_at) == (Decimal(100), NOW)


def test_leap_is_held_back_and_believed_when_repeated(session: Session) -> None:
    refresh("BTC")
    store(make.make_ticker("BTC", "100"))

    seen = []
    for number in (1, 2, 3):
        now = NOW + number * MINUTE
        report = store(make.make_ticker("BTC", "1000", at=now), now=now)
        seen.append((report.suspect, quote().price, quote().observed_at))

    held = (("KRW-BTC",), Decimal(100), NOW)
    assert seen == [held, held, ((), Decimal(1000), NOW + 3 * MINUTE)]
    assert quote().suspect_count == 0


def test_slip_of_one_minute_passes_by(session: Session) -> None:
    refresh("BTC")
    for number, price in enumerate(("100", "1000", "101")):
        now = NOW + number * MINUTE
        store(make.make_ticker("BTC", price, at=now), now=now)

    assert (quote().price, quote().suspect_count) == (Decimal(101), 0)
    assert [price for _, price in samples(session)] == [100, 101]


def test_one_sample_per_coin_and_minute(session: Session) -> None:
    refresh("BTC")
    for seconds, price in ((0, "100"), (5, "101"), (29, "102"), (30, "103")):
        now = NOW + seconds * SECOND
        store(make.make_ticker("BTC", price, at=now), now=now)

    minute = NOW.replace(second=0)
    assert samples(session) == [(minute, 100), (minute + MINUTE, 103)]


def test_storing_the_same_snapshot_twice_changes_nothing(session: Session) -> None:
    refresh("BTC")
    first = store(make.make_ticker("BTC", "100"))

    assert store(make.make_ticker("BTC", "100")) == first

    assert len(samples(session)) == 1


def test_every_minute_is_kept_for_a_day_every_tenth_for_35(session: Session) -> None:
    make.make_coin("BTC", price=None)
    start = NOW.replace(minute=0, second=0)
    past = [start - timedelta(days=n) for n in (0, 1, 35, 36)]
    moments = [moment + minute * MINUTE for moment in past for minute in (0, 1)]
    market.remember_prices(code="BTC", prices=[(m, Decimal(100)) for m in moments])

    dropped = market.thin_samples(now=start + MINUTE)

    kept = [moment for moment, _ in samples(session)]
    assert kept == sorted([past[1], *moments[:2], moments[3]])
    assert dropped == 4
    assert market.thin_samples(now=start + MINUTE) == 0


def test_known_price_of_a_minute_is_not_overwritten(session: Session) -> None:
    make.make_coin("BTC", price=None)

    for price in (Decimal(100), Decimal(200)):
        market.remember_prices(code="BTC", prices=[(NOW.replace(second=0), price)])

    assert [price for _, price in samples(session)] == [100]


def test_price_age_before_first_price_is_unknown_and_stale(session: Session) -> None:
    found = market.price_age(NOW)

    assert (found.as_of, found.age_s, found.is_stale) == (None, None, True)


@pytest.mark.parametrize(("age", "stale"), [(3 * MINUTE, False), (3 * MINUTE + SECOND, True)])
def test_prices_are_stale_after_three_minutes(
    session: Session, age: timedelta, stale: bool
) -> None:
    make.make_coin("BTC", observed_at=NOW - age)

    assert market.price_age(NOW).is_stale is stale


def test_logo_is_fetched_whole_and_once_a_week(session: Session, tmp_path: Path) -> None:
    make.make_coin("BTC")
    make.make_coin("ETH")
    exchange = FakeMarket()
    exchange.logos = {"BTC": PNG}

    def fetch(now: datetime) -> int:
        exchange.asked.clear()
        return market.fetch_logos(market=exchange, folder=tmp_path / "logos", now=now)

    assert fetch(NOW) == 1
    assert (tmp_path / "logos" / "BTC.png").read_bytes() == PNG
    assert [path.name for path in (tmp_path / "logos").iterdir()] == ["BTC.png"]
    assert fetch(NOW + timedelta(days=7)) == 0
    assert exchange.asked == []
    fetch(NOW + timedelta(days=7) + SECOND)
    assert exchange.asked == ["logo ETH"]


def test_failing_logo_ends_the_round_quietly_and_is_asked_again(
    session: Session, tmp_path: Path
) -> None:
    make.make_coin("A")
    make.make_coin("BTC")
    exchange = FakeMarket()
    exchange.fails = Unavailable("down")

    assert market.fetch_logos(market=exchange, folder=tmp_path, now=NOW) == 0
    assert exchange.asked == ["logo A"]

    exchange.fails, exchange.logos = None, {"BTC": PNG}
    assert market.fetch_logos(market=exchange, folder=tmp_path, now=NOW) == 1


def test_few_logos_are_asked_at_a_time(session: Session, tmp_path: Path) -> None:
    for code in ("A", "B", "C"):
        make.make_coin(code)
    exchange = FakeMarket()

    for _ in range(2):
        market.fetch_logos(market=exchange, folder=tmp_path, now=NOW, limit=2)

    assert exchange.asked == ["logo A", "logo B", "logo C"]


def test_catalogue_lists_largest_turnover_first(session: Session) -> None:
    refresh("A", "B", "C")
    for code, turnover in (("A", 1.0), ("B", 9.0)):
        row = make.make_ticker(code)
        store(make.Ticker(row.market, row.price, NOW, NOW, turnover_24h=turnover))

    assert [coin.code for coin in market.catalogue(NOW)] == ["B", "A", "C"]


def test_series_is_thinned_and_keeps_its_ends(session: Session) -> None:
    coin_id = make.make_coin("BTC", price=None).id
    prices = [(NOW + n * MINUTE, Decimal(100 + n)) for n in range(100)]
    market.remember_prices(code="BTC", prices=prices)

    def series(points: int) -> list[tuple[datetime, Decimal]]:
        until = NOW + 98 * MINUTE
        return market.price_series(coin_id=coin_id, since=NOW, until=until, points=points)

    assert series(160) == prices[:99]
    assert series(10)[0] == prices[0]
    assert series(10)[-1] == prices[98]
    assert len(series(10)) <= 13
    assert series(10) == sorted(series(10))


def test_series_of_a_span_without_prices_is_empty(session: Session) -> None:
    coin_id = make.make_coin("BTC", price=None).id

    assert market.price_series(coin_id=coin_id, since=NOW, until=NOW) == []
