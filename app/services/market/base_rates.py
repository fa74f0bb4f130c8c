"""Base rates from the days that we hold, remembered for a minute, anew for each finished day."""

import importlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, ColumnElement, select, type_coerce

from app.db import RememberedEach
from app.domain.base_rates import WINDOW_DAYS, BaseRate, Moves, last_finished, moves
from app.domain.market import CandleUnit
from app.domain.votes import Direction, Duration, Question
from app.extensions import db
from app.models import Coin, StoredCandle

if TYPE_CHECKING:
    from app.analysis.base_rates import Table

# Imported by name: the import statement would name `app` itself, and so tie all rooms into one.
analysis = importlib.import_module("app.analysis")
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


def all_base_rates(
    *, direction: Direction, range_pct: int, now: datetime
) -> dict[str, dict[Duration, tuple[int, int]]]:
    """Hits and windows of one range for every active coin, by code, and every duration."""
    codes, table = table_now.get(last_finished(now), now)
    way = list(Direction).index(direction)
    return {
        code: {
            duration: (
                int(table.hits[number, way, range_pct, place]),
                int(table.windows[number, place]),
            )
            for number, duration in enumerate(Duration)
        }
        for place, code in enumerate(codes)
    }


def _read_moves(key: tuple[int, date], _now: datetime) -> dict[Duration, Moves | None]:
    coin_id, last_day = key
    closes = _closes(coin_id, last_day)
    return {duration: moves(closes, duration, last_day) for duration in Duration}


def _closes(coin_id: int, last_day: date) -> dict[date, int]:
    """The closes of the last year by day, in counts of 1e-8 won."""
    rows = db.session.execute(
        select(StoredCandle.opened_at, type_coerce(StoredCandle.close, BigInteger)).where(
            StoredCandle.coin_id == coin_id, *_is_of_year(last_day)
        )
    )
    return {opened_at.date(): close for opened_at, close in rows}


def _is_of_year(last_day: date) -> tuple[ColumnElement[bool], ...]:
    newest = datetime.combine(last_day, time(), UTC)
    oldest = newest - timedelta(days=WINDOW_DAYS - 1)
    return StoredCandle.unit == CandleUnit.DAY, StoredCandle.opened_at.between(oldest, newest)


def _read_table(last_day: date, _now: datetime) -> tuple[tuple[str, ...], "Table"]:
    """The table of all active coins, in the order of their codes."""
    codes = tuple(db.session.scalars(select(Coin.code).where(Coin.is_active).order_by(Coin.code)))
    rows = db.session.execute(
        select(Coin.code, StoredCandle.opened_at, type_coerce(StoredCandle.close, BigInteger))
        .join(Coin, Coin.id == StoredCandle.coin_id)
        .where(Coin.is_active, *_is_of_year(last_day))
    )
    last = datetime.combine(last_day, time(), UTC)
    places = {code: place for place, code in enumerate(codes)}
    closes = (
        (WINDOW_DAYS - 1 - (last - opened_at).days, places[code], close)
        for code, opened_at, close in rows
    )
    count: Callable[..., Table] = analysis.base_rates.table_of_closes
    return codes, count(closes, coins=len(codes), last_day=last_day)


table_now = RememberedEach(_read_table, timedelta(minutes=10), most=2, heeds_writes=False)
moves_now = RememberedEach(_read_moves, _KEEP, heeds_writes=False)
