"""The quotation endpoints: which paths there are, what they ask for and how they refuse."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from app.simulator.desk.amounts import floor8
from app.simulator.rows import MINUTE_UNITS
from app.simulator.ticks import from_units, tick, to_units
from app.simulator.wire import Row
from app.simulator.world import UnknownCode, to_ms

MOST_CANDLES = 200
UNKNOWN = ("404", "missing", "empty")
_QUOTES = frozenset({"KRW", "BTC", "USDT"})
_TO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?")
_COUNT = re.compile(r"-?\d{1,9}")
_TRUTH = {"true": True, "false": False, "": False}
_MINUTES = "/v1/candles/minutes/"
BOOK = "/v1/orderbook"
_INSTRUMENTS = f"{BOOK}/instruments"
_STEPS_OF_BOOK = 30
#: Each step of a book holds this share of a day's turnover: coins that hardly trade have thin ones.
_DEPTH = Decimal("0.0002")

NEEDED = "Missing request parameter error. Check the required parameters!"
MISTYPED = "Type mismatch error. Check the parameters type!"
INVALID = "Invalid parameter. Check the given value!"
BAD_UNIT = "specified unit is not valid."
NOT_FOUND = "Code not found"

Query = Mapping[str, str]


class Refused(Exception):
    """A request the exchange answers with an error body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Source(Protocol):
    """Where the answers come from: an invented exchange or a recorded one."""

    def markets(self, *, details: bool, now: datetime) -> list[Row]:
        """Rows of the market list."""

    def tickers(self, quotes: list[str], now: datetime) -> list[Row]:
        """Tickers by quote currency."""

    def ticker(self, code: str, now: datetime) -> Row | None:
        """One ticker, None before the first trade; UnknownCode."""

    def candles(
        self, code: str, span: int | None, before: datetime, count: int, now: datetime
    ) -> list[Row]:
        """Candles of `span` minutes (None: a day), newest first; UnknownCode."""


def group_of(path: str) -> str | None:
    """The rate-limit group of a path, or None where there is no endpoint."""
    if path == "/v1/market/all":
        return "market"
    if path in {"/v1/ticker", "/v1/ticker/all"}:
        return "ticker"
    if path in {BOOK, _INSTRUMENTS}:
        return "orderbook"
    if path == "/v1/candles/days" or path.startswith(_MINUTES):
        return "candles"
    return None


def answer(source: Source, path: str, query: Query, now: datetime, unknown: str) -> list[Row]:
    """The rows a path answers with, or Refused. `unknown` is one of UNKNOWN: what a ticker request
    with an unknown code gets (404 for all, that row missing, nothing at all)."""
    try:
        if path == "/v1/market/all":
            return source.markets(details=_details(query), now=now)
        if path == "/v1/ticker/all":
            return source.tickers(_quotes(query), now)
        if path == "/v1/ticker":
            return _tickers(source, query, now, unknown)
        if path == BOOK:
            return [_book(row, now) for row in _tickers(source, query, now, unknown)]
        if path == _INSTRUMENTS:
            return [_instrument(row) for row in _tickers(source, query, now, unknown)]
        return _candles(source, path, query, now)
    except UnknownCode as error:
        raise Refused(404, NOT_FOUND) from error


def _needed(query: Query, name: str) -> str:
    text = query.get(name, "").strip()
    if not text:
        raise Refused(400, NEEDED)
    return text


def _details(query: Query) -> bool:
    text = query.get("is_details", query.get("isDetails", "false")).lower()
    if text not in _TRUTH:
        raise Refused(400, MISTYPED)
    return _TRUTH[text]


def _quotes(query: Query) -> list[str]:
    quotes = _needed(query, "quote_currencies").split(",")
    if not _QUOTES.issuperset(quotes):
        raise Refused(400, INVALID)
    return quotes


def _tickers(source: Source, query: Query, now: datetime, unknown: str) -> list[Row]:
    rows = []
    for code in dict.fromkeys(_needed(query, "markets").split(",")):
        try:
            row = source.ticker(code, now)
        except UnknownCode:
            if unknown == "404":
                raise
            if unknown == "empty":
                return []
            continue
        if row is not None:
            rows.append(row)
    return rows


def _candles(source: Source, path: str, query: Query, now: datetime) -> list[Row]:
    span = None if path == "/v1/candles/days" else _span(path.removeprefix(_MINUTES))
    code = _needed(query, "market")
    before, count = _to(query, now), _count(query)
    rows = source.candles(code, span, before, count, now)
    if span is None and "converting_price_unit" in query:
        return [row | {"converted_trade_price": _in_won(row, query)} for row in rows]
    return rows


def _in_won(row: Row, query: Query) -> object:
    if query["converting_price_unit"] != "KRW":
        raise Refused(400, INVALID)
    return row["trade_price"] if str(row["market"]).startswith("KRW-") else None


def _book(ticker: Row, now: datetime) -> Row:
    """Thirty steps either way of the last price, at which the cheapest coins are for sale."""
    price = Decimal(str(ticker["trade_price"]))
    step = _step(ticker)
    size = floor8(Decimal(str(ticker["acc_trade_price_24h"])) * _DEPTH / price)
    bids = [price - step * number for number in range(1, _STEPS_OF_BOOK + 1)]
    units = [
        {
            "ask_price": price + step * number,
            "bid_price": max(bid, Decimal(0)),
            "ask_size": size,
            "bid_size": size if bid > 0 else Decimal(0),
        }
        for number, bid in enumerate(bids)
    ]
    return {
        "market": ticker["market"],
        "timestamp": to_ms(now),
        "total_ask_size": size * len(units),
        "total_bid_size": sum(Decimal(str(unit["bid_size"])) for unit in units),
        "orderbook_units": units,
        "level": 0,
    }


def _step(ticker: Row) -> Decimal:
    quote = str(ticker["market"]).split("-")[0]
    return from_units(tick(quote, to_units(ticker["trade_price"])))


def _instrument(ticker: Row) -> Row:
    market = str(ticker["market"])
    quote = market.split("-")[0]
    step = _step(ticker)
    plain = f"{step:f}"
    return {
        "market": market,
        "quote_currency": quote,
        "tick_size": plain.rstrip("0").rstrip(".") if "." in plain else plain,
        "supported_levels": ["0"],
    }


def _span(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise Refused(400, MISTYPED)
    if len(text) > 3 or int(text) not in MINUTE_UNITS:
        raise Refused(400, BAD_UNIT)
    return int(text)


def _count(query: Query) -> int:
    text = query.get("count", "") or "1"
    if not _COUNT.fullmatch(text):
        raise Refused(400, MISTYPED)
    if not 1 <= int(text) <= MOST_CANDLES:
        raise Refused(400, INVALID)
    return int(text)


def _to(query: Query, now: datetime) -> datetime:
    text = query.get("to", "")
    if not text:
        return now
    if not _TO.fullmatch(text):
        raise Refused(400, INVALID)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(400, INVALID) from error
