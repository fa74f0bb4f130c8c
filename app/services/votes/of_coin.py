"""The votes about one coin: the newest of each stage, and how many there are."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from app.extensions import db
from app.models import Vote
from app.services.votes.listing import Stage
from app.services.votes.views import VoteView, select_views, to_view


@dataclass(frozen=True, slots=True)
class CoinVotes:
    """Votes on one coin as a person sees them, newest first, with the number of each stage."""

    votes: tuple[VoteView, ...] = ()
    counts: dict[Stage, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All votes there ever were on this coin."""
        return sum(self.counts.values())

    @property
    def open(self) -> tuple[VoteView, ...]:
        """Those that take answers."""
        return tuple(vote for vote in self.votes if vote.is_open)


def votes_on_coin(*, coin_id: int, user_id: int | None, now: datetime, most: int) -> CoinVotes:
    """The newest `most` votes of each stage, in the order of the stages, newest first in each."""
    counts = db.session.execute(
        select(Vote.stage, func.count()).where(Vote.coin_id == coin_id).group_by(Vote.stage)
    )
    found = {Stage(stage): number for stage, number in counts}
    rows = [
        row
        for stage in sorted(found)
        for row in db.session.execute(
            select_views(user_id)
            .where(Vote.coin_id == coin_id, Vote.stage == int(stage))
            .order_by(Vote.id.desc())
            .limit(most)
        )
    ]
    return CoinVotes(tuple(to_view(row, now) for row in rows), found)
