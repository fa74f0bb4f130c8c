"""What a chart of a coin shows: finished candles, the one that still forms, a line of prices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

from sqlalchemy import select

from app.db import RememberedEach
from app.domain.candles import frame_start, put_together, stored_unit
from app.domain.market import Candle, CandleUnit
from app.extensions import db
from app.models import CandleSpan
from app.services.market.candles import candle_series
from app.services.market.catalogue import CatalogueCoin, price_series


@dataclass(frozen=True, slots=True)
class Chart:
    """Finished candles, oldest first, and the forming one where anything was traded in it.

    `is_complete` means that there are no more to come: all that were asked for are here, or the
    exchange has none that are older.
    """

    candles: tuple[Candle, ...]
    forming: Candle | None
    is_complete: bool


def coin_chart(*, coin: CatalogueCoin, frame: int, count: int, now: datetime) -> Chart:
    """The last `count` candles of `frame` minutes; the finished ones are up to a second old."""
    candles, is_complete = _finished.get((coin.id, frame, count), now)
    return Chart(candles, forming_candle(coin=coin, frame=frame, now=now), is_complete)


def forming_candle(*, coin: CatalogueCoin, frame: int, now: datetime) -> Candle | None:
    """The candle that isn't over, from all that is known of it; None without a trade in it.

    Shorter finished candles tell how it began and how far it went, the latest price where it is.
    Where those are missing it begins with the latest price. It decides nothing and is never stored.
    """
    start = frame_start(now, frame)
    if coin.price is None or coin.traded_at is None or coin.traded_at < start:
        return None
    parts = [one for one in _parts(coin, frame, now) if one.opened_at >= start]
    present = _at(coin, coin.price, max(start, frame_start(coin.traded_at, CandleUnit.MINUTE)))
    return put_together([*parts, present], frame)[-1]


def price_line(
    *, coin_id: int, since: datetime, until: datetime, points: int = 160
) -> list[tuple[datetime, Decimal]]:
    """Prices of a coin in a span, oldest first, thinned to about `points`.

    What we observed ourselves, and the closes of hours and days where we have these: a server that
    was switched off saw nothing, and what was observed long ago isn't kept.
    """
    found: dict[datetime, Decimal] = {}
    for unit in (CandleUnit.DAY, CandleUnit.HOUR):
        found |= _closes(coin_id, unit, since, until)
    found |= price_series(coin_id=coin_id, since=since, until=until, points=points)
    return _thinned(sorted(found.items()), points)


def _closes(
    coin_id: int, unit: CandleUnit, since: datetime, until: datetime
) -> Iterator[tuple[datetime, Decimal]]:
    """The closes that fall into a span, each at the end of its candle."""
    count = (until - since) // unit.length + 1
    for candle in candle_series(coin_id=coin_id, frame=unit, until=until, count=count):
        end = candle.opened_at + unit.length
        if end > since:
            yield end, candle.close


def _thinned(
    line: Sequence[tuple[datetime, Decimal]], points: int
) -> list[tuple[datetime, Decimal]]:
    step = max(1, len(line) // points)
    last = line[-1:] if (len(line) - 1) % step else []
    return list(chain(line[::step], last))


def _read_finished(key: tuple[int, int, int], now: datetime) -> tuple[tuple[Candle, ...], bool]:
    coin_id, frame, count = key
    candles = candle_series(coin_id=coin_id, frame=frame, until=now, count=count)
    return tuple(candles), len(candles) == count or _reaches_start(coin_id, frame)


_finished = RememberedEach(_read_finished, timedelta(seconds=1))


def _reaches_start(coin_id: int, frame: int) -> bool:
    span = select(CandleSpan.reaches_start).where(
        CandleSpan.coin_id == coin_id, CandleSpan.unit == stored_unit(frame)
    )
    return bool(db.session.scalar(span))


def _parts(coin: CatalogueCoin, frame: int, now: datetime) -> Iterator[Candle]:
    """Shorter candles of the present one, oldest first; of days the exchange tells today's own."""
    if frame >= CandleUnit.DAY:
        yield from _series(coin, CandleUnit.DAY, frame, now)
        yield from _today(coin, now)
        return
    hours = list(_series(coin, CandleUnit.HOUR, frame, now))
    yield from hours
    for minute in _series(coin, CandleUnit.MINUTE, min(frame, CandleUnit.HOUR), now):
        if not hours or minute.opened_at >= hours[-1].opened_at + CandleUnit.HOUR.length:
            yield minute


def _series(coin: CatalogueCoin, unit: CandleUnit, frame: int, now: datetime) -> list[Candle]:
    """The finished candles of a unit that a frame has room for, none where it has not."""
    count = frame // unit - (frame == unit)
    if not count:
        return []
    return candle_series(coin_id=coin.id, frame=unit, until=now, count=count)


def _today(coin: CatalogueCoin, now: datetime) -> Iterator[Candle]:
    """The day so far in the exchange's own words, if these are of today."""
    start = frame_start(now, CandleUnit.DAY)
    if (
        coin.price is None
        or coin.open is None
        or coin.high is None
        or coin.low is None
        or coin.traded_at is None
        or coin.traded_at < start
    ):
        return
    today = _at(coin, coin.open, start)
    yield replace(today, high=coin.high, low=coin.low, close=coin.price)


def _at(coin: CatalogueCoin, price: Decimal, opened_at: datetime) -> Candle:
    return Candle(f"KRW-{coin.code}", opened_at, price, price, price, price)
