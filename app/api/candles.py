"""Candles of a coin over JSON, as charts draw them."""

from decimal import Decimal
from functools import partial
from typing import Any, TypedDict

from flask import Response, request

from app.afterwards import afterwards
from app.api.query import number
from app.api.room import room
from app.api.told import tells
from app.api.wire import cached
from app.clock import utcnow
from app.domain.errors import InvalidInput, NotFound
from app.domain.frames import FRAMES, USUAL_FRAME
from app.domain.market import Candle
from app.services import market

bp = room("candles")

MOST = 500
_USUAL = 200
_QUERY: dict[str, dict[str, Any]] = {
    "frame": {"enum": list(FRAMES), "default": USUAL_FRAME},
    "count": {"type": "integer", "minimum": 1, "maximum": MOST, "default": _USUAL},
}


class CandlesOut(TypedDict):
    """Finished candles, oldest first: `[opened_at, open, high, low, close, volume]`.

    Times are in seconds since 1970; where nothing was traded there is no candle. `forming` isn't
    over yet and has no volume: `[opened_at, open, high, low, close]`. `complete` is false while
    older ones are still to be had.
    """

    code: str
    frame: str
    candles: list[list[int | Decimal | float]]
    forming: list[int | Decimal] | None
    complete: bool


@bp.get("/coins/<code>/candles", strict_slashes=False)
@tells(
    {200: CandlesOut},
    codes={"not_found": 404, "frame_unknown": 400, "number_out_of_bounds": 400},
    query=_QUERY,
)
def show(code: str) -> Response:
    """Candles of one coin; asking has the server keep them up to date for a while."""
    now, name = utcnow(), request.args.get("frame", USUAL_FRAME)
    count = number("count", high=MOST) or _USUAL
    if name not in FRAMES:
        raise InvalidInput("frame", "frame_unknown")
    frame = FRAMES[name]
    coin = market.find_coin(code, now)
    if coin is None:
        raise NotFound
    chart = market.coin_chart(coin=coin, frame=frame, count=count, now=now)
    told: CandlesOut = {
        "code": coin.code,
        "frame": name,
        "candles": [[*_prices(one), one.volume] for one in chart.candles],
        "forming": _prices(chart.forming) if chart.forming else None,
        "complete": chart.is_complete,
    }
    look = partial(market.look_at_candles, coin_id=coin.id, frame=frame, now=now)
    return afterwards(cached(told), look)


def _prices(candle: Candle) -> list[int | Decimal]:
    opened_at = int(candle.opened_at.timestamp())
    return [opened_at, candle.open, candle.high, candle.low, candle.close]
