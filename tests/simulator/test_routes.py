"""The quotation endpoints over a real socket, field by field."""

import http.client
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.simulator import Simulator
from app.simulator.routes import BAD_UNIT, INVALID, MISTYPED, NEEDED, NOT_FOUND
from app.simulator.ticks import tick, to_units
from tests.simulator.clients import ask, minutes, ticker
from tests.simulator.conftest import START

UNITS = (1, 3, 5, 10, 15, 30, 60, 240)


def shape(row: dict[str, Any]) -> dict[str, str]:
    """Field names with the JSON kind of their values."""
    kinds = {Decimal: "number", int: "number"}
    return {key: kinds.get(type(value), type(value).__name__) for key, value in row.items()}


def recorded(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(), parse_float=Decimal)
    return rows


def opened(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["candle_date_time_utc"]).replace(tzinfo=UTC)


def test_market_list_has_the_recorded_fields(exchange: Simulator, recordings: Path) -> None:
    rows = ask(exchange, "/v1/market/all", is_details="true").json
    real = recorded(recordings / "market_all.json")[0]

    assert {str(shape(row)) for row in rows} == {str(shape(real))}
    assert set(rows[0]["market_event"]["caution"]) == set(real["market_event"]["caution"])


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


def test_ticker_has_the_recorded_fields(exchange: Simulator, recordings: Path) -> None:
    rows = ask(exchange, "/v1/ticker/all", quote_currencies="KRW,BTC,USDT").json
    real = recorded(recordings / "ticker_KRW-BTC_KRW-ETH_2025-07-30_raw.json")[0]

    assert {str(shape(row)) for row in rows} == {str(shape(real))}


def test_ticker_all_filters_by_quote(exchange: Simulator) -> None:
    rows = ask(exchange, "/v1/ticker/all", quote_currencies="KRW").json

    assert len(rows) == 200
    assert {row["market"].split("-")[0] for row in rows} == {"KRW"}


def test_figures_of_every_ticker_agree_with_each_other(exchange: Simulator) -> None:
    for row in ask(exchange, "/v1/ticker/all", quote_currencies="KRW,BTC,USDT").json:
        price, close = row["trade_price"], row["prev_closing_price"]
        change = price - close

        assert row["signed_change_price"] == change
        assert row["change_price"] == abs(change)
        assert row["signed_change_rate"] == (change / close).quantize(Decimal("1E-10"))
        assert row["change_rate"] == abs(row["signed_change_rate"])
        assert row["change"] == ("RISE" if change > 0 else "FALL" if change < 0 else "EVEN")
        assert row["low_price"] <= min(price, row["opening_price"])
        assert row["high_price"] >= max(price, row["opening_price"])
        assert row["lowest_52_week_price"] <= row["low_price"]
        assert row["highest_52_week_price"] >= row["high_price"]


def test_times_of_every_ticker_are_the_last_trade(exchange: Simulator) -> None:
    now = exchange.now()
    for row in ask(exchange, "/v1/ticker/all", quote_currencies="KRW,BTC,USDT").json:
        moment = datetime.fromtimestamp(row["trade_timestamp"] // 1000, UTC)

        assert moment.strftime("%Y%m%d%H%M%S") == row["trade_date"] + row["trade_time"]
        korean = (moment + timedelta(hours=9)).strftime("%Y%m%d%H%M%S")
        assert korean == row["trade_date_kst"] + row["trade_time_kst"]
        assert row["trade_timestamp"] <= row["timestamp"] <= now.timestamp() * 1000


def test_every_price_is_on_its_tick(exchange: Simulator) -> None:
    for row in ask(exchange, "/v1/ticker/all", quote_currencies="KRW,BTC,USDT").json:
        quote = row["market"].split("-")[0]
        for name in ("opening_price", "high_price", "low_price", "trade_price"):
            units = to_units(row[name])
            assert units % tick(quote, units) == 0, (row["market"], row[name])


def test_prices_span_the_markets_range(exchange: Simulator) -> None:
    rows = ask(exchange, "/v1/ticker/all", quote_currencies="KRW").json
    prices = [row["trade_price"] for row in rows]

    assert Decimal("0.00001") <= min(prices) < Decimal("0.0001")
    assert 10**8 < max(prices) <= 2 * 10**8


def test_idle_market_keeps_figures_of_its_last_day(exchange: Simulator) -> None:
    rows = ask(exchange, "/v1/ticker/all", quote_currencies="BTC,USDT").json
    idle = [row for row in rows if row["trade_date"] < START.strftime("%Y%m%d")]
    row = idle[0]

    day = ask(exchange, "/v1/candles/days", market=row["market"]).json[0]

    assert day["candle_date_time_utc"][:10].replace("-", "") == row["trade_date"]
    assert day["trade_price"] == row["trade_price"]
    assert day["candle_acc_trade_volume"] == row["acc_trade_volume"]
    assert day["prev_closing_price"] == row["prev_closing_price"]


def test_ticker_follows_the_order_asked_and_names_each_market_once(exchange: Simulator) -> None:
    rows = ask(exchange, "/v1/ticker", markets="KRW-XRP,KRW-BTC,KRW-XRP").json

    assert [row["market"] for row in rows] == ["KRW-XRP", "KRW-BTC"]


def test_unknown_code_fails_the_whole_list(exchange: Simulator) -> None:
    answer = ask(exchange, "/v1/ticker", markets="KRW-BTC,KRW-GONE")

    assert answer.status == 404
    assert answer.json == {"error": {"name": 404, "message": NOT_FOUND}}


@pytest.mark.parametrize(("unknown", "count"), [("missing", 1), ("empty", 0)])
def test_unknown_code_may_only_be_left_out(unknown: str, count: int) -> None:
    with Simulator(markets=2, unknown_code=unknown) as sim:
        answer = ask(sim, "/v1/ticker", markets="KRW-BTC,KRW-GONE")

    assert (answer.status, len(answer.json)) == (200, count)


def test_minute_candle_has_the_recorded_fields(exchange: Simulator, recordings: Path) -> None:
    real = recorded(recordings / "candles_minutes_1_KRW-BTC_2021-01-30_raw.json")[0]

    assert shape(minutes(exchange)[0]) == shape(real)


def test_day_candle_has_the_recorded_fields(exchange: Simulator, recordings: Path) -> None:
    real = recorded(recordings / "candles_days_KRW-BTC.json")[0]

    row = ask(exchange, "/v1/candles/days", market="KRW-BTC").json[0]

    assert shape(row) == shape(real)


@pytest.mark.parametrize("unit", UNITS)
def test_candles_come_newest_first_on_their_marks(exchange: Simulator, unit: int) -> None:
    rows = minutes(exchange, unit=unit, count=200)
    starts = [opened(row) for row in rows]

    assert len(rows) == 200
    assert starts == sorted(set(starts), reverse=True)
    assert all(start.timestamp() % (unit * 60) == 0 for start in starts)
    assert {row["unit"] for row in rows} == {unit}
    for row, start in zip(rows, starts, strict=True):
        korean = (start + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S")
        assert row["candle_date_time_kst"] == korean
        assert 0 <= row["timestamp"] / 1000 - start.timestamp() < unit * 60


@pytest.mark.parametrize("unit", UNITS[1:])
@pytest.mark.parametrize("code", ["KRW-BTC", "USDT-LINK"])
def test_large_candles_are_made_of_small_ones(exchange: Simulator, unit: int, code: str) -> None:
    edge = START.replace(hour=0, minute=0, second=0)
    for large in minutes(exchange, code, unit, count=3, to=edge.isoformat()):
        start = opened(large)
        end = start + timedelta(minutes=unit)
        small = minutes(exchange, code, count=200, to=end.isoformat())
        inside = [row for row in small if opened(row) >= start]

        if unit <= 200:
            assert large["opening_price"] == inside[-1]["opening_price"]
            assert large["high_price"] == max(row["high_price"] for row in inside)
            assert large["low_price"] == min(row["low_price"] for row in inside)
            volumes = [row["candle_acc_trade_volume"] for row in inside]
            assert large["candle_acc_trade_volume"] == sum(volumes)
        assert large["trade_price"] == inside[0]["trade_price"]
        assert large["timestamp"] == inside[0]["timestamp"]


def test_first_candle_is_still_forming_and_agrees_with_ticker(exchange: Simulator) -> None:
    row, newest = ticker(exchange), minutes(exchange)[0]

    assert opened(newest) == START.replace(second=0)
    assert newest["trade_price"] == row["trade_price"]
    assert newest["timestamp"] == row["trade_timestamp"]


def test_day_candle_agrees_with_ticker(exchange: Simulator) -> None:
    row = ticker(exchange)
    today, yesterday = ask(exchange, "/v1/candles/days", market="KRW-BTC", count=2).json

    for name in ("opening_price", "high_price", "low_price", "trade_price", "prev_closing_price"):
        assert today[name] == row[name]
    assert today["candle_acc_trade_volume"] == row["acc_trade_volume"]
    assert today["change_rate"] == row["signed_change_rate"]
    assert yesterday["trade_price"] == row["prev_closing_price"]


def test_close_of_a_candle_is_price_at_its_end(exchange: Simulator) -> None:
    for row in minutes(exchange, "USDT-LINK", count=50)[1:]:
        end = opened(row) + timedelta(minutes=1) - timedelta(milliseconds=1)

        assert exchange.price("USDT-LINK", end) == row["trade_price"]


def test_quiet_market_has_gaps(exchange: Simulator) -> None:
    starts = [opened(row) for row in minutes(exchange, "USDT-LINK", count=50)]

    assert starts[0] - starts[-1] > timedelta(minutes=200)


@pytest.mark.parametrize(
    "to",
    ["2026-11-20T02:00:00Z", "2026-11-20 02:00:00", "2026-11-20T11:00:00+09:00",
     "2026-11-20T02:00:00"],
)  # fmt: skip
def test_to_is_exclusive_in_every_form(exchange: Simulator, to: str) -> None:
    newest = minutes(exchange, to=to)[0]

    assert newest["candle_date_time_utc"] == "2026-11-20T01:59:00"


def test_candle_that_starts_just_before_to_is_whole(exchange: Simulator) -> None:
    cut = minutes(exchange, unit=60, to="2026-11-20T01:00:01Z")[0]
    whole = minutes(exchange, unit=60, to="2026-11-20T02:00:00Z")[0]

    assert cut == whole


def test_candle_whose_first_trade_comes_after_to_is_whole_too(exchange: Simulator) -> None:
    for whole in minutes(exchange, "USDT-LINK", 30, count=40):
        just_after = (opened(whole) + timedelta(seconds=1)).isoformat()

        assert minutes(exchange, "USDT-LINK", 30, to=just_after) == [whole]


def test_to_in_the_future_is_now(exchange: Simulator) -> None:
    assert minutes(exchange, to="2030-01-01T00:00:00Z") == minutes(exchange)


def test_paging_by_to_gives_each_candle_once(exchange: Simulator) -> None:
    whole = minutes(exchange, "USDT-LINK", 15, count=60)
    pages, to = [], ""
    for _ in range(6):
        page = minutes(exchange, "USDT-LINK", 15, count=10, to=to)
        pages += page
        to = page[-1]["candle_date_time_utc"] + "Z"

    assert pages == whole


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


def test_candles_end_where_the_exchange_began(exchange: Simulator) -> None:
    assert minutes(exchange, to="2017-01-01T00:00:00Z") == []


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


def test_head_gives_headers_alone(exchange: Simulator) -> None:
    answer = ask(exchange, "/v1/market/all", "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1_000


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(exchange: Simulator, method: str) -> None:
    answer = ask(exchange, "/v1/market/all", method, body="{}")

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_body_too_large_is_refused_and_the_connection_closed(exchange: Simulator) -> None:
    answer = ask(exchange, "/v1/market/all", "POST", headers={"Content-Length": "99999999"})

    assert answer.status == 413
    assert answer.headers["Connection"] == "close"


def test_one_connection_serves_many_requests(exchange: Simulator) -> None:
    parts = urlsplit(exchange.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    connection.connect()
    own_port = connection.sock.getsockname()[1]
    for path in ("/v1/market/all", "/v1/nothing", "/v1/ticker?markets=KRW-BTC"):
        connection.request("GET", path)
        connection.getresponse().read()

    assert connection.sock.getsockname()[1] == own_port
    connection.close()
