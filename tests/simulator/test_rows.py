"""The figures of tickers and candles, held to the recordings and to each other."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.simulator import Simulator
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


def test_ticker_has_the_recorded_fields(exchange: Simulator, recordings: Path) -> None:
    rows = ask(exchange, "/v1/ticker/all", quote_currencies="KRW,BTC,USDT").json
    real = recorded(recordings / "ticker_KRW-BTC_KRW-ETH_2025-07-30_raw.json")[0]

    assert {str(shape(row)) for row in rows} == {str(shape(real))}


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


def test_candle_that_starts_just_before_to_is_whole(exchange: Simulator) -> None:
    cut = minutes(exchange, unit=60, to="2026-11-20T01:00:01Z")[0]
    whole = minutes(exchange, unit=60, to="2026-11-20T02:00:00Z")[0]

    assert cut == whole


def test_candle_whose_first_trade_comes_after_to_is_whole_too(exchange: Simulator) -> None:
    for whole in minutes(exchange, "USDT-LINK", 30, count=40):
        just_after = (opened(whole) + timedelta(seconds=1)).isoformat()

        assert minutes(exchange, "USDT-LINK", 30, to=just_after) == [whole]


def test_paging_by_to_gives_each_candle_once(exchange: Simulator) -> None:
    whole = minutes(exchange, "USDT-LINK", 15, count=60)
    pages, to = [], ""
    for _ in range(6):
        page = minutes(exchange, "USDT-LINK", 15, count=10, to=to)
        pages += page
        to = page[-1]["candle_date_time_utc"] + "Z"

    assert pages == whole


def test_candles_end_where_the_exchange_began(exchange: Simulator) -> None:
    assert minutes(exchange, to="2017-01-01T00:00:00Z") == []
