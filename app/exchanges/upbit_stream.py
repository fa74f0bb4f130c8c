"""Upbit's stream of tickers: what we subscribe to, and what we believe of the frames."""

import json
import secrets
from bisect import insort
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from app.clock import monotonic
from app.domain.market import LARGEST_LAG, Ticker
from app.domain.money import BadPrice
from app.exchanges.base import Heard, RateLimited, Unavailable
from app.exchanges.upbit import read_ticker
from app.exchanges.websocket import WebSocket
from app.exchanges.wire import BadField, Row, decode

#: Markets per type object of a request; all objects together are the one set that holds.
CHUNK = 100
#: Of one market so many frames wait to be read, should the newest not hold.
_MOST_KEPT = 4
_QUIET_S = 10.0
_DIGITS = 13  # milliseconds since 1970, until the year 2286
#: What we read of a frame, by its short and its long names; the long ones are the snapshots', too.
_SHORT = {
    "ty": "type",
    "cd": "code",
    "tp": "trade_price",
    "op": "opening_price",
    "hp": "high_price",
    "lp": "low_price",
    "pcp": "prev_closing_price",
    "scr": "signed_change_rate",
    "atp": "acc_trade_price",
    "atp24h": "acc_trade_price_24h",
    "h52wp": "highest_52_week_price",
    "l52wp": "lowest_52_week_price",
    "ttms": "trade_timestamp",
    "tms": "timestamp",
}
_NAMES = _SHORT | {name: name for name in _SHORT.values()}
#: Orders ticks: the trade's moment and then the row's own, as digits.
Order = bytes
_Kept = tuple[Order, bytes | dict[str, Any]]


class UpbitStream:
    """The tickers that Upbit pushes, as `base.PriceStream`. For one thread.

    Frames come in thousands, but only the newest of a market counts: of each one just the market
    and the stamps are looked up in the raw bytes, and the newest alone is read when it is taken.
    Nothing is believed by that look; a frame that doesn't hold when read gives way to the one
    before it. Memory is bounded by the number of markets followed.
    """

    def __init__(self, line: WebSocket) -> None:
        self._line = line
        self._followed: frozenset[bytes] = frozenset()
        self._waiting: dict[bytes, list[_Kept]] = {}
        self._told: dict[bytes, Order] = {}
        self._refused = 0
        self._example = ""

    def open(self, markets: Collection[str]) -> None:
        """Connect and subscribe. What was told on an earlier line isn't told again."""
        self._line.open()
        self.follow(markets)

    def follow(self, markets: Collection[str]) -> None:
        """Subscribe to this set in place of the one before."""
        self._followed = frozenset(market.encode() for market in markets)
        for kept in (self._waiting, self._told):
            for market in kept.keys() - self._followed:
                del kept[market]
        self._line.send(json.dumps(_request(sorted(markets))))

    def listen(self, seconds: float, now: datetime) -> None:
        """Take in what comes within this time. Frames stamped later than a clock can be off are
        refused, so that none of them hides the true ones."""
        until = monotonic() + seconds
        latest = _digits(now + LARGEST_LAG + timedelta(seconds=seconds))
        while (left := until - monotonic()) > 0:
            frame = self._line.receive(left)
            if frame is None:
                return
            self._add(frame, latest)

    def take(self) -> Heard:
        """The newest tick of each market since the last time, where it is newer than the last."""
        ticks = []
        for market, frames in self._waiting.items():
            found = self._newest(market, frames)
            if found is not None:
                ticks.append(found)
        self._waiting.clear()
        heard = Heard(tuple(ticks), self._refused, self._example)
        self._refused, self._example = 0, ""
        return heard

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _add(self, frame: bytes, latest: bytes) -> None:
        seen = _glance(frame)
        if seen is not None:
            self._keep(*seen, frame, latest)
            return
        for found in _parts(frame):
            try:
                row = _row(found)
                if row:
                    self._keep(row["code"].encode(), _order(row), row, latest)
            except BadField as error:
                self._refuse("?", error)

    def _keep(
        self, market: bytes, order: Order, frame: bytes | dict[str, Any], latest: bytes
    ) -> None:
        if market not in self._followed or order <= self._told.get(market, b""):
            return
        if order[:_DIGITS] > latest or order[_DIGITS:] > latest:
            self._refuse(market.decode(), BadField("stamped in the future"))
            return
        frames = self._waiting.setdefault(market, [])
        if not frames or order > frames[-1][0]:
            frames.append((order, frame))
        elif all(frame != kept for _, kept in frames):
            insort(frames, (order, frame), key=lambda one: one[0])
        if len(frames) > _MOST_KEPT:
            del frames[0]

    def _newest(self, market: bytes, frames: list[_Kept]) -> Ticker | None:
        for order, frame in reversed(frames):
            try:
                ticker = _read(market, order, frame)
            except (BadField, BadPrice) as error:
                self._refuse(market.decode(), error)
                continue
            self._told[market] = order
            return ticker
        return None

    def _refuse(self, market: str, error: Exception) -> None:
        self._refused += 1
        self._example = f"{market}: {error}"[:200]


def _request(markets: list[str]) -> list[dict[str, Any]]:
    """One message, for each replaces the whole subscription."""
    parts: list[dict[str, Any]] = [{"ticket": secrets.token_hex(8)}]
    rest = iter(markets)
    while codes := list(islice(rest, CHUNK)):
        parts.append({"type": "ticker", "codes": codes})
    return [*parts, {"format": "DEFAULT"}]


def _glance(frame: bytes) -> tuple[bytes, Order] | None:
    """Market and order of a ticker frame as it usually looks; None for one to be read at once."""
    code = frame.find(b'"code":"') + 8
    traded = frame.find(b'"trade_timestamp":') + 18
    stamped = frame.find(b'"timestamp":') + 12
    order = frame[traded : traded + _DIGITS] + frame[stamped : stamped + _DIGITS]
    usual = frame.startswith(b'{"type":"ticker"') and code > 7 and traded > 17 and stamped > 11
    if not usual or len(order) != 2 * _DIGITS or not order.isdigit():
        return None
    return frame[code : frame.find(b'"', code)], order


def _parts(frame: bytes) -> list[object]:
    """What a frame holds, in a list or not; what can't be read at all is a part of its own."""
    try:
        found = decode(frame.decode())
    except (UnicodeDecodeError, Unavailable):
        found = frame
    return found if isinstance(found, list) else [found]


def _row(found: object) -> dict[str, Any] | None:
    """A ticker row under its long names, None for a mere sign of life.

    Raises BadField for what is no ticker, and what an error object means.
    """
    if not isinstance(found, dict):
        raise BadField(f"no object: {found!r:.60}")
    row = {_NAMES[name]: value for name, value in found.items() if name in _NAMES}
    if "type" not in row and "error" in found:
        raise _refusal(found["error"])
    if "type" not in row and "status" in found:  # the answer to a text PING
        return None
    code = row.get("code")
    if row.get("type") != "ticker" or not isinstance(code, str) or not code.isascii():
        raise BadField(f"no ticker: {row.get('type')!r:.40} of {code!r:.40}")
    return row


def _refusal(error: object) -> Unavailable:
    name = error.get("name") if isinstance(error, dict) else error
    told = f"stream refused: {name!s:.60}"
    return RateLimited(told, _QUIET_S) if name == "TOO_MANY_REQUEST" else Unavailable(told)


def _order(row: Row) -> Order:
    return b"%013d%013d" % (_stamp(row, "trade_timestamp"), _stamp(row, "timestamp"))


def _stamp(row: Row, key: str) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**_DIGITS:
        raise BadField(f"{key} is no stamp")
    return value


def _read(market: bytes, order: Order, frame: bytes | dict[str, Any]) -> Ticker:
    """The ticker in a frame, which must be what it looked like."""
    row = frame if isinstance(frame, dict) else _row(_parts(frame)[0])
    if row is None or row["code"] != market.decode() or _order(row) != order:
        raise BadField("contradicts itself")
    return read_ticker(row["code"], row)


def _digits(moment: datetime) -> bytes:
    return b"%013d" % int(moment.timestamp() * 1000)
