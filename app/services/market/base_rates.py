"""Base rates from the days that we hold, remembered for a minute, anew for each finished day."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import BigInteger, select, type_coerce

from app.db import RememberedEach
from app.domain.base_rates import WINDOW_DAYS, BaseRate, Moves, last_finished, moves
from app.domain.market import CandleUnit
from app.domain.votes import Direction, Duration, Question
from app.extensions import db
from app.models import StoredCandle

_KEEP = timedelta(minutes=1)


def base_rate(*, coin_id: int, asked: Question, now: datetime) -> BaseRate | None:
    """How often in the last year this coin moved as far as is asked, or None if nothing is known.

    Counted from close to close by the rule that settles votes, over days that were finished at
    `now`; a coin with a short history has few windows.
    """
    found = moves_now.get((coin_id, last_finished(now)), now)[asked.duration]
    return found.rate(asked.direction, asked.range_pct) if found else None


def base_rates(
    *, coin_id: int, direction: Direction, range_pct: int, now: datetime
) -> dict[Duration, BaseRate]:
    """The base rates of one range for every duration; one without a window is absent."""
    found = moves_now.get((coin_id, last_finished(now)), now)
    return {
        duration: one.rate(direction, range_pct)
        for duration, one in found.items()
        if one is not None
    }


def _read_moves(key: tuple[int, date], _now: datetime) -> dict[Duration, Moves | None]:
    coin_id, last_day = key
    closes = _closes(coin_id, last_day)
    return {duration: moves(closes, duration, last_day) for duration in Duration}


def _closes(coin_id: int, last_day: date) -> dict[date, int]:
    """The closes of the last year by day, in counts of 1e-8 won."""
    newest = datetime.combine(last_day, time(), UTC)
    rows = db.session.execute(
        select(StoredCandle.opened_at, type_coerce(StoredCandle.close, BigInteger)).where(
            StoredCandle.coin_id == coin_id,
            StoredCandle.unit == CandleUnit.DAY,
            StoredCandle.opened_at.between(newest - timedelta(days=WINDOW_DAYS - 1), newest),
        )
    )
    return {opened_at.date(): close for opened_at, close in rows}


moves_now = RememberedEach(_read_moves, _KEEP, heeds_writes=False)
