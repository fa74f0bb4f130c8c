"""Pages of candles: what we ask Upbit for, and what we believe of the answers."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.market import Candle, CandleUnit
from app.exchanges.base import Unavailable, UnknownMarket
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.simulator import Simulator
from tests.exchanges.stub import Stub, reply

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
DAY, HOUR, MINUTE = CandleUnit.DAY, CandleUnit.HOUR, CandleUnit.MINUTE


@pytest.fixture
def upbit(stub: Stub) -> Iterator[Upbit]:
    one = Upbit(stub.url, pacer=Pacer(per_second=1e6))
    yield one
    one.close()


def row(opened_at: str = "2026-11-19T00:00:00", **fields: str) -> str:
    """A row of the days as the exchange writes it; fields are JSON texts, "" leaves one out."""
    known = {
        "market": '"KRW-BTC"',
        "candle_date_time_utc": f'"{opened_at}"',
        "opening_price": "100.0",
        "high_price": "120.00000000",
        "low_price": "9E1",
        "trade_price": "110.5",
        "candle_acc_trade_price": "2211.5",
        "candle_acc_trade_volume": "20.25000000",
    }
    texts = (known | fields).items()
    return "{" + ",".join(f'"{key}":{text}' for key, text in texts if text) + "}"


def page(upbit: Upbit, *, unit: CandleUnit = DAY, until: datetime = TODAY) -> list[Candle]:
    return upbit.candles("KRW-BTC", unit, until=until, count=3)


def test_page_holds_the_candles_newest_first(upbit: Upbit, stub: Stub) -> None:
    older = row("2026-11-16T00:00:00", trade_price="1E+2", opening_price="100")
    stub.default = reply(f"[{row()},{older}]")

    newest, second = page(upbit)

    prices = map(Decimal, ("100", "120", "90", "110.5"))
    yesterday = TODAY - timedelta(days=1)
    assert newest == Candle("KRW-BTC", yesterday, *prices, volume=20.25, turnover=2211.5)
    assert (second.opened_at, second.close) == (TODAY - timedelta(days=4), 100)


@pytest.mark.parametrize(
    ("unit", "path"),
    [
        (DAY, "/v1/candles/days"),
        (HOUR, "/v1/candles/minutes/60"),
        (MINUTE, "/v1/candles/minutes/1"),
    ],
)
def test_each_unit_is_asked_for_at_its_own_place(
    upbit: Upbit, stub: Stub, unit: CandleUnit, path: str
) -> None:
    upbit.candles("KRW-BTC", unit, until=NOON.astimezone(timezone(timedelta(hours=9))), count=200)

    asked = urlsplit(stub.asked[0])
    assert asked.path == path
    assert parse_qs(asked.query) == {
        "market": ["KRW-BTC"],
        "to": ["2026-11-20T12:00:00Z"],
        "count": ["200"],
    }


def test_minutes_and_hours_say_how_long_they_are(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply(f"[{row('2026-11-19T11:00:00', unit='60')}]")

    assert len(page(upbit, unit=HOUR)) == 1
    with pytest.raises(Unavailable, match="length"):
        page(upbit, unit=MINUTE)
    with pytest.raises(Unavailable, match="length"):
        page(upbit, unit=DAY)


@pytest.mark.parametrize("useless", ["", "null", '"x"', "-1", "NaN", "1e999"])
def test_useless_volume_is_none_at_all(upbit: Upbit, stub: Stub, useless: str) -> None:
    fields = dict.fromkeys(("candle_acc_trade_price", "candle_acc_trade_volume"), useless)
    stub.default = reply(f"[{row(**fields)}]")

    (candle,) = page(upbit)

    assert (candle.volume, candle.turnover) == (0.0, 0.0)


@pytest.mark.parametrize(
    "bad",
    [
        row(market='"KRW-ETH"'),
        row(opening_price=""),
        row(trade_price="null"),
        row(trade_price='"100"'),
        row(low_price="0", opening_price="100"),
        row(low_price="-1"),
        row(high_price="1e30"),
        row(trade_price="NaN"),
        row(trade_price="120.1"),
        row(opening_price="89.9"),
        row(trade_price="100.000000001"),
        row("2026-11-19T09:00:00"),
        row("2026-11-19T00:00:00Z"),
        row("2026-13-19T00:00:00"),
        row(candle_date_time_utc="5"),
        *("null", "5", "[]", '"KRW-BTC"'),
    ],
)
def test_one_bad_row_spoils_the_page(upbit: Upbit, stub: Stub, bad: str) -> None:
    stub.default = reply(f"[{bad},{row('2026-11-16T00:00:00')}]")

    with pytest.raises(Unavailable):
        page(upbit)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ((20,), "at or after"),
        ((21, 19), "at or after"),
        ((18, 19), "order"),
        ((19, 19), "order"),
        ((19, 18, 17, 16), "4 candles instead of 3"),
    ],
)
def test_page_that_answers_another_question_is_not_believed(
    upbit: Upbit, stub: Stub, days: tuple[int, ...], reason: str
) -> None:
    stub.default = reply("[" + ",".join(row(f"2026-11-{day}T00:00:00") for day in days) + "]")

    with pytest.raises(Unavailable, match=reason):
        page(upbit)


def test_page_of_an_unknown_market_is_an_error(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply('{"error":{"name":404,"message":"Code not found"}}', status=404)

    with pytest.raises(UnknownMarket):
        page(upbit)
    with pytest.raises(UnknownMarket):
        upbit.candles("KRW-BTC&count=200", DAY, until=TODAY, count=1)
    assert len(stub.asked) == 1


@pytest.mark.parametrize("count", [0, 201, -1])
def test_more_than_the_exchange_gives_is_never_asked(upbit: Upbit, stub: Stub, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 200"):
        upbit.candles("KRW-BTC", DAY, until=TODAY, count=count)

    assert stub.asked == []


@pytest.mark.parametrize("unit", CandleUnit)
def test_simulated_pages_go_back_without_gap_or_overlap(unit: CandleUnit) -> None:
    with Simulator(rate_limit=None, markets=3) as sim:
        market = Upbit(sim.url, pacer=Pacer(per_second=1e6))
        code = next(code for code in sim.codes() if code.startswith("KRW-"))
        now = sim.now()

        first = market.candles(code, unit, until=now, count=60)
        again = market.candles(code, unit, until=first[19].opened_at, count=40)

    assert [one.opened_at for one in again] == [one.opened_at for one in first[20:]]
    assert again == first[20:]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("candles_days_KRW-BTC.json", DAY),
        ("candles_minutes_1_KRW-BTC_2021-01-30_raw.json", MINUTE),
        ("candles_minutes_1_KRW-BTC_2020-02-20_to_2020KST.json", MINUTE),
    ],
)
def test_recorded_page_arrives_digit_by_digit(
    upbit: Upbit, stub: Stub, recordings: Path, name: str, unit: CandleUnit
) -> None:
    text = (recordings / name).read_text()
    stub.default = reply(text)

    found = upbit.candles("KRW-BTC", unit, until=NOON, count=200)

    rows = json.loads(text, parse_float=Decimal)
    assert len(found) == len(rows) == len(re.findall(r"\{", text))
    for candle, recorded in zip(found, rows, strict=True):
        assert f"{candle.opened_at:%Y-%m-%dT%H:%M:%S}" == recorded["candle_date_time_utc"]
        assert [candle.open, candle.high, candle.low, candle.close] == [
            recorded[key] for key in ("opening_price", "high_price", "low_price", "trade_price")
        ]
        assert candle.volume == float(recorded["candle_acc_trade_volume"])
