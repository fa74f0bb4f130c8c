"""The quotation endpoints over a real socket: what they take and how they refuse."""

import re
from typing import Any

import pytest
import requests

from app.simulator import Simulator
from app.simulator.routes import BAD_UNIT, INVALID, MISTYPED, NEEDED, NOT_FOUND
from tests.simulator.clients import ask, minutes


def book(url: str) -> Any:
    reply = requests.get(f"{url}/v1/orderbook", params={"markets": "KRW-BTC"}, timeout=5)
    return reply.json()[0]


def test_market_list_mixes_three_quotes_in_no_order(exchange: Simulator) -> None:
    codes = [row["market"] for row in ask(exchange, "/v1/market/all").json]

    assert sum(code.startswith("KRW-") for code in codes) == 200
    assert {code.split("-")[0] for code in codes} == {"KRW", "BTC", "USDT"}
    assert codes != sorted(codes)
    assert {"KRW-A", "KRW-1INCH"} <= set(codes)


def test_details_come_only_on_request(exchange: Simulator) -> None:
    plain, old = (
        ask(exchange, "/v1/market/all").json,
        ask(exchange, "/v1/market/all", isDetails="true").json,
    )

    assert "market_event" not in plain[0]
    assert any(row["market_event"]["warning"] for row in old)
    assert any(any(row["market_event"]["caution"].values()) for row in old)


def test_ticker_all_filters_by_quote(exchange: Simulator) -> None:
    rows = ask(exchange, "/v1/ticker/all", quote_currencies="KRW").json

    assert len(rows) == 200
    assert {row["market"].split("-")[0] for row in rows} == {"KRW"}


def test_ticker_follows_the_order_asked_and_names_each_market_once(exchange: Simulator) -> None:
    rows = ask(exchange, "/v1/ticker", markets="KRW-XRP,KRW-BTC,KRW-XRP").json

    assert [row["market"] for row in rows] == ["KRW-XRP", "KRW-BTC"]


@pytest.mark.parametrize("url", ["url", "bithumb_url"])
def test_book_stands_around_the_last_price(url: str) -> None:
    with Simulator(markets=2, speed=0) as sim:
        sim.set_price("KRW-BTC", 100_000_000)
        sim.fault("thin", share=0.5, group="orderbook")
        thin = book(getattr(sim, url))
        sim.clear_faults()
        row = book(getattr(sim, url))

    first, second = row["orderbook_units"][:2]
    assert (first["ask_price"], first["bid_price"]) == (100_000_000, 99_999_000)
    assert second["ask_price"] == 100_001_000
    assert len(row["orderbook_units"]) == 30
    assert thin["orderbook_units"][0]["ask_size"] * 2 == pytest.approx(first["ask_size"])


def test_unknown_code_fails_the_whole_list(exchange: Simulator) -> None:
    answer = ask(exchange, "/v1/ticker", markets="KRW-BTC,KRW-GONE")

    assert answer.status == 404
    assert answer.json == {"error": {"name": 404, "message": NOT_FOUND}}


@pytest.mark.parametrize(("unknown", "count"), [("missing", 1), ("empty", 0)])
def test_unknown_code_may_only_be_left_out(unknown: str, count: int) -> None:
    with Simulator(markets=2, unknown_code=unknown) as sim:
        answer = ask(sim, "/v1/ticker", markets="KRW-BTC,KRW-GONE")

    assert (answer.status, len(answer.json)) == (200, count)


@pytest.mark.parametrize(
    "to",
    ["2026-11-20T02:00:00Z", "2026-11-20 02:00:00", "2026-11-20T11:00:00+09:00",
     "2026-11-20T02:00:00"],
)  # fmt: skip
def test_to_is_exclusive_in_every_form(exchange: Simulator, to: str) -> None:
    newest = minutes(exchange, to=to)[0]

    assert newest["candle_date_time_utc"] == "2026-11-20T01:59:00"


def test_to_in_the_future_is_now(exchange: Simulator) -> None:
    assert minutes(exchange, to="2030-01-01T00:00:00Z") == minutes(exchange)


def test_days_convert_to_won_on_request(exchange: Simulator) -> None:
    asked = {"converting_price_unit": "KRW"}
    won = ask(exchange, "/v1/candles/days", market="KRW-BTC", **asked).json[0]
    other = ask(exchange, "/v1/candles/days", market="BTC-ETH", **asked).json[0]

    assert won["converted_trade_price"] == won["trade_price"]
    assert other["converted_trade_price"] is None


CANDLES = "/v1/candles/minutes/1"


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        ("/v1/ticker", {}, 400, NEEDED),
        ("/v1/ticker", {"markets": " "}, 400, NEEDED),
        ("/v1/ticker", {"markets": "krw-btc"}, 404, NOT_FOUND),
        ("/v1/ticker/all", {}, 400, NEEDED),
        ("/v1/ticker/all", {"quote_currencies": "EUR"}, 400, INVALID),
        ("/v1/market/all", {"is_details": "maybe"}, 400, MISTYPED),
        (CANDLES, {}, 400, NEEDED),
        (CANDLES, {"market": "KRW-GONE"}, 404, NOT_FOUND),
        (CANDLES, {"market": "KRW-BTC", "count": "x"}, 400, MISTYPED),
        (CANDLES, {"market": "KRW-BTC", "count": 0}, 400, INVALID),
        (CANDLES, {"market": "KRW-BTC", "count": 201}, 400, INVALID),
        (CANDLES, {"market": "KRW-BTC", "to": "yesterday"}, 400, INVALID),
        (CANDLES, {"market": "KRW-BTC", "to": "2026-13-01T00:00:00Z"}, 400, INVALID),
        (CANDLES, {"market": "KRW-BTC", "to": "0001-01-01T00:00:00+09:00"}, 400, INVALID),
        ("/v1/candles/minutes/2", {"market": "KRW-BTC"}, 400, BAD_UNIT),
        ("/v1/candles/minutes/x", {"market": "KRW-BTC"}, 400, MISTYPED),
        ("/v1/candles/days", {"market": "KRW-BTC", "converting_price_unit": "X"}, 400, INVALID),
        ("/v1/nothing", {}, 404, "Not Found"),
    ],
)
def test_wrong_request_is_refused_with_a_numeric_name(
    exchange: Simulator, path: str, query: dict[str, object], status: int, message: str
) -> None:
    answer = ask(exchange, path, **query)  # type: ignore[arg-type]

    assert answer.status == status
    assert answer.json == {"error": {"name": status, "message": message}}


def test_unencoded_plus_is_read_as_a_space_and_refused(exchange: Simulator) -> None:
    answer = ask(exchange, f"{CANDLES}?market=KRW-BTC&to=2026-11-20T11:00:00+09:00")

    assert answer.status == 400


def test_headers_are_those_of_the_exchange(exchange: Simulator) -> None:
    headers = ask(exchange, "/v1/ticker", markets="KRW-BTC").headers

    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert re.fullmatch(r"group=ticker; min=600; sec=\d+", headers["Remaining-Req"])
    assert headers["Limit-By-Ip"] == "Yes"
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "group"),
    [("/v1/market/all", "market"), ("/v1/ticker/all?quote_currencies=KRW", "ticker"),
     ("/v1/candles/days?market=KRW-BTC", "candles"), (f"{CANDLES}?market=KRW-BTC", "candles")],
)  # fmt: skip
def test_groups_bear_the_names_seen_on_the_wire(exchange: Simulator, path: str, group: str) -> None:
    assert ask(exchange, path).headers["Remaining-Req"].startswith(f"group={group};")


def test_gzip_is_given_when_asked_for(exchange: Simulator) -> None:
    path = "/v1/ticker/all?quote_currencies=KRW"
    plain, zipped = ask(exchange, path), ask(exchange, path, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.text == plain.text
    assert len(zipped.body) < len(plain.body) / 2
