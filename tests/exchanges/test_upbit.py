"""What we ask of Upbit, and what we believe of its answers."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.market import Candle
from app.domain.money import from_units, to_units
from app.exchanges.base import Market, RateLimited, Unavailable, UnknownMarket
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from tests.exchanges.stub import Stub, reply

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOON_MS = 1795176000000
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@pytest.fixture
def upbit(stub: Stub) -> Iterator[Upbit]:
    one = Upbit(stub.url, logo_url=stub.url + "/logos", pacer=Pacer(per_second=1e6))
    yield one
    one.close()


def listing(market: object = "KRW-BTC", **fields: object) -> dict[str, object]:
    return {"market": market, "korean_name": "비트코인", "english_name": "Bitcoin"} | fields


def ticker(market: object = "KRW-BTC", price: str = "100", **fields: str) -> str:
    row = {
        "market": json.dumps(market),
        "trade_price": price,
        "trade_timestamp": str(NOON_MS - 5000),
        "timestamp": str(NOON_MS),
    }
    return "{" + ",".join(f'"{key}":{text}' for key, text in (row | fields).items() if text) + "}"


def candle(start: str = "11:59", **fields: str) -> str:
    row = {
        "market": '"KRW-BTC"',
        "candle_date_time_utc": f'"2026-11-20T{start}:00"',
        "opening_price": "100.0",
        "high_price": "120.00000000",
        "low_price": "9E1",
        "trade_price": "110.5",
        "unit": "1",
    }
    return "{" + ",".join(f'"{key}":{text}' for key, text in (row | fields).items() if text) + "}"


def test_upbit_is_a_market(upbit: Upbit) -> None:
    market: Market = upbit

    assert market.source == "upbit"


def test_listings_are_the_krw_markets_with_their_warnings(upbit: Upbit, stub: Stub) -> None:
    event = {"warning": True, "caution": {"PRICE_FLUCTUATIONS": True, "OTHER": False}}
    stub.default = reply(
        json.dumps([listing("BTC-ETH"), listing(market_event=event), listing("USDT-BTC")])
    )

    (row,) = upbit.listings().rows

    assert (row.market, row.code, row.korean_name) == ("KRW-BTC", "BTC", "비트코인")
    assert (row.warning, row.cautions) == (True, ("PRICE_FLUCTUATIONS",))
    assert stub.asked == ["/v1/market/all?is_details=true"]


@pytest.mark.parametrize("event", [None, [], {}, {"warning": "x", "caution": 5}, {"caution": None}])
def test_strange_warning_is_no_warning_and_costs_no_listing(
    upbit: Upbit, stub: Stub, event: object
) -> None:
    stub.default = reply(json.dumps([listing(market_event=event)]))

    (row,) = upbit.listings().rows

    assert (row.warning, row.cautions) == (False, ())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (listing(korean_name=None), "korean_name is missing"),
        (listing(english_name=5), "english_name is not text"),
        (listing("KRW-btc"), "market is not a KRW market code"),
        (listing("KRW-"), "market is not a KRW market code"),
        (listing("KRW-../../x\n"), "market is not a KRW market code"),
        (listing(None), "market is not a KRW market code"),
        (listing(7), "market is not a KRW market code"),
        (listing("KRW-ETH"), "market comes twice"),
        (["KRW-BTC"], "not an object"),
        (None, "not an object"),
    ],
)
def test_bad_listing_is_left_out_and_named(
    upbit: Upbit, stub: Stub, bad: object, reason: str
) -> None:
    stub.default = reply(json.dumps([listing("KRW-ETH"), bad, listing("KRW-A")]))

    found = upbit.listings()

    assert [row.market for row in found.rows] == ["KRW-ETH", "KRW-A"]
    assert [row.reason for row in found.bad] == [reason]
    assert found.bad[0].market.isprintable()


@pytest.mark.parametrize("body", ["[]", '[{"market":"BTC-ETH"}]', "[null]", '{"error":{}}'])
def test_list_without_any_market_is_unavailable(upbit: Upbit, stub: Stub, body: str) -> None:
    stub.default = reply(body)

    with pytest.raises(Unavailable):
        upbit.listings()


def test_ticker_is_read_with_exact_price_and_utc_times(upbit: Upbit, stub: Stub) -> None:
    figures = {"high_price": "1.4E-7", "low_price": "1E-7", "prev_closing_price": "0.00000012"}
    extra = {"signed_change_rate": "0.0833", "acc_trade_price_24h": "12.50"}
    stub.default = reply(f"[{ticker(price='1.3E-7', **figures, **extra)}]")

    (row,) = upbit.tickers().rows

    assert (row.price, row.prev_close) == (Decimal("0.00000013"), Decimal("0.00000012"))
    assert (row.high, row.low) == (Decimal("0.00000014"), Decimal("0.0000001"))
    assert (row.stamped_at, row.traded_at) == (NOON, NOON - timedelta(seconds=5))
    assert (row.change_rate, row.turnover_24h) == (0.0833, 12.5)
    assert stub.asked == ["/v1/ticker/all?quote_currencies=KRW"]


@pytest.mark.parametrize(
    "bad",
    [
        *(
            ticker(price=text)
            for text in ("NaN", "Infinity", "-Infinity", "0", "0E-8", "-5", '"5"')
        ),
        *(ticker(price=text) for text in ("", "null", "true", "[]", "1e-9", "1e30", "9" * 5000)),
        *(ticker(timestamp=text) for text in ("", "0", "-1", "NaN", "9999999999999999", '"x"')),
        *(ticker(trade_timestamp=text) for text in ("", "null", "1669012466")),
        ticker(high_price="99.9", low_price="50"),
        ticker(high_price="150", low_price="100.1"),
        ticker(high_price="NaN"),
        ticker(low_price="0"),
        ticker("KRW-ETH", price="77"),
        ticker("KRW-b c"),
        ticker(5),
        *("null", "5", "[]", '"KRW-BTC"', "{}"),
    ],
)
def test_bad_ticker_spoils_no_other(upbit: Upbit, stub: Stub, bad: str) -> None:
    stub.default = reply(f"[{ticker('KRW-ETH', price='55')},{bad},{ticker('KRW-XRP')}]")

    found = upbit.tickers()

    assert [(row.market, row.price) for row in found.rows] == [("KRW-ETH", 55), ("KRW-XRP", 100)]
    assert len(found.bad) == 1
    assert found.bad[0].reason


def test_price_at_the_edge_of_its_range_is_believed(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply(f"[{ticker(high_price='100', low_price='100.0')}]")

    assert upbit.tickers().rows[0].price == 100


@pytest.mark.parametrize("useless", ["", "null", "0", "NaN", '"x"', "-1", "1e-30"])
def test_new_listing_without_history_is_believed(upbit: Upbit, stub: Stub, useless: str) -> None:
    names = ("prev_closing_price", "signed_change_rate", "acc_trade_price_24h")
    stub.default = reply(f"[{ticker(**dict.fromkeys(names, useless))}]")

    (row,) = upbit.tickers().rows

    assert (row.price, row.prev_close) == (100, None)


def test_answer_without_any_krw_ticker_is_unavailable(upbit: Upbit, stub: Stub) -> None:
    stub.script = [reply("[]"), reply(f"[{ticker('BTC-ETH')}]")]

    for _ in range(2):
        with pytest.raises(Unavailable):
            upbit.tickers()


def test_candle_is_the_last_that_opened_before_the_moment(upbit: Upbit, stub: Stub) -> None:
    row = candle()
    stub.default = reply(f"[ {row} , {candle('11:57')}]")

    found = upbit.candle_before("KRW-BTC", NOON)

    assert found == Candle(
        *("KRW-BTC", NOON - timedelta(minutes=1)),
        *(Decimal(100), Decimal(120), Decimal(90), Decimal("110.5")),
        raw=row,
    )


def test_candle_is_asked_for_in_utc_and_encoded(upbit: Upbit, stub: Stub) -> None:
    seoul = timezone(timedelta(hours=9))
    upbit.candle_before("KRW-BTC", datetime(2026, 11, 20, 21, 0, tzinfo=seoul))

    asked = urlsplit(stub.asked[0])
    assert asked.path == "/v1/candles/minutes/1"
    assert parse_qs(asked.query) == {
        "market": ["KRW-BTC"],
        "to": ["2026-11-20T12:00:00Z"],
        "count": ["2"],
    }
    assert ":" not in asked.query


def test_moment_within_a_minute_may_be_decided_by_that_minute(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply(f"[{candle('12:00')}]")

    found = upbit.candle_before("KRW-BTC", NOON + timedelta(microseconds=1))

    assert found is not None
    assert found.opened_at == NOON
    assert "12%3A00%3A01Z" in stub.asked[0]


def test_moment_without_a_zone_is_refused(upbit: Upbit) -> None:
    with pytest.raises(ValueError, match="aware"):
        upbit.candle_before("KRW-BTC", NOON.replace(tzinfo=None))


def test_candle_at_the_moment_itself_is_passed_over(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply(f"[{candle('12:00', trade_price='119')},{candle('11:48')}]")

    found = upbit.candle_before("KRW-BTC", NOON)

    assert found is not None
    assert (found.opened_at, found.close) == (NOON - timedelta(minutes=12), Decimal("110.5"))


def test_market_that_never_traded_has_no_candle(upbit: Upbit) -> None:
    assert upbit.candle_before("KRW-BTC", NOON) is None


@pytest.mark.parametrize(
    "body",
    [
        candle(market='"KRW-ETH"'),
        candle(unit="3"),
        candle("12:00"),
        f"{candle('12:01')},{candle('12:00')}",
        f"{candle('11:58')},{candle('11:59')}",
        f"{candle('11:59')},{candle('11:59')}",
        candle(trade_price="120.1"),
        candle(trade_price="89"),
        candle(opening_price="121"),
        candle(high_price="80"),
        *(candle(trade_price=text) for text in ("0", "-1", "NaN", "", "null", '"110"', "1e-9")),
        candle(candle_date_time_utc='"2026-11-20T11:59:30"'),
        candle(candle_date_time_utc="1795175940000"),
        f"{candle()},null",
        "null",
        "5",
    ],
)
def test_candle_that_lies_decides_nothing(upbit: Upbit, stub: Stub, body: str) -> None:
    stub.default = reply(f"[{body}]")

    with pytest.raises(Unavailable):
        upbit.candle_before("KRW-BTC", NOON)


def test_quote_of_a_bloated_candle_is_cut(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply(f"[{candle(junk=json.dumps('x' * 50_000))}]")

    found = upbit.candle_before("KRW-BTC", NOON)

    assert found is not None
    assert len(found.raw) == 2000


@pytest.mark.parametrize("market", ["BTC-ETH", "KRW-btc", "KRW-A&x=1", "KRW-", "", "KRW-A\n"])
def test_market_that_cannot_be_is_unknown_without_asking(
    upbit: Upbit, stub: Stub, market: str
) -> None:
    with pytest.raises(UnknownMarket):
        upbit.candle_before(market, NOON)

    assert stub.asked == []


def test_delisted_market_is_unknown(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply('{"error":{"name":404,"message":"Code not found"}}', 404)

    with pytest.raises(UnknownMarket):
        upbit.candle_before("KRW-GONE", NOON)


def test_ban_silences_every_call_without_a_socket(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply("", 418)

    for call in (upbit.tickers, upbit.listings, lambda: upbit.candle_before("KRW-BTC", NOON)):
        with pytest.raises(RateLimited):
            call()

    assert len(stub.asked) == 1


def test_logo_is_fetched_by_code(upbit: Upbit, stub: Stub) -> None:
    stub.default = reply(PNG, Content_Type="image/png")

    assert upbit.logo("1INCH") == PNG
    assert stub.asked == ["/logos/1INCH.png"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (PNG, 404),
        (b"<html>", 404),
        (b"<Error><Code>AccessDenied</Code></Error>", 403),
        (b"<svg onload='x'/>", 200),
        (b"", 200),
        (PNG + b"x" * 512 * 1024, 200),
    ],
)
def test_anything_but_a_png_of_fair_size_is_no_logo(
    upbit: Upbit, stub: Stub, body: bytes, status: int
) -> None:
    stub.default = reply(body, status)

    assert upbit.logo("BTC") is None


@pytest.mark.parametrize("code", ["btc", "../x", "", "A" * 21, "BTC\n", "B C", "한"])
def test_logo_of_no_code_is_never_asked_for(upbit: Upbit, stub: Stub, code: str) -> None:
    assert upbit.logo(code) is None
    assert stub.asked == []


def test_failing_logo_host_is_unavailable_and_leaves_prices_alone(upbit: Upbit, stub: Stub) -> None:
    stub.script = [reply("", 503), reply("", 418), reply(f"[{ticker()}]")]

    for _ in range(2):
        with pytest.raises(Unavailable):
            upbit.logo("BTC")

    assert upbit.tickers().rows


def test_without_a_logo_host_there_are_no_logos(stub: Stub) -> None:
    assert Upbit(stub.url).logo("BTC") is None


@pytest.mark.parametrize(
    "name",
    [
        "ticker_krw.json",
        "ticker_all_2025-07-04_doc.json",
        "ticker_KRW-BTC_2026-07-30.json",
        "ticker_KRW-BTC_KRW-ETH_2025-07-30_raw.json",
    ],
)
def test_recorded_tickers_arrive_digit_by_digit(
    upbit: Upbit, stub: Stub, recordings: Path, name: str
) -> None:
    text = (recordings / name).read_text()
    stub.default = reply(text)
    pattern = r'"market":\s*"(KRW-\w+)".*?"trade_price":\s*([^,}\s]+)'
    written = dict(re.findall(pattern, text, re.DOTALL))

    found = upbit.tickers()

    assert found.bad == ()
    assert {row.market: from_units(to_units(row.price)) for row in found.rows} == {
        market: Decimal(digits) for market, digits in written.items()
    }
    assert len(found.rows) == text.count('"trade_price"')


def test_recorded_markets_all_arrive(upbit: Upbit, stub: Stub, recordings: Path) -> None:
    text = (recordings / "market_all.json").read_text()
    stub.default = reply(text)

    found = upbit.listings()

    assert found.bad == ()
    assert len(found.rows) == text.count('"market":"KRW-') == 183
    assert sum(row.warning for row in found.rows) > 0
    assert sum(bool(row.cautions) for row in found.rows) > 0


@pytest.mark.parametrize(
    "name",
    [
        "candles_minutes_1_KRW-BTC_2021-01-30_raw.json",
        "candles_minutes_1_KRW-BTC_2020-02-20_to_2020KST.json",
    ],
)
def test_each_recorded_candle_is_found_and_quoted(
    upbit: Upbit, stub: Stub, recordings: Path, name: str
) -> None:
    rows = re.findall(r"\{[^}]*\}", (recordings / name).read_text())
    for newer, older in list(pairwise(rows))[:50]:
        stub.default = reply(f"[{newer},{older}]")
        starts = datetime.fromisoformat(json.loads(newer)["candle_date_time_utc"] + "+00:00")

        found = upbit.candle_before("KRW-BTC", starts)

        assert found is not None
        assert found.raw == older
        assert found.close == Decimal(re.search(r'"trade_price":\s*([^,]+)', older)[1])  # type: ignore[index]
