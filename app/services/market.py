"""The market as we keep it: listings, quotes with their honest age, samples, logos."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.db import Remembered, table_of, transaction, upsert
from app.domain.kst import floor_minute
from app.domain.market import (
    STALE_AFTER,
    Listing,
    Suspect,
    Ticker,
    is_mass_leap,
    judge,
    newest_stamp,
    observed_at,
    search_key,
)
from app.exchanges.base import ExchangeError, Market
from app.extensions import db
from app.models import Coin, PriceSample, Quote

log = logging.getLogger(__name__)

#: A list of markets that would take away more than a fifth of ours (and more than five) is a lie
#: or a cut answer; the market never lost so many in an hour.
MAX_DELISTED_SHARE = 5
ALWAYS_CREDIBLE = 5
KEEP_EVERY_MINUTE = timedelta(hours=24)
KEEP_SAMPLES = timedelta(days=35)
SPARSE_MINUTES = 10
LOGO_RETRY = timedelta(days=7)
#: How long a believed price may testify against a leap.
SPEAKS_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class CatalogueCoin:
    """A coin as lists and searches need it, with its latest quote if there is one."""

    id: int
    code: str
    korean_name: str
    english_name: str
    search_key: str
    is_active: bool
    warning: bool
    cautions: tuple[str, ...]
    has_logo: bool
    price: Decimal | None
    change_rate: float | None
    turnover_24h: float | None
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PriceAge:
    """How old the newest prices are; `as_of` is None before the first ones came."""

    as_of: datetime | None
    age_s: float | None

    @property
    def is_stale(self) -> bool:
        """Older than three minutes, or never seen: every page says so."""
        return self.age_s is None or self.age_s > STALE_AFTER.total_seconds()


@dataclass(frozen=True, slots=True)
class ListingChanges:
    """What a refresh of the listings did, by code."""

    added: tuple[str, ...] = ()
    delisted: tuple[str, ...] = ()
    bad_rows: int = 0


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What storing a snapshot did: rows stored, held back as suspect, bad, unknown markets."""

    stored: int
    suspect: tuple[str, ...]
    bad_rows: int
    unknown: tuple[str, ...]
    observed_at: datetime | None


class ImplausibleListing(ExchangeError):
    """The exchange's list would delist so many markets at once that it can't be believed."""


def refresh_listings(*, market: Market, now: datetime) -> ListingChanges:
    """Make our coins agree with the exchange's list.

    New markets appear, missing ones turn inactive and keep their history, returning ones turn
    active again. Raises ExchangeError, or ImplausibleListing, and then nothing has changed.
    """
    snapshot = market.listings()
    kept_names = {row.market for row in snapshot.bad}  # a spoilt row isn't a delisting
    with transaction() as session:
        ours = {coin.market: coin for coin in session.scalars(select(Coin))}
        listed = {row.market for row in snapshot.rows} | kept_names
        gone = [coin for name, coin in ours.items() if coin.is_active and name not in listed]
        _refuse_implausible(gone, sum(coin.is_active for coin in ours.values()))
        added = [row.code for row in snapshot.rows if _apply(session, ours, row, now)]
        for coin in gone:
            coin.is_active, coin.delisted_at = False, now
        changes = ListingChanges(tuple(added), tuple(coin.code for coin in gone), len(snapshot.bad))
    coins_now.forget()
    return changes


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


def fetch_logos(*, market: Market, folder: Path, now: datetime, limit: int = 25) -> int:
    """Fetch logos that we don't have yet, a few at a time; each coin is asked once a week.

    Files are written beside and moved into place, so a page never sees half a picture. Returns how
    many came. An exchange that fails ends the round quietly; drawn monograms stand in.
    """
    due = db.session.execute(
        select(Coin.id, Coin.code)
        .where(
            Coin.is_active,
            Coin.has_logo.is_(False),
            (Coin.logo_checked_at.is_(None)) | (Coin.logo_checked_at < now - LOGO_RETRY),
        )
        .order_by(Coin.logo_checked_at.is_not(None), Coin.id)
        .limit(limit)
    ).all()
    folder.mkdir(parents=True, exist_ok=True)
    found = 0
    for coin_id, code in due:
        try:
            picture = market.logo(code)
        except ExchangeError as error:
            log.warning("logos ended at=%s: %s", code, error)
            break
        if picture is not None:
            draft = folder / f".{code}.part"
            draft.write_bytes(picture)
            draft.replace(folder / f"{code}.png")
            found += 1
        with transaction() as session:
            session.execute(
                update(Coin)
                .where(Coin.id == coin_id)
                .values(has_logo=picture is not None, logo_checked_at=now)
            )
    coins_now.forget()
    return found


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


def get_coin(code: str) -> Coin | None:
    """The coin with this code, delisted or not, or None."""
    return db.session.scalar(select(Coin).where(Coin.code == code))


def catalogue(now: datetime) -> list[CatalogueCoin]:
    """All coins with their quotes by turnover, largest first; up to two seconds old."""
    return coins_now.get(now)


def price_age(now: datetime) -> PriceAge:
    """How old the newest prices are."""
    as_of = price_age_now.get(now)
    if as_of is None:
        return PriceAge(None, None)
    return PriceAge(as_of, max(0.0, (now - as_of).total_seconds()))


def price_series(
    *, coin_id: int, since: datetime, until: datetime, points: int = 160
) -> list[tuple[datetime, Decimal]]:
    """Observed prices of a coin in a span, thinned to about `points`, oldest first."""
    rows = db.session.execute(
        select(PriceSample.minute, PriceSample.price)
        .where(PriceSample.coin_id == coin_id, PriceSample.minute.between(since, until))
        .order_by(PriceSample.minute)
    ).all()
    step = max(1, len(rows) // points)
    thinned = rows[::step]
    if rows and thinned[-1] is not rows[-1]:
        thinned = [*thinned, rows[-1]]
    return [(row.minute, row.price) for row in thinned]


def _read_catalogue(_now: datetime) -> list[CatalogueCoin]:
    rows = db.session.execute(
        select(
            Coin.id,
            Coin.code,
            Coin.korean_name,
            Coin.english_name,
            Coin.search_key,
            Coin.is_active,
            Coin.warning,
            Coin.cautions,
            Coin.has_logo,
            Quote.price,
            Quote.change_rate,
            Quote.turnover_24h,
            Quote.observed_at,
        )
        .outerjoin(Quote, Quote.coin_id == Coin.id)
        .order_by(Quote.turnover_24h.desc().nulls_last(), Coin.code)
    )
    return [
        CatalogueCoin(*row[:7], tuple(row.cautions.split()), *row[8:])  # type: ignore[call-arg]
        for row in rows
    ]


def _read_price_age(_now: datetime) -> datetime | None:
    return db.session.scalar(select(func.max(Quote.observed_at)))


coins_now = Remembered(_read_catalogue, timedelta(seconds=2))
price_age_now = Remembered(_read_price_age, timedelta(seconds=1))


def _refuse_implausible(gone: Sequence[Coin], active: int) -> None:
    if len(gone) > ALWAYS_CREDIBLE and len(gone) * MAX_DELISTED_SHARE > active:
        raise ImplausibleListing(f"the list lacks {len(gone)} of {active} active markets")


def _apply(session: Session, ours: dict[str, Coin], row: Listing, now: datetime) -> bool:
    """Write one listed market; returns whether it is new."""
    coin = ours.get(row.market)
    is_new = coin is None
    if coin is None:
        coin = Coin(market=row.market, code=row.code, listed_at=now)
        session.add(coin)
    coin.korean_name, coin.english_name = row.korean_name, row.english_name
    coin.search_key = search_key(row.code, row.korean_name, row.english_name)
    coin.warning, coin.cautions = row.warning, " ".join(row.cautions)
    coin.is_active, coin.delisted_at = True, None
    return is_new


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
