"""The price that we hold of each coin, and the one way to replace it, whoever told the new one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.db import table_of, upsert
from app.domain.market import Believed, Suspect, Ticker, judge, overtakes
from app.models import Coin, Quote

#: How long a believed price may testify against a leap.
SPEAKS_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of an active coin before something new is stored."""

    coin_id: int
    believed: Believed | None
    suspect: Suspect | None

    def leaps(self, row: Ticker, seen_at: datetime) -> Suspect | None:
        """What to keep of a price that can't be believed yet; None for one that can.

        What is older than a day says nothing about the present, or a long downtime would lock us.
        """
        last = self.believed
        recent = last is not None and seen_at - last.observed_at <= SPEAKS_FOR
        return judge(last.price if last is not None and recent else None, self.suspect, row.price)

    def is_overtaken(self, row: Ticker, seen_at: datetime) -> bool:
        """Whether the row is news."""
        return overtakes(row, self.believed, seen_at)


def held_quotes(session: Session) -> dict[str, Held]:
    """What we hold of every active coin, by market."""
    rows = session.execute(
        select(
            Coin.market,
            Coin.id,
            Quote.price,
            Quote.traded_at,
            Quote.observed_at,
            Quote.suspect_price,
            Quote.suspect_count,
        )
        .outerjoin(Quote, Quote.coin_id == Coin.id)
        .where(Coin.is_active)
    )
    return {
        market: Held(
            coin_id,
            Believed(price, traded_at, seen_at) if price is not None else None,
            Suspect(suspect, count) if suspect is not None else None,
        )
        for market, coin_id, price, traded_at, seen_at, suspect, count in rows
    }


def quote_values(row: Ticker, held: Held, seen_at: datetime, now: datetime) -> dict[str, Any]:
    """The quote that a believed row makes.

    Looking again at a price that stands, its times never go back.
    """
    last = held.believed
    traded_at = row.traded_at
    if last is not None and last.price == row.price:
        traded_at = max(traded_at, last.traded_at)
    return {
        "coin_id": held.coin_id,
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
        "traded_at": traded_at,
        "observed_at": seen_at if last is None else max(seen_at, last.observed_at),
        "fetched_at": now,
        "suspect_price": None,
        "suspect_count": 0,
    }


def write_quotes(session: Session, quotes: list[dict[str, Any]]) -> None:
    """All of them in one upsert."""
    if not quotes:
        return
    statement = upsert(table_of(Quote))
    fresh = {name: statement.excluded[name] for name in quotes[0] if name != "coin_id"}
    session.execute(statement.on_conflict_do_update(index_elements=["coin_id"], set_=fresh), quotes)


def write_suspects(session: Session, held_back: Iterable[tuple[Held, Suspect]]) -> None:
    """Remember what was held back; the believed price and its age stay as they are."""
    values: list[Mapping[str, Any]] = [
        {"of_coin": held.coin_id, "suspect_price": suspect.price, "suspect_count": suspect.seen}
        for held, suspect in held_back
    ]
    if values:
        quotes = table_of(Quote)
        session.execute(update(quotes).where(quotes.c.coin_id == bindparam("of_coin")), values)
