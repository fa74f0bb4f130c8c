"""Leaps: one slip of the exchange, one real leap, and an exchange that is wrong all over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from app.domain.market import Candle, Listing, Snapshot, Ticker
from app.extensions import db
from app.models import Quote
from app.services.market import StoreReport, get_coin, store_tickers
from app.services.votes import witnessed_price
from tests import factories as make

MINUTE = timedelta(minutes=1)
CODES = ("BTC", "ETH", "XRP", "SOL", "ADA", "DOGE", "TRX", "EOS", "NEO", "XLM")


@dataclass
class Says:
    """An exchange that answers these tickers."""

    tickers_: Sequence[Ticker]
    source: str = field(default="upbit", init=False)

    def tickers(self) -> Snapshot[Ticker]:
        return Snapshot(tuple(self.tickers_))

    def listings(self) -> Snapshot[Listing]:
        raise AssertionError("nobody asks for this here")

    def candle_before(self, market: str, moment: datetime) -> Candle | None:
        raise AssertionError("nobody asks for this here")

    def logo(self, code: str) -> bytes | None:
        raise AssertionError("nobody asks for this here")


@pytest.fixture
def coins(session: Session) -> None:
    for code in CODES:
        make.make_coin(code, price="100")


def store(prices: dict[str, str], after_minutes: int) -> StoreReport:
    at = make.NOW + after_minutes * MINUTE
    rows = [make.make_ticker(code, price, at=at) for code, price in prices.items()]
    return store_tickers(market=Says(rows), now=at)


def price_of(code: str) -> Decimal:
    coin = get_coin(code)
    assert coin is not None
    quote = db.session.get(Quote, coin.id, populate_existing=True)
    assert quote is not None
    return quote.price


@pytest.mark.usefixtures("coins")
def test_a_single_slip_passes_by() -> None:
    store({"BTC": "1000", "ETH": "101"}, 1)
    store({"BTC": "102", "ETH": "102"}, 2)

    assert (price_of("BTC"), price_of("ETH")) == (Decimal(102), Decimal(102))


@pytest.mark.usefixtures("coins")
def test_a_leap_that_is_repeated_is_believed_at_the_third_time() -> None:
    believed = []
    for minute in (1, 2, 3):
        store({"BTC": "1000"}, minute)
        believed.append(price_of("BTC"))

    assert believed == [Decimal(100), Decimal(100), Decimal(1000)]


@pytest.mark.usefixtures("coins")
def test_an_exchange_that_is_wrong_all_over_is_never_believed() -> None:
    for minute in range(1, 8):
        report = store(dict.fromkeys(CODES, "1000"), minute)

    assert {price_of(code) for code in CODES} == {Decimal(100)}
    assert (report.stored, len(report.suspect)) == (0, len(CODES))


@pytest.mark.usefixtures("coins")
def test_after_more_than_a_day_away_any_price_is_news() -> None:
    store(dict.fromkeys(CODES, "1000"), 24 * 60 + 1)

    assert {price_of(code) for code in CODES} == {Decimal(1000)}


def test_a_candle_is_held_against_our_sample_of_its_minute(session: Session) -> None:
    coin = make.make_coin("BTC", price="100")
    make.set_price("BTC", "900", at=make.NOW + 3 * MINUTE)

    witness = witnessed_price(coin_id=coin.id, moment=make.NOW + MINUTE)

    assert witness == Decimal(100)


def test_without_a_sample_the_quote_of_the_same_day_testifies(session: Session) -> None:
    coin = make.make_coin("BTC", price="100")

    within = witnessed_price(coin_id=coin.id, moment=make.NOW - timedelta(hours=24))
    beyond = witnessed_price(coin_id=coin.id, moment=make.NOW - timedelta(hours=25))

    assert (within, beyond) == (Decimal(100), None)
