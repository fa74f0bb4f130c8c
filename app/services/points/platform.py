"""How often everybody together is right."""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import case, func, select

from app.db import Remembered
from app.domain.points import crowd_pct
from app.domain.votes import VoteState
from app.extensions import db
from app.models import Vote


def _platform_accuracy(_now: datetime) -> tuple[int, int]:
    right = func.sum(case((Vote.crowd_right.is_(True), 1), else_=0))
    answered = select(func.coalesce(right, 0), func.count()).where(
        Vote.state == VoteState.TRACKED, Vote.answer_count > 0
    )
    found = db.session.execute(answered).one()
    return found[0], found[1]


platform_counts = Remembered(_platform_accuracy, timedelta(seconds=20))


def platform_accuracy(now: datetime) -> Decimal:
    """Settled votes whose majority was right, in percent with one decimal.

    Votes that nobody answered, and void ones, don't count; 0.0 while nothing is settled.
    """
    right, settled = platform_counts.get(now)
    return crowd_pct(right=right, settled=settled)
