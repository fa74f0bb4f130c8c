"""Coins that a person wants to find at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from app.db import table_of, transaction, upsert
from app.domain.errors import NotFound
from app.extensions import db
from app.models import Coin, Favourite


@dataclass(frozen=True, slots=True)
class FavouriteCoin:
    """A favourite and since when it is one; delisted coins stay."""

    code: str
    korean_name: str
    has_logo: bool
    created_at: datetime


def add_favourite(*, user_id: int, code: str, now: datetime) -> None:
    """Keep a coin at hand; a second time changes nothing. Raises NotFound for an unknown code."""
    with transaction() as session:
        coin_id = session.scalar(select(Coin.id).where(Coin.code == code))
        if coin_id is None:
            raise NotFound
        session.execute(
            upsert(table_of(Favourite)).on_conflict_do_nothing(),
            {"user_id": user_id, "coin_id": coin_id, "created_at": now},
        )


def drop_favourite(*, user_id: int, code: str) -> None:
    """Let go of a favourite; one that isn't there any more is fine. NotFound for unknown codes."""
    with transaction() as session:
        coin_id = session.scalar(select(Coin.id).where(Coin.code == code))
        if coin_id is None:
            raise NotFound
        session.execute(
            delete(Favourite).where(Favourite.user_id == user_id, Favourite.coin_id == coin_id)
        )


def list_favourites(*, user_id: int) -> list[FavouriteCoin]:
    """A person's favourites, the newest first."""
    rows = db.session.execute(
        select(Coin.code, Coin.korean_name, Coin.has_logo, Favourite.created_at)
        .join(Favourite, Favourite.coin_id == Coin.id)
        .where(Favourite.user_id == user_id)
        .order_by(Favourite.created_at.desc(), Coin.code)
    )
    return [FavouriteCoin(*row) for row in rows]


def favourite_codes(*, user_id: int) -> frozenset[str]:
    """The codes of a person's favourites."""
    return frozenset(
        db.session.scalars(
            select(Coin.code)
            .join(Favourite, Favourite.coin_id == Coin.id)
            .where(Favourite.user_id == user_id)
        )
    )
