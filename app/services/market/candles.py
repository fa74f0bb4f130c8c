"""Candles as pages, charts and the desk read them, and the wish to keep them up to date."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, column, func, literal, select, values

from app.db import Remembered, UtcDateTime, table_of, transaction, upsert
from app.domain.candles import Known, finished_until, frame_start, put_together, stored_unit
from app.domain.market import Candle, CandleUnit
from app.extensions import db
from app.models import CandleSpan, CandleWish, Coin, StoredCandle

#: A wish is noted again only when the last note is older than this.
NOTE_EVERY = timedelta(minutes=1)
LINE_DAYS = 7
LINE_POINTS = 28
_LINE_STEP = timedelta(days=LINE_DAYS) / LINE_POINTS

_COLUMNS = (
    Coin.market,
    StoredCandle.opened_at,
    StoredCandle.open,
    StoredCandle.high,
    StoredCandle.low,
    StoredCandle.close,
    StoredCandle.volume,
    StoredCandle.turnover,
)


def candle_series(*, coin_id: int, frame: int, until: datetime, count: int) -> list[Candle]:
    """The last `count` candles of `frame` minutes that were over by `until`, oldest first.

    Only what is known whole: a candle is put together from shorter ones when all of these are
    known, and one that is still forming is never shown. A time without trades has no candle.
    ValueError for a frame that isn't among `FRAMES`.
    """
    unit = stored_unit(frame)
    parts = frame // unit
    if parts == 1:
        return _last(coin_id, unit, until, count)
    known = known_stretch(coin_id=coin_id, unit=unit)
    if known is None:
        return []
    end = frame_start(min(until, known.until), frame)
    shorter = _last(coin_id, unit, end, (count + 1) * parts)
    whole = [one for one in shorter if known.holds(frame_start(one.opened_at, frame), end)]
    return put_together(whole, frame)[-count:]


def known_stretch(*, coin_id: int, unit: CandleUnit) -> Known | None:
    """The time in which every candle is known, also that there is none; None where nothing is."""
    row = db.session.execute(
        select(CandleSpan.known_from, CandleSpan.known_until, CandleSpan.reaches_start).where(
            CandleSpan.coin_id == coin_id, CandleSpan.unit == unit
        )
    ).first()
    return Known(*row) if row else None


def want_candles(*, coin_id: int, unit: CandleUnit, now: datetime) -> None:
    """Note that somebody looks at these candles; the leader then keeps them up to date.

    Written at most once a minute for each coin and unit.
    """
    noted = db.session.scalar(
        select(CandleWish.wanted_at).where(CandleWish.coin_id == coin_id, CandleWish.unit == unit)
    )
    if noted is not None and now - noted < NOTE_EVERY:
        return
    with transaction() as session:
        statement = upsert(table_of(CandleWish))
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["coin_id", "unit"],
                set_={"wanted_at": statement.excluded.wanted_at},
            ),
            {"coin_id": coin_id, "unit": unit, "wanted_at": now},
        )


def week_lines(now: datetime) -> dict[int, tuple[Decimal, ...]]:
    """A week of each active coin in at most 28 closes, oldest first; up to a minute old.

    Where nothing was traded the last close goes on. A coin without hours of that week is absent.
    """
    return lines_now.get(now)


def last_finished_day(now: datetime) -> dict[int, Candle]:
    """The newest finished day that we hold of each active coin; up to a minute old."""
    return days_now.get(now)


def _last(coin_id: int, unit: CandleUnit, until: datetime, count: int) -> list[Candle]:
    rows = db.session.execute(
        select_candles()
        .where(
            StoredCandle.coin_id == coin_id,
            StoredCandle.unit == unit,
            StoredCandle.opened_at <= until - unit.length,
        )
        .order_by(StoredCandle.opened_at.desc())
        .limit(count)
    ).all()
    return [to_candle(row) for row in reversed(rows)]


def select_candles() -> Select[*tuple[Any, ...]]:
    """The query behind all that is read of candles; add filters and an order."""
    return select(*_COLUMNS).join(Coin, Coin.id == StoredCandle.coin_id)


def to_candle(row: Sequence[Any]) -> Candle:
    """A row of `select_candles` as a value."""
    market, opened_at, first, high, low, close, volume, turnover = row
    return Candle(market, opened_at, first, high, low, close, "", volume, turnover)


def _read_lines(now: datetime) -> dict[int, tuple[Decimal, ...]]:
    """The last close before each of 28 moments of every coin, each found by the primary key."""
    last = frame_start(now, CandleUnit.HOUR)
    ends = [last - _LINE_STEP * back for back in range(LINE_POINTS - 1, -1, -1)]
    moments = values(column("moment", UtcDateTime), name="moments").data([(end,) for end in ends])
    moment = moments.cte("moments").c.moment
    close = (
        select(StoredCandle.close)
        .where(
            StoredCandle.coin_id == Coin.id,
            StoredCandle.unit == CandleUnit.HOUR,
            StoredCandle.opened_at >= ends[0] - _LINE_STEP,
            StoredCandle.opened_at < moment,
        )
        .order_by(StoredCandle.opened_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    lines: dict[int, list[Decimal]] = {}
    for coin_id, price in db.session.execute(
        select(Coin.id, close)
        .join(moment.table, literal(True))
        .where(Coin.is_active)
        .order_by(Coin.id, moment)
    ):
        if price is not None:
            lines.setdefault(coin_id, []).append(price)
    return {coin_id: tuple(line) for coin_id, line in lines.items()}


def _read_days(now: datetime) -> dict[int, Candle]:
    newest = (
        select(func.max(StoredCandle.opened_at))
        .where(
            StoredCandle.coin_id == Coin.id,
            StoredCandle.unit == CandleUnit.DAY,
            StoredCandle.opened_at < finished_until(now, CandleUnit.DAY),
        )
        .correlate(Coin)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select_candles()
        .add_columns(Coin.id)
        .where(
            Coin.is_active,
            StoredCandle.unit == CandleUnit.DAY,
            StoredCandle.opened_at == newest,
        )
    )
    return {row[-1]: to_candle(row[:-1]) for row in rows}


lines_now = Remembered(_read_lines, NOTE_EVERY)
days_now = Remembered(_read_days, NOTE_EVERY)
