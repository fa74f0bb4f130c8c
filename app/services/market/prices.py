"""Prices as the exchange tells them, believed or not, and their thinned history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.kst import floor_minute
from app.domain.market import (
    Suspect,
    Ticker,
    is_mass_leap,
    judge,
    newest_stamp,
    observed_at,
)
from app.exchanges.base import Market
from app.models import Coin, PriceSample, Quote
from app.services.market.catalogue import coins_now, price_age_now

KEEP_EVERY_MINUTE = timedelta(hours=24)
KEEP_SAMPLES = timedelta(days=35)
SPARSE_MINUTES = 10
#: How long a believed price may testify against a leap.
SPEAKS_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What storing a snapshot did: rows stored, held back as suspect, bad, unknown markets."""

    stored: int
    suspect: tuple[str, ...]
    bad_rows: int
    unknown: tuple[str, ...]
    observed_at: datetime | None


def store_tickers(*, market: Market, now: datetime) -> StoreReport:
    """Fetch all prices and store what can be believed, in one transaction.

    Rows are matched by market. A missing coin keeps its old quote with its age. The whole snapshot
    is as old as its newest row says, and never newer than what we hold; a price that leaps is held
    back until repeated, or for good where much of the market leaps with it. One sample per coin
    and minute; a repeat changes nothing. Raises ExchangeError, and then nothing has changed.
    """
    snapshot = market.tickers()
    newest = newest_stamp(snapshot.rows, now)
    if newest is None:
        return StoreReport(0, (), len(snapshot.bad), (), None)
    seen_at = observed_at(newest, now)
    with transaction() as session:
        known = _known_quotes(session)
        unknown = [row.market for row in snapshot.rows if row.market not in known]
        judged = [
            (row, known[row.market], _judged(row, known[row.market], seen_at))
            for row in snapshot.rows
            if row.market in known and _is_news(known[row.market], seen_at)
        ]
        believed = [(row, coin) for row, coin, suspect in judged if suspect is None]
        held = [(row, coin, suspect) for row, coin, suspect in judged if suspect is not None]
        _write_quotes(session, believed, seen_at, now)
        if not is_mass_leap(held=len(held), judged=len(judged)):
            _write_suspects(session, held)
    coins_now.forget()
    price_age_now.forget()
    return StoreReport(
        stored=len(believed),
        suspect=tuple(row.market for row, _, _ in held),
        bad_rows=len(snapshot.bad),
        unknown=tuple(unknown),
        observed_at=seen_at,
    )


def thin_samples(*, now: datetime) -> int:
    """Keep every minute for a day, every tenth for 35 days; returns how many rows went."""
    surplus = delete(PriceSample).where(
        PriceSample.is_tenth.is_(False), PriceSample.minute < now - KEEP_EVERY_MINUTE
    )
    expired = delete(PriceSample).where(
        PriceSample.is_tenth, PriceSample.minute < now - KEEP_SAMPLES
    )
    with transaction() as session:
        return sum(session.execute(one).rowcount for one in (surplus, expired))  # type: ignore[attr-defined]


def remember_quote(*, code: str, price: Decimal, at: datetime) -> None:
    """Write down a price of the past as the coin's quote, so that a vote can start from it."""
    with transaction() as session:
        coin_id = session.scalars(select(Coin.id).where(Coin.code == code)).one()
        ticker = Ticker(f"KRW-{code}", price, traded_at=at, stamped_at=at)
        known = _Known(coin_id, None, None, None)
        _write_quotes(session, [(ticker, known)], seen_at=at, now=at)
    coins_now.forget()


def remember_prices(*, code: str, prices: Sequence[tuple[datetime, Decimal]]) -> None:
    """Write down observed prices of the past, one per minute; what is there stays."""
    with transaction() as session:
        coin_id = session.scalars(select(Coin.id).where(Coin.code == code)).one()
        samples = [_sample(coin_id, minute, price) for minute, price in prices]
        session.execute(upsert(table_of(PriceSample)).on_conflict_do_nothing(), samples)


@dataclass(frozen=True, slots=True)
class _Known:
    """What we hold of a coin before a snapshot is stored."""

    coin_id: int
    price: Decimal | None
    observed_at: datetime | None
    suspect: Suspect | None


def _known_quotes(session: Session) -> dict[str, _Known]:
    rows = session.execute(
        select(
            Coin.market,
            Coin.id,
            Quote.price,
            Quote.observed_at,
            Quote.suspect_price,
            Quote.suspect_count,
        )
        .outerjoin(Quote, Quote.coin_id == Coin.id)
        .where(Coin.is_active)
    )
    return {
        market: _Known(coin_id, price, seen, Suspect(suspect, count) if suspect else None)
        for market, coin_id, price, seen, suspect, count in rows
    }


def _is_news(known: _Known, seen_at: datetime) -> bool:
    """A snapshot older than what we hold changes nothing."""
    return known.observed_at is None or seen_at >= known.observed_at


def _judged(row: Ticker, known: _Known, seen_at: datetime) -> Suspect | None:
    """What is older than a day says nothing about the present, or a long downtime would lock us."""
    recent = known.observed_at is not None and seen_at - known.observed_at <= SPEAKS_FOR
    return judge(known.price if recent else None, known.suspect, row.price)


def _write_quotes(
    session: Session, believed: Iterable[tuple[Ticker, _Known]], seen_at: datetime, now: datetime
) -> None:
    """All quotes in one upsert, all samples in one insert-or-ignore."""
    minute = floor_minute(seen_at)
    quotes, samples = [], []
    for row, coin in believed:
        quotes.append(_quote_values(row, coin.coin_id, seen_at, now))
        samples.append(_sample(coin.coin_id, minute, row.price))
    if not quotes:
        return
    statement = upsert(table_of(Quote))
    fresh = {name: statement.excluded[name] for name in quotes[0] if name != "coin_id"}
    session.execute(statement.on_conflict_do_update(index_elements=["coin_id"], set_=fresh), quotes)
    session.execute(upsert(table_of(PriceSample)).on_conflict_do_nothing(), samples)


def _sample(coin_id: int, minute: datetime, price: Decimal) -> dict[str, Any]:
    tenth = minute.minute % SPARSE_MINUTES == 0
    return {"coin_id": coin_id, "minute": minute, "price": price, "is_tenth": tenth}


def _quote_values(row: Ticker, coin_id: int, seen_at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "coin_id": coin_id,
        "price": row.price,
        "prev_close": row.prev_close,
        "high": row.high,
        "low": row.low,
        "change_rate": row.change_rate,
        "turnover_24h": row.turnover_24h,
        "open": row.open,
        "turnover_today": row.turnover_today,
        "high_52w": row.high_52w,
        "low_52w": row.low_52w,
        "traded_at": row.traded_at,
        "observed_at": seen_at,
        "fetched_at": now,
        "suspect_price": None,
        "suspect_count": 0,
    }


def _write_suspects(session: Session, held: Iterable[tuple[Ticker, _Known, Suspect]]) -> None:
    """Remember what was held back; the believed price and its age stay as they are."""
    for _, coin, suspect in held:
        session.execute(
            update(Quote)
            .where(Quote.coin_id == coin.coin_id)
            .values(suspect_price=suspect.price, suspect_count=suspect.seen)
        )
