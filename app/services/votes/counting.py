"""How many votes take answers on each coin."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.db import Remembered
from app.extensions import db
from app.models import Coin, Vote


def open_by_coin(now: datetime) -> dict[str, int]:
    """Votes that take answers, by code of the coin; up to ten seconds old."""
    return open_now.get(now)


def _read_open(now: datetime) -> dict[str, int]:
    rows = db.session.execute(
        select(Coin.code, func.count())
        .join(Vote, Vote.coin_id == Coin.id)
        .where(Vote.stage == 0, Vote.finished_at > now)
        .group_by(Coin.code)
    )
    return {row[0]: row[1] for row in rows}


open_now = Remembered(_read_open, timedelta(seconds=10))
