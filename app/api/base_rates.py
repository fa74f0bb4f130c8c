"""Base rates of all coins over JSON: which of them moved that far, and how often."""

from decimal import Decimal
from typing import Any, TypedDict

from flask import Response, request

from app.api.query import number
from app.api.room import room
from app.api.told import tells
from app.api.wire import cached
from app.clock import utcnow
from app.domain.base_rates import last_finished, share
from app.domain.votes import MAX_RANGE_PCT, Direction, Duration, question
from app.services import market

bp = room("base_rates")

_USUAL_RANGE = 5
_QUERY: dict[str, dict[str, Any]] = {
    "comment": {"enum": list(Direction), "default": Direction.UP},
    "range": {"type": "integer", "minimum": 1, "maximum": MAX_RANGE_PCT, "default": _USUAL_RANGE},
}


class RateOut(TypedDict):
    """In `base_rate_hits` of `base_rate_count` windows; `base_rate` is the share."""

    base_rate: Decimal
    base_rate_hits: int
    base_rate_count: int


class CoinRatesOut(TypedDict):
    """How often one coin moved that far within a day, a week, a month; null where unknown."""

    code: str
    day: RateOut | None
    week: RateOut | None
    month: RateOut | None


class BaseRatesOut(TypedDict):
    """What was counted, named as in votes, and over the year up to which day."""

    comment: Direction
    range: int
    until: str
    coins: list[CoinRatesOut]


@bp.get("/base-rates", strict_slashes=False)
@tells(
    {200: BaseRatesOut},
    codes={"direction_unknown": 400, "fall_too_large": 400, "number_out_of_bounds": 400},
    query=_QUERY,
)
def show() -> Response:
    """How often every coin moved at least so far in the last year, by the rule of votes."""
    now = utcnow()
    asked = question(
        direction=request.args.get("comment", Direction.UP),
        duration=Duration.DAY,
        range_pct=number("range", high=MAX_RANGE_PCT) or _USUAL_RANGE,
    )
    rates = market.all_base_rates(direction=asked.direction, range_pct=asked.range_pct, now=now)
    told: BaseRatesOut = {
        "comment": asked.direction,
        "range": asked.range_pct,
        "until": last_finished(now).isoformat(),
        "coins": [
            {
                "code": code,
                "day": _rate(*found[Duration.DAY]),
                "week": _rate(*found[Duration.WEEK]),
                "month": _rate(*found[Duration.MONTH]),
            }
            for code, found in rates.items()
        ],
    }
    return cached(told)


def _rate(hits: int, windows: int) -> RateOut | None:
    if not windows:
        return None
    return {
        "base_rate": share(hits, windows),
        "base_rate_hits": hits,
        "base_rate_count": windows,
    }
