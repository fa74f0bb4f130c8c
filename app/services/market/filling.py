"""Fill and keep the candles: what is still missing, what an answer teaches, what is let go."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ScalarSelect, case, delete, func, select, update
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.candles import Ask, Known, calls_left, finished_until, frame_start, next_ask
from app.domain.market import FRESH_FOR, Candle, CandleUnit, contradicts
from app.domain.votes import retry_delay
from app.exchanges.base import ExchangeError
from app.extensions import db
from app.models import CandleSpan, CandleWish, Coin, PriceSample, Quote, StoredCandle, Vote
from app.services.market.base_rates import moves_now
from app.services.market.candles import days_now, lines_now, select_candles, to_candle

log = logging.getLogger(__name__)

#: A year for the base rates, and a month more than their longest window needs.
KEEP_DAYS = 400
_QUIET = {CandleUnit.HOUR: timedelta(days=8), CandleUnit.MINUTE: timedelta(0)}
_BUSY = {CandleUnit.HOUR: timedelta(days=30), CandleUnit.MINUTE: timedelta(days=1)}
_RANKS = {CandleUnit.DAY: 1, CandleUnit.HOUR: 2, CandleUnit.MINUTE: 3}
#: So long after somebody looked, candles are kept up to date.
WISH_HOLDS = timedelta(minutes=15)
#: Minutes that nobody looks at are asked for a quarter of an hour at a time.
UNWATCHED_PORTION = 15
KEEP_FOR = {CandleUnit.MINUTE: timedelta(days=8), CandleUnit.HOUR: timedelta(days=100)}
#: Candles that contradict what we know are held back for an hour; then the exchange means them.
MOST_DOUBTS = 6
SAMPLE_WINDOW = timedelta(minutes=2)


class Implausible(ExchangeError):
    """The exchange's candles contradict what we know of the same time."""


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


def store_page(*, target: Target, ask: Ask, candles: Sequence[Candle], now: datetime) -> Target:
    """Keep an answer and what it teaches, in one transaction; returns the target as known now.

    A finished candle that the exchange has corrected is corrected here. An answer that contradicts
    what we know by a factor of five, or lacks a candle that we know, raises Implausible and changes
    nothing; after six such answers in a row the coin's candles of this unit begin anew.
    """
    page = Known(
        ask.since or min((one.opened_at for one in candles), default=ask.until),
        ask.until,
        reaches_start=ask.since is None and not candles,
        newest=max((one.opened_at for one in candles), default=None),
    )
    with transaction() as session:
        span = session.get(CandleSpan, (target.coin_id, target.unit))
        before = _known(session, span) if span else None
        stored = _stored(session, target, page)
        doubt = _doubt(session, target, candles, stored)
        if doubt and span is not None and span.attempts >= MOST_DOUBTS:
            log.warning("candles_anew market=%s unit=%d: %s", target.market, target.unit, doubt)
            _forget(session, target, before=target.end)
            before, stored = None, {}
        elif doubt:
            raise Implausible(f"{target.market} {target.unit}: {doubt}")
        known = before.learns(page) if before else page
        if known is page and before is not None:
            _forget(session, target, before=page.since)
        if known is not before:
            _write_candles(session, target, candles, stored)
            _write_span(session, target, known)
    _forget_remembered(target.unit)
    return replace(target, known=known, waits_until=None)


def push_back(*, target: Target, problem: str, now: datetime) -> None:
    """Leave these candles alone for a while that grows with each failure, and write down why."""
    with transaction() as session:
        span = session.get(CandleSpan, (target.coin_id, target.unit))
        if span is None:
            span = CandleSpan(
                coin_id=target.coin_id,
                unit=target.unit,
                known_from=target.end,
                known_until=target.end,
                attempts=0,
            )
            session.add(span)
        span.attempts += 1
        span.retry_at = now + retry_delay(span.attempts)
        span.problem = problem[:200]


def drop_old_candles(*, now: datetime) -> int:
    """Keep minutes for 8 days, hours for 100, days for ever; returns how many candles went."""
    dropped = 0
    for unit, keep in KEEP_FOR.items():
        oldest, known_until = finished_until(now - keep, unit), CandleSpan.known_until
        with transaction() as session:
            dropped += session.execute(  # by coin, since the primary key begins with it
                delete(StoredCandle).where(
                    StoredCandle.coin_id.in_(select(Coin.id)),
                    StoredCandle.unit == unit,
                    StoredCandle.opened_at < oldest,
                )
            ).rowcount  # type: ignore[attr-defined]
            session.execute(
                update(CandleSpan)
                .where(CandleSpan.unit == unit, CandleSpan.known_from < oldest)
                .values(
                    known_from=oldest,
                    known_until=case((known_until < oldest, oldest), else_=known_until),
                    reaches_start=False,
                )
            )
    with transaction() as session:
        session.execute(delete(CandleWish).where(CandleWish.wanted_at < now - WISH_HOLDS))
    return dropped


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


def _known(session: Session, span: CandleSpan) -> Known:
    newest = session.scalar(
        select(func.max(StoredCandle.opened_at)).where(
            StoredCandle.coin_id == span.coin_id, StoredCandle.unit == span.unit
        )
    )
    return Known(span.known_from, span.known_until, span.reaches_start, newest)


def _stored(session: Session, target: Target, page: Known) -> dict[datetime, Candle]:
    """The candles that we hold of the stretch that an answer is about."""
    rows = session.execute(
        select_candles().where(
            StoredCandle.coin_id == target.coin_id,
            StoredCandle.unit == target.unit,
            StoredCandle.opened_at >= page.since,
            StoredCandle.opened_at < page.until,
        )
    )
    return {candle.opened_at: candle for candle in map(to_candle, rows)}


def _doubt(
    session: Session,
    target: Target,
    candles: Sequence[Candle],
    stored: Mapping[datetime, Candle],
) -> str:
    """Why an answer can't be believed; empty when it can."""
    fresh = {candle.opened_at: candle for candle in candles}
    for opened_at, ours in stored.items():
        if opened_at not in fresh:
            return f"the candle of {opened_at:%Y-%m-%d %H:%M} UTC is gone"
        if contradicts(fresh[opened_at].close, ours.close):
            told = fresh[opened_at].close
            return f"the candle of {opened_at:%Y-%m-%d %H:%M} UTC went from {ours.close} to {told}"
    if not fresh:
        return ""
    newest = fresh[max(fresh)]
    sample = _sample_before(session, target.coin_id, newest.opened_at + target.unit.length)
    if sample is not None and contradicts(newest.close, sample):
        return f"the newest candle says {newest.close}, we saw {sample} at its end"
    return ""


def _sample_before(session: Session, coin_id: int, moment: datetime) -> Decimal | None:
    """What we saw ourselves in the last two minutes before a moment."""
    return session.scalar(
        select(PriceSample.price)
        .where(
            PriceSample.coin_id == coin_id,
            PriceSample.minute >= moment - SAMPLE_WINDOW,
            PriceSample.minute < moment,
        )
        .order_by(PriceSample.minute.desc())
        .limit(1)
    )


def _write_candles(
    session: Session,
    target: Target,
    candles: Sequence[Candle],
    stored: Mapping[datetime, Candle],
) -> None:
    """New ones, and those that the exchange has corrected, in one upsert."""
    fresh = [one for one in candles if stored.get(one.opened_at) != replace(one, raw="")]
    for candle in fresh:
        if candle.opened_at in stored:
            log.info(
                "candle_corrected market=%s unit=%d opened_at=%s close=%s was=%s",
                *(target.market, target.unit, candle.opened_at, candle.close),
                stored[candle.opened_at].close,
            )
    if not fresh:
        return
    rows = [_values(target, candle) for candle in fresh]
    statement = upsert(table_of(StoredCandle))
    keys = ["coin_id", "unit", "opened_at"]
    figures = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=figures), rows)


def _values(target: Target, candle: Candle) -> dict[str, Any]:
    return {
        "coin_id": target.coin_id,
        "unit": target.unit,
        "opened_at": candle.opened_at,
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "volume": candle.volume,
        "turnover": candle.turnover,
    }


def _write_span(session: Session, target: Target, known: Known) -> None:
    statement = upsert(table_of(CandleSpan))
    values = {
        "known_from": known.since,
        "known_until": known.until,
        "reaches_start": known.reaches_start,
        "retry_at": None,
        "attempts": 0,
        "problem": None,
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=["coin_id", "unit"], set_=values),
        {"coin_id": target.coin_id, "unit": target.unit} | values,
    )


def _forget(session: Session, target: Target, *, before: datetime) -> None:
    session.execute(
        delete(StoredCandle).where(
            StoredCandle.coin_id == target.coin_id,
            StoredCandle.unit == target.unit,
            StoredCandle.opened_at < before,
        )
    )


def _forget_remembered(unit: CandleUnit) -> None:
    if unit is CandleUnit.DAY:
        days_now.forget()
        moves_now.forget()
    elif unit is CandleUnit.HOUR:
        lines_now.forget()
