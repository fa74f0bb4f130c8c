"""Order books: what both exchanges say is for sale, and what isn't believed."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.exchanges import ExchangeName, Offer
from app.exchanges.base import Unavailable, UnknownMarket
from app.exchanges.orderbook import read_asks
from app.exchanges.wire import BadField, decode
from app.simulator import Simulator
from tests.exchanges.venues import MARKET, fresh_keys, signed_broker, url_of

RECORDED = Path(__file__).resolve().parents[3] / "shared/data"


def book(*asks: tuple[object, object], market: str = MARKET) -> list[Any]:
    units = [{"ask_price": price, "ask_size": size, "bid_price": 1} for price, size in asks]
    return [{"market": market, "orderbook_units": units}]


def test_offers_come_cheapest_first_and_emptied_steps_are_left_out() -> None:
    rows = book((101, Decimal("0.5")), (102, 0), (100, 2), (0, 0))

    assert read_asks(rows, MARKET) == [
        Offer(Decimal(100), Decimal(2)),
        Offer(Decimal(101), Decimal("0.5")),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        book((100, 1), market="KRW-ETH"),
        [{"market": MARKET}],
        [{"market": MARKET, "orderbook_units": [7]}],
        book((0, 1)),
        book((-1, 1)),
        book((100, -1)),
        book((100, None)),
        book(("x", 1)),
    ],
)
def test_book_that_cannot_be_is_not_believed(rows: list[Any]) -> None:
    with pytest.raises(BadField):
        read_asks(rows, MARKET)


@pytest.mark.parametrize(
    ("recording", "cheapest"),
    [
        ("upbit/orderbook_level10000_doc.json", Offer(Decimal(148_520_000), Decimal("0.0134662"))),
        (
            "bithumb/orderbook_KRW-BTC_2026-07-30.json",
            Offer(Decimal(91_226_000), Decimal("0.0469")),
        ),
    ],
)
def test_recorded_books_are_read_whole(recording: str, cheapest: Offer) -> None:
    path = RECORDED / recording
    if not path.exists():
        pytest.skip(f"no recording {recording}")
    rows: Any = decode(path.read_text())
    asks = read_asks(rows, MARKET)

    sizes = [unit["ask_size"] for unit in json.loads(path.read_text())[0]["orderbook_units"]]
    assert asks[0] == cheapest
    assert len(asks) == sum(1 for size in sizes if size)


@pytest.mark.parametrize("exchange", ExchangeName)
@pytest.mark.parametrize("mode", ["5xx", "html", "cut", "empty", "missing"])
def test_answer_that_is_no_book_is_no_answer(exchange: ExchangeName, mode: str) -> None:
    with Simulator(markets=2, speed=0, rate_limit=None) as sim:
        broker = signed_broker(exchange, url_of(exchange, sim), fresh_keys())
        sim.fault(mode, group="orderbook")

        with pytest.raises(Unavailable):
            broker.asks(MARKET)


@pytest.mark.parametrize("exchange", ExchangeName)
def test_book_of_what_is_not_listed_is_of_an_unknown_market(exchange: ExchangeName) -> None:
    with Simulator(markets=2, speed=0, rate_limit=None) as sim:
        broker = signed_broker(exchange, url_of(exchange, sim), fresh_keys())

        with pytest.raises(UnknownMarket):
            broker.asks("KRW-GONE")
        with pytest.raises(UnknownMarket):
            broker.asks("KRW-BTC,KRW-ETH")
