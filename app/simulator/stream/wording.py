"""How a frame is worded: the fields of each type, their short names, formats, error objects."""

from app.simulator.wire import Literal, Row, to_json

FORMATS = ("DEFAULT", "SIMPLE", "JSON_LIST", "SIMPLE_LIST")
SNAPSHOT, REALTIME = "SNAPSHOT", "REALTIME"
STATUS = b'{"status":"UP"}'

#: The fields of each kind of frame in their order, with their names in the SIMPLE formats.
TICKER = {
    "type": "ty",
    "code": "cd",
    "opening_price": "op",
    "high_price": "hp",
    "low_price": "lp",
    "trade_price": "tp",
    "prev_closing_price": "pcp",
    "acc_trade_price": "atp",
    "change": "c",
    "change_price": "cp",
    "signed_change_price": "scp",
    "change_rate": "cr",
    "signed_change_rate": "scr",
    "ask_bid": "ab",
    "trade_volume": "tv",
    "acc_trade_volume": "atv",
    "trade_date": "tdt",
    "trade_time": "ttm",
    "trade_timestamp": "ttms",
    "acc_ask_volume": "aav",
    "acc_bid_volume": "abv",
    "highest_52_week_price": "h52wp",
    "highest_52_week_date": "h52wdt",
    "lowest_52_week_price": "l52wp",
    "lowest_52_week_date": "l52wdt",
    "market_state": "ms",
    "is_trading_suspended": "its",
    "delisting_date": "dd",
    "market_warning": "mw",
    "timestamp": "tms",
    "acc_trade_price_24h": "atp24h",
    "acc_trade_volume_24h": "atv24h",
    "stream_type": "st",
}
TRADE = {
    "type": "ty",
    "code": "cd",
    "timestamp": "tms",
    "trade_date": "td",
    "trade_time": "ttm",
    "trade_timestamp": "ttms",
    "trade_price": "tp",
    "trade_volume": "tv",
    "ask_bid": "ab",
    "prev_closing_price": "pcp",
    "change": "c",
    "change_price": "cp",
    "sequential_id": "sid",
    "best_ask_price": "bap",
    "best_ask_size": "bas",
    "best_bid_price": "bbp",
    "best_bid_size": "bbs",
    "stream_type": "st",
}
CANDLE = {
    "type": "ty",
    "code": "cd",
    "candle_date_time_utc": "cdttmu",
    "candle_date_time_kst": "cdttmk",
    "opening_price": "op",
    "high_price": "hp",
    "low_price": "lp",
    "trade_price": "tp",
    "candle_acc_trade_volume": "catv",
    "candle_acc_trade_price": "catp",
    "timestamp": "tms",
    "stream_type": "st",
}
_KEPT = frozenset({"type", "code", "stream_type"})
_SHORT = {"ticker": TICKER, "trade": TRADE}

ERRORS = {
    "WRONG_FORMAT": "요청 형식이 올바르지 않습니다.",
    "NO_TICKET": "ticket이 없습니다.",
    "NO_TYPE": "type이 없습니다.",
    "NO_CODES": "codes가 없습니다.",
    "INVALID_PARAM": "지원하지 않는 값입니다.",
    "INVALID_AUTH": "인증 정보가 올바르지 않습니다.",
    "TOO_MANY_REQUEST": "요청이 너무 많습니다.",
}


def frame(row: Row, form: str, notation: str) -> bytes:
    """One frame in one of FORMATS, its numbers in one of wire.NOTATIONS."""
    if form.startswith("SIMPLE"):
        short = _SHORT.get(str(row["type"]), CANDLE)
        worded: Row = {short.get(name, name): value for name, value in row.items()}
    else:
        worded = row
    text = to_json(worded, notation, place=str(row["code"]))
    return (f"[{text}]" if form.endswith("LIST") else text).encode()


def written(row: Row, notation: str) -> Row:
    """The row with its values as they will stand in the frame: written once, sent often."""
    code = str(row["code"])
    return {
        name: value if name in _KEPT else Literal(to_json(value, notation, place=f"{code}/{name}"))
        for name, value in row.items()
    }


def error(name: str) -> bytes:
    """An error object of one of ERRORS."""
    return to_json({"error": {"name": name, "message": ERRORS[name]}}).encode()
