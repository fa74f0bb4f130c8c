"""Prices as the exchange tells them, believed or not, and their thinned history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.kst import floor_minute
from app.domain.market import Suspect, Ticker, is_mass_leap, newest_stamp, observed_at
from app.exchanges.base import Market
from app.models import Coin, PriceSample
from app.services.market.catalogue import coins_now, price_age_now
from app.services.market.quotes import (
    Held,
    held_quotes,
    quote_values,
    write_quotes,
    write_suspects,
)

KEEP_EVERY_MINUTE = timedelta(hours=24)
KEEP_SAMPLES = timedelta(days=35)
SPARSE_MINUTES = 10


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
    is as old as its newest row says. What the stream told of later trades stays, with its age; a
    price that leaps is held back until repeated, or for good where much of the market leaps with
    it. One sample per coin and minute, also of what the stream has overtaken; a repeat changes
    nothing. Raises ExchangeError, and then nothing has changed.
    """
    snapshot = market.tickers()
    newest = newest_stamp(snapshot.rows, now)
    if newest is None:
        return StoreReport(0, (), len(snapshot.bad), (), None)
    seen_at = observed_at(newest, now)
    with transaction() as session:
        held = held_quotes(session)
        unknown = [row.market for row in snapshot.rows if row.market not in held]
        judged = [
            _judge(row, held[row.market], seen_at) for row in snapshot.rows if row.market in held
        ]
        believed = [one for one in judged if one.leap is None]
        news = [one for one in believed if one.is_news]
        leaps = [one for one in judged if one.leap is not None]
        write_quotes(session, [quote_values(one.row, one.held, seen_at, now) for one in news])
        _write_samples(session, believed, floor_minute(seen_at))
        if not is_mass_leap(held=len(leaps), judged=len(judged)):
            write_suspects(
                session, ((one.held, one.leap) for one in leaps if one.leap and one.is_news)
            )
    coins_now.forget()
    price_age_now.forget()
    return StoreReport(
        stored=len(news),
        suspect=tuple(one.row.market for one in leaps),
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
        write_quotes(session, [quote_values(ticker, Held(coin_id, None, None), at, at)])
        session.execute(
            upsert(table_of(PriceSample)).on_conflict_do_nothing(),
            _sample(coin_id, floor_minute(at), price),
        )
    coins_now.forget()


def remember_prices(*, code: str, prices: Sequence[tuple[datetime, Decimal]]) -> None:
    """Write down observed prices of the past, one per minute; what is there stays."""
    with transaction() as session:
        coin_id = session.scalars(select(Coin.id).where(Coin.code == code)).one()
        samples = [_sample(coin_id, minute, price) for minute, price in prices]
        session.execute(upsert(table_of(PriceSample)).on_conflict_do_nothing(), samples)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row of a snapshot beside what we hold: whether it is news, and whether it leaps."""

    row: Ticker
    held: Held
    is_news: bool
    leap: Suspect | None


def _judge(row: Ticker, held: Held, seen_at: datetime) -> _Judged:
    return _Judged(row, held, held.is_overtaken(row, seen_at), held.leaps(row, seen_at))


def _write_samples(session: Session, believed: Sequence[_Judged], minute: datetime) -> None:
    """All samples in one insert-or-ignore."""
    if believed:
        samples = [_sample(one.held.coin_id, minute, one.row.price) for one in believed]
        session.execute(upsert(table_of(PriceSample)).on_conflict_do_nothing(), samples)


def _sample(coin_id: int, minute: datetime, price: Decimal) -> dict[str, Any]:
    tenth = minute.minute % SPARSE_MINUTES == 0
    return {"coin_id": coin_id, "minute": minute, "price": price, "is_tenth": tenth}
