"""Coins as the exchange lists them, and their logos."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.market import (
    Listing,
    search_key,
)
from app.exchanges.base import ExchangeError, Market
from app.extensions import db
from app.models import Coin
from app.services.market.catalogue import coins_now

log = logging.getLogger(__name__)
#: A list of markets that would take away more than a fifth of ours (and more than five) is a lie
#: or a cut answer; the market never lost so many in an hour.
MAX_DELISTED_SHARE = 5
ALWAYS_CREDIBLE = 5
LOGO_RETRY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ListingChanges:
    """What a refresh of the listings did, by code."""

    added: tuple[str, ...] = ()
    delisted: tuple[str, ...] = ()
    bad_rows: int = 0


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
