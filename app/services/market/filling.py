"""Keep candles: what an answer of the exchange teaches, and what is let go again."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.candles import Ask, Known, finished_until
from app.domain.market import Candle, CandleUnit, contradicts
from app.domain.votes import retry_delay
from app.exchanges.base import ExchangeError
from app.models import CandleSpan, CandleWish, Coin, PriceSample, Quote, StoredCandle
from app.services.market.base_rates import moves_now, table_now
from app.services.market.candles import days_now, lines_now, select_candles, to_candle
from app.services.market.targets import WISH_HOLDS, Target

log = logging.getLogger(__name__)

KEEP_FOR = {CandleUnit.MINUTE: timedelta(days=8), CandleUnit.HOUR: timedelta(days=100)}
#: Candles that contradict what we know are held back for an hour; then the exchange means them.
MOST_DOUBTS = 6
SAMPLE_WINDOW = timedelta(minutes=2)


class Implausible(ExchangeError):
    """The exchange's candles contradict what we know of the same time."""


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
        if page.reaches_start and (before is None or before.newest is None):
            doubt = _doubt_of_nothing(session, target.coin_id, ask.until)
        if doubt and span is not None and _is_meant(span):
            log.warning("candles_anew market=%s unit=%d: %s", target.market, target.unit, doubt)
            _forget(session, target)
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
    """Leave these candles alone for a while that grows with each failure, and write down why.

    A failure of another kind (`problem` begins with its kind and a colon) begins to count anew.
    """
    kind = problem.partition(":")[0]
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
        is_same = (span.problem or problem).partition(":")[0] == kind
        span.attempts = span.attempts + 1 if is_same else 1
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


def _is_meant(span: CandleSpan) -> bool:
    """Whether the exchange has contradicted us so often that it is we who are wrong."""
    return span.attempts >= MOST_DOUBTS and (span.problem or "").startswith(Implausible.__name__)


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


def _doubt_of_nothing(session: Session, coin_id: int, until: datetime) -> str:
    """Why a coin can't be without any candle before a moment; empty when it can."""
    quote = session.get(Quote, coin_id)
    if quote is None or (quote.traded_at >= until and quote.prev_close is None):
        return ""
    return "no candle at all, though it was traded"


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


def _forget(session: Session, target: Target, *, before: datetime | None = None) -> None:
    gone = delete(StoredCandle).where(
        StoredCandle.coin_id == target.coin_id, StoredCandle.unit == target.unit
    )
    session.execute(gone if before is None else gone.where(StoredCandle.opened_at < before))


def _forget_remembered(unit: CandleUnit) -> None:
    if unit is CandleUnit.DAY:
        days_now.forget()
        moves_now.forget()
        table_now.forget()
    elif unit is CandleUnit.HOUR:
        lines_now.forget()
