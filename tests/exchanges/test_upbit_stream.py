"""Upbit's stream: what is asked, which tick is the newest, and which frames hold."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.domain.market import Ticker
from app.exchanges.base import Heard, RateLimited, Unavailable
from app.exchanges.upbit_stream import UpbitStream
from app.exchanges.websocket import WebSocket
from tests.exchanges.pushing import Pusher

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
SHORT = {
    "type": "ty", "code": "cd", "opening_price": "op", "high_price": "hp", "low_price": "lp",
    "trade_price": "tp", "prev_closing_price": "pcp", "signed_change_rate": "scr",
    "acc_trade_price": "atp", "acc_trade_price_24h": "atp24h", "trade_timestamp": "ttms",
    "timestamp": "tms", "highest_52_week_price": "h52wp", "lowest_52_week_price": "l52wp",
    "stream_type": "st",
}  # fmt: skip


_marks = count()


class Raw(str):
    """A number that is written into a frame as it stands."""


@pytest.fixture
def pusher() -> Iterator[Pusher]:
    with Pusher() as server:
        yield server


@pytest.fixture
def stream(pusher: Pusher) -> Iterator[UpbitStream]:
    """Follows BTC and ETH."""
    stream = UpbitStream(WebSocket(pusher.url))
    stream.open(["KRW-BTC", "KRW-ETH"])
    pusher.wait_for(1)
    yield stream
    stream.close()


def row(price: str = "100", after_ms: int = 0, code: str = "KRW-BTC", **changed: Any) -> dict:  # type: ignore[type-arg]
    """A ticker frame; the trade and the stamp lie `after_ms` after now."""
    return {
        "type": "ticker", "code": code, "opening_price": Raw("90"), "high_price": Raw("200"),
        "low_price": Raw("0.5"), "trade_price": Raw(price), "prev_closing_price": Raw("95.5"),
        "acc_trade_price": Raw("59726546304.62442"), "signed_change_rate": Raw("0.006439793"),
        "highest_52_week_price": Raw("300"), "lowest_52_week_price": Raw("10"),
        "trade_timestamp": NOW_MS + after_ms, "timestamp": NOW_MS + after_ms,
        "acc_trade_price_24h": Raw("198189163442.74924"), "stream_type": "REALTIME",
    } | changed  # fmt: skip


def frame(price: str = "100", after_ms: int = 0, code: str = "KRW-BTC", **changed: Any) -> bytes:
    return written(row(price, after_ms, code, **changed)).encode()


def written(value: Any, spaces: str = "") -> str:
    """JSON without spaces, as the exchange writes it, raw numbers as they stand."""
    if isinstance(value, list):
        return f"[{','.join(written(one, spaces) for one in value)}]"
    if isinstance(value, dict):
        parts = (f'"{name}":{spaces}{written(one, spaces)}' for name, one in value.items())
        return f"{{{f',{spaces}'.join(parts)}}}"
    return str(value) if isinstance(value, Raw) else json.dumps(value)


def hear(stream: UpbitStream, pusher: Pusher, *frames: str | bytes) -> Heard:
    """What is heard of these frames. The last one sent proves that all have arrived."""
    pusher.push(*frames, frame("1", 0, "KRW-ETH", timestamp=NOW_MS + 20_000 + next(_marks)))
    ticks: list[Ticker] = []
    refused, example = 0, ""
    for _ in range(100):
        stream.listen(0.05, NOW)
        heard = stream.take()
        refused, example = refused + heard.refused, heard.example or example
        ticks += heard.ticks
        if any(tick.market == "KRW-ETH" for tick in ticks):
            break
    return Heard(tuple(tick for tick in ticks if tick.market != "KRW-ETH"), refused, example)


def prices(heard: Heard) -> list[str]:
    return [str(tick.price) for tick in heard.ticks]


def test_one_request_holds_the_whole_set_in_chunks(pusher: Pusher) -> None:
    markets = [f"KRW-C{number}" for number in range(250)]
    stream = UpbitStream(WebSocket(pusher.url))
    stream.open(markets)
    pusher.wait_for(1)
    stream.close()

    ticket, *types, form = pusher.asked[0]
    assert len(ticket["ticket"]) >= 16
    assert form == {"format": "DEFAULT"}
    assert [(one["type"], len(one["codes"])) for one in types] == [
        ("ticker", 100), ("ticker", 100), ("ticker", 50),
    ]  # fmt: skip
    assert sorted(code for one in types for code in one["codes"]) == sorted(markets)


def test_another_set_replaces_the_one_before_on_the_same_line(
    stream: UpbitStream, pusher: Pusher
) -> None:
    stream.follow(["KRW-ETH", "KRW-NEW"])
    pusher.wait_for(2)

    heard = hear(stream, pusher, frame("1"), frame("2", code="KRW-NEW"))

    assert pusher.asked[1][1]["codes"] == ["KRW-ETH", "KRW-NEW"]
    assert [(tick.market, tick.price) for tick in heard.ticks] == [("KRW-NEW", 2)]
    assert len(pusher.headers) == 1


def test_what_waits_of_a_market_that_is_no_longer_followed_is_dropped(
    stream: UpbitStream, pusher: Pusher
) -> None:
    """And followed again, it is told anew: nothing is remembered of it."""
    hear(stream, pusher, frame("1"))
    pusher.push(frame("2", 1))
    stream.listen(0.2, NOW)

    stream.follow(["KRW-ETH"])
    assert stream.take().ticks == ()

    stream.follow(["KRW-BTC", "KRW-ETH"])
    assert prices(hear(stream, pusher, frame("1"))) == ["1"]


def test_every_field_arrives_exact(stream: UpbitStream, pusher: Pusher) -> None:
    (tick,) = hear(stream, pusher, frame("0.00001234", 5, low_price=Raw("1E-8"))).ticks

    moment = NOW + timedelta(milliseconds=5)
    assert tick == Ticker(
        "KRW-BTC", Decimal("0.00001234"), traded_at=moment, stamped_at=moment,
        prev_close=Decimal("95.5"), open=Decimal(90), high=Decimal(200), low=Decimal("1E-8"),
        change_rate=0.006439793, turnover_24h=198189163442.74924,
        turnover_today=59726546304.62442, high_52w=Decimal(300), low_52w=Decimal(10),
    )  # fmt: skip


def _simple(found: dict[str, Any]) -> dict[str, Any]:
    return {SHORT[name]: value for name, value in found.items()}


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize("form", ["DEFAULT", "SIMPLE", "JSON_LIST", "SIMPLE_LIST", "spaced"])
def test_all_formats_say_the_same(
    stream: UpbitStream, pusher: Pusher, form: str, kind: str
) -> None:
    told = row("123.456", 7)
    text = {
        "DEFAULT": written(told),
        "SIMPLE": written(_simple(told)),
        "JSON_LIST": written([told]),
        "SIMPLE_LIST": written([_simple(told)]),
        "spaced": written(told, " "),
    }[form]

    (tick,) = hear(stream, pusher, text if kind == "text" else text.encode()).ticks

    moment = NOW + timedelta(milliseconds=7)
    assert (tick.price, tick.traded_at, tick.stamped_at) == (Decimal("123.456"), moment, moment)
    assert (tick.prev_close, tick.turnover_24h) == (Decimal("95.5"), 198189163442.74924)


@pytest.mark.parametrize(
    ("notation", "value"),
    [
        ("162.00000000", "162"),
        ("137.9616000000000000", "137.9616"),
        ("109", "109"),
        ("109.0", "109"),
        ("5.485e+01", "54.85"),
        ("1.3E+2", "130"),
    ],
)
def test_every_notation_of_a_number_comes_through(
    stream: UpbitStream, pusher: Pusher, notation: str, value: str
) -> None:
    assert prices(hear(stream, pusher, frame(notation))) == [value]


@pytest.mark.parametrize(
    ("sent", "newest"),
    [
        ([("1", 10, 10), ("2", 20, 20)], "2"),
        ([("2", 20, 20), ("1", 10, 10)], "2"),  # out of order
        ([("1", 10, 10), ("2", 10, 11)], "2"),  # the same trade moment: the row's own stamp
        ([("2", 10, 11), ("1", 10, 10)], "2"),
        ([("2", 11, 11), ("1", 10, 99)], "2"),  # the trade's moment comes first
    ],
)
def test_newest_is_the_latest_trade_then_the_latest_stamp(
    stream: UpbitStream, pusher: Pusher, sent: list[tuple[str, int, int]], newest: str
) -> None:
    frames = [frame(price, traded, timestamp=NOW_MS + told) for price, traded, told in sent]

    assert prices(hear(stream, pusher, *frames)) == [newest]


@pytest.mark.parametrize("as_list", [False, True])
def test_tick_told_already_is_not_told_again(
    stream: UpbitStream, pusher: Pusher, as_list: bool
) -> None:
    def sent(price: str, after_ms: int) -> bytes:
        told = row(price, after_ms)
        return written([told] if as_list else told).encode()

    assert prices(hear(stream, pusher, sent("1", 5))) == ["1"]
    stream.follow(["KRW-BTC", "KRW-ETH"])
    pusher.push(sent("1", 5), sent("0.5", 4))
    stream.listen(0.2, NOW)

    assert stream.take() == Heard()


def test_a_new_line_tells_nothing_again(stream: UpbitStream, pusher: Pusher) -> None:
    """Or an exchange that stands still would look alive after each new beginning."""
    assert prices(hear(stream, pusher, frame("1"))) == ["1"]

    stream.open(["KRW-BTC", "KRW-ETH"])
    pusher.wait_for(2)
    pusher.push(frame("1"))
    stream.listen(0.2, NOW)

    assert stream.take() == Heard()


SPOILT: dict[str, bytes] = {
    "cut in the middle": frame()[:300],
    "cut at the end": frame()[:-1],
    "cut after the stamps": frame()[: frame().index(b',"acc_trade_price_24h"')],
    "no JSON": b"\x00\x01 not json",
    "broken UTF-8": frame(note="x").replace(b'"x"', b'"\xff"'),
    "a list of a number": b"[1]",
    "a number": b"17",
    "nothing": b"",
    "very deep": b"[" * 5000,
    "another type": frame(type="trade"),
    "no code": frame(code=None),  # type: ignore[arg-type]
    "no price": frame(trade_price=None),
    "NaN": frame("NaN"),
    "Infinity": frame("Infinity"),
    "zero": frame("0"),
    "zero in a notation": frame("0E-8"),
    "negative": frame("-1"),
    "in quotes": frame(trade_price="100"),
    "true": frame("true"),
    "a list": frame("[]"),
    "huge": frame("1e400"),
    "beyond the column": frame("92233720369", high_price=Raw("92233720369")),
    "finer than 1e-8": frame("0.000000001"),
    "outside its own range": frame("201"),
    "no trade stamp": frame(trade_timestamp=None),
    "a trade stamp of letters": frame(trade_timestamp="1234567890123"),
    "negative stamps": frame(trade_timestamp=-5, timestamp=-5),
    "a stamp in the future": frame(timestamp=NOW_MS + 60_000),
    "a trade in the future": frame(trade_timestamp=NOW_MS + 60_000),
    "a stamp too long": frame(timestamp=NOW_MS * 10),
    "two codes": frame().replace(b'"opening_price"', b'"code":"KRW-ETH","opening_price"'),
    "two stamps": frame().replace(b',"stream_type"', b',"timestamp":1,"stream_type"'),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT.keys())
def test_spoilt_frame_is_refused_and_hides_no_other(
    stream: UpbitStream, pusher: Pusher, spoilt: bytes
) -> None:
    heard = hear(stream, pusher, frame("77", -1000), spoilt)

    assert prices(heard) == ["77"]
    assert heard.refused == 1
    assert heard.example


@pytest.mark.parametrize("milliseconds", [5, NOW_MS // 1000], ids=["1970", "seconds"])
def test_stamps_of_another_unit_are_refused_and_hide_no_other(
    stream: UpbitStream, pusher: Pusher, milliseconds: int
) -> None:
    stamps = {"trade_timestamp": milliseconds, "timestamp": milliseconds}

    assert hear(stream, pusher, frame(**stamps)).refused == 1
    assert prices(hear(stream, pusher, frame(**stamps), frame("77"))) == ["77"]


@pytest.mark.parametrize("spaces", ["", " "])
def test_code_of_letters_from_elsewhere_is_nobodys(
    stream: UpbitStream, pusher: Pusher, spaces: str
) -> None:
    heard = hear(stream, pusher, written(row(code="KRW-\ud800"), spaces), frame("77"))

    assert prices(heard) == ["77"]


def test_missing_figures_that_decide_nothing_cost_no_row(
    stream: UpbitStream, pusher: Pusher
) -> None:
    told = row("77")
    for name in ("prev_closing_price", "signed_change_rate", "acc_trade_price_24h", "high_price"):
        del told[name]

    (tick,) = hear(stream, pusher, written(told)).ticks

    assert replace(tick, market="") == Ticker(
        "", Decimal(77), NOW, NOW,
        open=Decimal(90), low=Decimal("0.5"), turnover_today=59726546304.62442,
        high_52w=Decimal(300), low_52w=Decimal(10),
    )  # fmt: skip


def test_market_that_was_never_asked_for_is_passed_over(
    stream: UpbitStream, pusher: Pusher
) -> None:
    others = [frame("5", code=f"KRW-X{number}") for number in range(50)]

    assert hear(stream, pusher, *others) == Heard()
    assert len(stream._waiting) + len(stream._told) <= 2  # what isn't ours takes no memory


def test_market_keeps_few_frames_however_many_come(stream: UpbitStream, pusher: Pusher) -> None:
    pusher.push(*(frame("5", number) for number in range(500)))
    stream.listen(0.5, NOW)

    assert 1 <= len(stream._waiting[b"KRW-BTC"]) <= 4


def test_sign_of_life_is_no_news(stream: UpbitStream, pusher: Pusher) -> None:
    assert hear(stream, pusher, b'{"status":"UP"}') == Heard()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("WRONG_FORMAT", Unavailable), ("NO_CODES", Unavailable), ("TOO_MANY_REQUEST", RateLimited)],
)
def test_error_object_ends_the_listening(
    stream: UpbitStream, pusher: Pusher, name: str, kind: type[Exception]
) -> None:
    pusher.push(json.dumps({"error": {"name": name, "message": "…"}}))

    with pytest.raises(kind, match=name):
        stream.listen(5, NOW)


def test_error_of_another_shape_ends_the_listening_too(stream: UpbitStream, pusher: Pusher) -> None:
    pusher.push('{"error":"closed"}')

    with pytest.raises(Unavailable, match="closed"):
        stream.listen(5, NOW)


def test_line_that_is_gone_ends_the_listening(stream: UpbitStream, pusher: Pusher) -> None:
    pusher.hang_up()

    with pytest.raises(Unavailable):
        stream.listen(5, NOW)


RECORDED = {
    "ws_ticker_KRW-BTC_2025-09-26_raw.jsonl": ["158201000", "158200000"],
    "ws_ticker_2026-08-26_doc.jsonl": ["109868000", "3428000"],
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_frames_are_read_digit_by_digit(
    pusher: Pusher, recordings: Path, name: str
) -> None:
    frames = (recordings / name).read_bytes().splitlines()
    taken = max(json.loads(one)["timestamp"] for one in frames)
    stream = UpbitStream(WebSocket(pusher.url))
    stream.open(["KRW-BTC", "KRW-ETH"])
    pusher.wait_for(1)

    told: list[str] = []
    for one in frames:
        pusher.push(one)
        stream.listen(0.3, datetime.fromtimestamp(taken / 1000, UTC))
        told += prices(stream.take())
    stream.close()

    assert told == RECORDED[name]


def test_recorded_short_names_are_understood(pusher: Pusher, recordings: Path) -> None:
    """The page that shows this frame cut its end off; the row's own stamp is put back."""
    name = "ws_ticker_SIMPLE_LIST_2025-07-07_doc_truncated.json"
    text = (recordings / name).read_text("utf-8").strip()
    stamp = json.loads(text)[0]["ttms"]
    stream = UpbitStream(WebSocket(pusher.url))
    stream.open(["KRW-BTC"])
    pusher.wait_for(1)

    pusher.push(text.replace('"st":', f'"tms":{stamp},"st":'))
    stream.listen(0.3, datetime.fromtimestamp(stamp / 1000, UTC))
    (tick,) = stream.take().ticks
    stream.close()

    assert (tick.price, tick.open, tick.prev_close) == (148956000, 148500000, 148500000)
    assert (tick.change_rate, tick.turnover_today) == (0.0030707071, 16115868486.03173)
    assert tick.high_52w == 163325000
