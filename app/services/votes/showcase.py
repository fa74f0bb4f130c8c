"""The one settled vote that visitors are shown with its whales."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.db import Remembered
from app.domain.votes import VoteState
from app.extensions import db
from app.models import Vote
from app.services.votes.views import VoteView, select_views


def showcase(now: datetime) -> VoteView | None:
    """The vote settled last that whales answered, with their counts; up to a minute old.

    It is over, so nobody can follow the whales any more; None while there is no such vote.
    """
    return _shown.get(now)


def _read(_now: datetime) -> VoteView | None:
    with_whales = Vote.yes_whales + Vote.no_whales > 0
    latest = (
        select(Vote.id)
        .where(Vote.stage == 2, Vote.state == VoteState.TRACKED, with_whales)
        .order_by(Vote.id.desc())
        .limit(1)
    )
    row = db.session.execute(
        select_views(None).where(Vote.id == latest.scalar_subquery())
    ).one_or_none()
    return None if row is None else VoteView(*row)


_shown = Remembered(_read, timedelta(minutes=1))
