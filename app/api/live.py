"""The live board over JSON: asked for every second by everybody, written once per change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict
from weakref import WeakKeyDictionary

from flask import Response, request

from app.api.room import room
from app.api.told import tells
from app.api.wire import etag_of, exact, utc_text
from app.clock import utcnow
from app.domain.errors import InvalidInput
from app.domain.market import FeedSource
from app.extensions import limiter
from app.services import market
from app.services.market import CatalogueCoin, LiveBoard

bp = room("live")

MOST_CODES = 100
#: Selections kept beside a board; who asks for yet another one gets it written anew.
_MOST_KEPT = 200
#: A hundred codes; an address can have 200 KB, and nobody needs to remember such ones.
_LONGEST_KEPT = 2_100
_CODE = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)
_TOP = "top20"
_QUERY: dict[str, dict[str, Any]] = {
    "codes": {"type": "string", "description": f"codes, at most {MOST_CODES}, parted by commas"},
    "board": {"enum": [_TOP]},
}


class LiveOut(TypedDict):
    """Prices of this moment, by turnover.

    A coin is `[code, price, prev_close, change_rate, turnover_24h, low, high, traded_at, seen_at]`:
    its last trade, and when the exchange was last heard of it, in seconds since 1970. What it
    didn't say is null.
    """

    as_of: str | None
    age_s: float | None
    source: FeedSource
    coins: list[list[str | Decimal | float | int | None]]


@dataclass(frozen=True, slots=True)
class _Written:
    """A selection of a board as JSON, but for the age, which goes between head and tail."""

    head: bytes
    tail: bytes
    etag: str


_written: WeakKeyDictionary[LiveBoard, dict[bytes, _Written]] = WeakKeyDictionary()


@bp.get("/live", strict_slashes=False)
@tells(
    {200: LiveOut},
    codes={"board_unknown": 400, "codes_invalid": 400},
    query=_QUERY,
)
@limiter.exempt
def show() -> Response:
    """All active coins, the named ones, or the twenty with the largest turnover.

    The ETag stands for everything but `age_s`: an empty 304 says that nothing was traded since.
    """
    now = utcnow()
    board = market.live_board(now)
    found = _kept(board)
    if request.if_none_match.contains_weak(found.etag):
        return _marked(Response(status=304), found.etag)
    age = b"null" if board.as_of is None else b"%.1f" % (board.age_s(now) or 0.0)
    text = b"".join((found.head, age, found.tail))
    return _marked(Response(text, mimetype="application/json"), found.etag)


def _kept(board: LiveBoard) -> _Written:
    """What was written for this selection of this board already, or is now."""
    kept = _written.setdefault(board, {})
    key = request.query_string
    found = kept.get(key)
    if found is None:
        found = _write(board, _selected(board))
        if len(kept) < _MOST_KEPT and len(key) <= _LONGEST_KEPT:
            kept[key] = found
    return found


def _selected(board: LiveBoard) -> Sequence[CatalogueCoin]:
    named, asked = request.args.get("board"), request.args.get("codes")
    if named not in (None, _TOP):
        raise InvalidInput("board", "board_unknown")
    if asked is None:
        return board.top if named else board.coins
    codes = asked.split(",", MOST_CODES)
    if len(codes) > MOST_CODES or not all(map(_CODE.fullmatch, codes)):
        raise InvalidInput("codes", "codes_invalid", high=MOST_CODES)
    return board.pick(codes)


def _write(board: LiveBoard, coins: Sequence[CatalogueCoin]) -> _Written:
    as_of, source = exact(utc_text(board.as_of)), exact(board.source)
    head = f'{{"as_of":{as_of},"age_s":'
    tail = f',"source":{source},"coins":{exact([_row(coin) for coin in coins])}}}'
    return _Written(head.encode(), tail.encode(), etag_of(head + tail))


def _row(coin: CatalogueCoin) -> list[str | Decimal | float | int | None]:
    return [
        coin.code,
        coin.price,
        coin.prev_close,
        coin.change_rate,
        coin.turnover_24h,
        coin.low,
        coin.high,
        _seconds(coin.traded_at),
        _seconds(coin.observed_at),
    ]


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _marked(response: Response, etag: str) -> Response:
    """Anybody's answer: nothing of the person who asks is in it."""
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(etag, weak=True)
    return response
