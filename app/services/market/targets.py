"""Which candles are wanted, and how far they are known."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from app.domain.candles import Ask, Known, calls_left, finished_until, frame_start, next_ask
from app.domain.market import FRESH_FOR, CandleUnit
from app.extensions import db
from app.models import CandleSpan, CandleWish, Coin, Quote, StoredCandle, Vote

#: A year for the base rates, and a month more than their longest window needs.
KEEP_DAYS = 400
#: So long after somebody looked, candles are kept up to date.
WISH_HOLDS = timedelta(minutes=15)
#: Minutes that nobody looks at are asked for a quarter of an hour at a time.
UNWATCHED_PORTION = 15
_QUIET = {CandleUnit.HOUR: timedelta(days=8), CandleUnit.MINUTE: timedelta(0)}
_BUSY = {CandleUnit.HOUR: timedelta(days=30), CandleUnit.MINUTE: timedelta(days=1)}
_RANKS = {CandleUnit.DAY: 1, CandleUnit.HOUR: 2, CandleUnit.MINUTE: 3}


@dataclass(frozen=True, slots=True)
class Target:
    """Candles that are wanted: of one coin and unit, from one moment to another; small rank first.

    `waits_until` is set where they could not be had and were pushed ahead.
    """

    rank: int
    coin_id: int
    code: str
    market: str
    unit: CandleUnit
    wanted_from: datetime
    end: datetime
    known: Known | None = None
    waits_until: datetime | None = None

    @property
    def ask(self) -> Ask | None:
        """What to ask the exchange next; None when all is known."""
        return next_ask(self.known, unit=self.unit, wanted_from=self.wanted_from, end=self.end)

    def is_due(self, now: datetime) -> bool:
        """Whether something is to be asked, and may be by now."""
        waits = self.waits_until is not None and now < self.waits_until
        return not waits and self.ask is not None

    @property
    def calls_left(self) -> int:
        """How many calls it takes at most until all is known."""
        return calls_left(self.known, unit=self.unit, wanted_from=self.wanted_from, end=self.end)


def candle_targets(
    *, now: datetime, days: int = KEEP_DAYS, codes: Collection[str] | None = None
) -> list[Target]:
    """All candles that should be known of active coins, known or not, the most urgent first.

    Of every coin the days and a week of hours; of one that somebody looks at or votes on also a
    month of hours and a day of minutes. What is looked at comes first, then days, hours, minutes.
    """
    needs, spans = _Needs(_watched(now), _voted(), days, _present(now)), _spans()
    targets = [
        replace(target, known=known, waits_until=waits_until)
        for coin in _active_coins(codes)
        for target in _wanted_of(coin, needs)
        for known, waits_until in [spans.get((target.coin_id, target.unit), (None, None))]
    ]
    return sorted(targets, key=lambda target: target.rank)


def watched_codes(now: datetime) -> set[str]:
    """Coins whose candles somebody looks at."""
    rows = select(Coin.code).join(CandleWish, CandleWish.coin_id == Coin.id)
    return set(
        db.session.scalars(rows.where(Coin.is_active, CandleWish.wanted_at > now - WISH_HOLDS))
    )


def _active_coins(codes: Collection[str] | None) -> Sequence[Any]:
    coins = select(Coin.id, Coin.code, Coin.market).where(Coin.is_active).order_by(Coin.id)
    return db.session.execute(coins if codes is None else coins.where(Coin.code.in_(codes))).all()


def _watched(now: datetime) -> set[tuple[int, int]]:
    """What somebody looks at, as coin and unit."""
    recent = CandleWish.wanted_at > now - WISH_HOLDS
    rows = db.session.execute(select(CandleWish.coin_id, CandleWish.unit).where(recent))
    return {(coin_id, unit) for coin_id, unit in rows}


def _voted() -> set[int]:
    """Coins on which a vote runs or waits for its result."""
    return set(db.session.scalars(select(Vote.coin_id).where(Vote.stage < 2).distinct()))


def _present(now: datetime) -> datetime:
    """The present, but not much later than the exchange's own: a clock that is fast must not take
    a candle for finished that still forms there."""
    seen = db.session.scalar(select(func.max(Quote.observed_at)))
    return now if seen is None else min(now, seen + FRESH_FOR)


def _spans() -> dict[tuple[int, int], tuple[Known, datetime | None]]:
    rows = db.session.execute(
        select(
            CandleSpan.coin_id,
            CandleSpan.unit,
            CandleSpan.known_from,
            CandleSpan.known_until,
            CandleSpan.reaches_start,
            _newest(),
            CandleSpan.retry_at,
        )
    )
    return {(row[0], row[1]): (Known(*row[2:6]), row[6]) for row in rows}


def _newest() -> ScalarSelect[datetime]:
    """When the newest candle of a span opened."""
    return (
        select(func.max(StoredCandle.opened_at))
        .where(StoredCandle.coin_id == CandleSpan.coin_id, StoredCandle.unit == CandleSpan.unit)
        .correlate(CandleSpan)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class _Needs:
    """What is looked at, which coins are voted on, how many days are wanted, and until when."""

    watched: Collection[tuple[int, int]]
    voted: Collection[int]
    days: int
    present: datetime


def _wanted_of(coin: Any, needs: _Needs) -> Iterator[Target]:
    """What should be known of one coin."""
    for unit, rank in _RANKS.items():
        is_watched = (coin.id, unit) in needs.watched
        lengths = _BUSY if is_watched or coin.id in needs.voted else _QUIET
        length = lengths.get(unit, timedelta(days=needs.days))
        end = finished_until(needs.present, unit)
        if unit is CandleUnit.MINUTE and not is_watched:
            end = frame_start(end, UNWATCHED_PORTION)
        if length:
            rank = 0 if is_watched else rank
            yield Target(rank, coin.id, coin.code, coin.market, unit, end - length, end)
