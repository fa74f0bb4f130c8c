"""The live feed: ticks written onto the board, and where prices come from at the moment."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Remembered, table_of, transaction, upsert
from app.domain.market import (
    FEED_FORGOTTEN_AFTER,
    FeedSource,
    Suspect,
    Ticker,
    age_s,
    is_fresh,
    is_from_the_future,
)
from app.extensions import db
from app.models import Coin, MarketFeed
from app.services.market.catalogue import coins_now, price_age_now
from app.services.market.quotes import (
    Held,
    held_quotes,
    quote_values,
    write_quotes,
    write_suspects,
)

LONGEST_PROBLEM = 200


@dataclass(frozen=True, slots=True)
class FeedNote:
    """What the leader knows of its source: see `MarketFeed`."""

    source: FeedSource
    since: datetime
    heard_at: datetime | None = None
    reconnects: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """Where prices come from, and how long ago the source was last heard (None: never)."""

    source: FeedSource
    age_s: float | None = None
    since: datetime | None = None
    reconnects: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class TickReport:
    """What storing ticks did: rows written, and the markets whose leap was held back."""

    stored: int
    held_back: tuple[str, ...]


def store_ticks(*, ticks: Iterable[Ticker], note: FeedNote, now: datetime) -> TickReport:
    """Write the ticks that change something, and the state of the feed, in one transaction.

    A tick is as old as its own stamp. What isn't later than what we hold changes nothing, nor does
    a stamp from the future, a market we don't know, or a delisted one. A leap is never believed
    from here: it is marked, so that nothing starts from the old price, and left to the snapshots
    of the minute, which alone count how often it is repeated.
    """
    with transaction() as session:
        held = held_quotes(session)
        values, leaps = [], []
        for row, coin, seen_at in _news(ticks, held, now):
            if coin.leaps(row, seen_at):
                leaps.append((row, coin))
            else:
                values.append(quote_values(row, coin, seen_at, now))
        write_quotes(session, values)
        write_suspects(
            session, ((coin, Suspect(row.price, 0)) for row, coin in leaps if coin.suspect is None)
        )
        _write_note(session, note)
    if values:
        coins_now.forget()
        price_age_now.forget()
    feed_now.forget()
    return TickReport(len(values), tuple(row.market for row, _ in leaps))


def feed_state(now: datetime) -> FeedState:
    """Where prices come from; up to a second old.

    A source that was not heard for half a minute is none: whoever wrote the note may be gone.
    """
    note = feed_now.get(now)
    if note is None or note.heard_at is None:
        return FeedState(FeedSource.NONE, problem=note.problem if note else None)
    return FeedState(
        note.source if is_fresh(note.heard_at, now, FEED_FORGOTTEN_AFTER) else FeedSource.NONE,
        age_s(note.heard_at, now),
        note.since,
        note.reconnects,
        note.problem,
    )


def followed_markets() -> frozenset[str]:
    """The markets whose prices we want: those of all active coins."""
    return frozenset(db.session.scalars(select(Coin.market).where(Coin.is_active)))


def _news(
    ticks: Iterable[Ticker], held: dict[str, Held], now: datetime
) -> Iterator[tuple[Ticker, Held, datetime]]:
    """The ticks that change something, each with the coin and the moment it was told."""
    for row in ticks:
        coin = held.get(row.market)
        if coin is None or is_from_the_future(row.stamped_at, now):
            continue
        seen_at = min(row.stamped_at, now)
        last = coin.believed
        repeated = last and (last.price, last.traded_at) == (row.price, row.traded_at)
        if not repeated and coin.is_overtaken(row, seen_at):
            yield row, coin, seen_at


def _write_note(session: Session, note: FeedNote) -> None:
    problem = note.problem and note.problem[:LONGEST_PROBLEM]
    values = {
        "source": note.source,
        "since": note.since,
        "heard_at": note.heard_at,
        "reconnects": note.reconnects,
        "problem": problem,
    }
    statement = upsert(table_of(MarketFeed)).values(id=1, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def _read_note(_now: datetime) -> FeedNote | None:
    row = db.session.execute(
        select(
            MarketFeed.source,
            MarketFeed.since,
            MarketFeed.heard_at,
            MarketFeed.reconnects,
            MarketFeed.problem,
        )
    ).one_or_none()
    return FeedNote(*row) if row is not None else None


feed_now = Remembered(_read_note, timedelta(seconds=1))
