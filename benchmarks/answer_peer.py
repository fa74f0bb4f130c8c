"""The peer of `answer`: the view one would write first, which loads objects, changes and saves."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from app.clock import utcnow
from app.db import transaction
from app.domain.points import Reason, is_whale
from app.domain.votes import Choice, VoteState
from app.models import Ballot, LedgerEntry, User, Vote

bp = Blueprint("bench_peer", __name__)


@bp.post("/peer/<int:vote_id>")
def answer(vote_id: int) -> ResponseReturnValue:
    """Take one answer by objects; the writer's lock keeps reading and writing back safe."""
    now, choice = utcnow(), Choice(request.form["choice"])
    with transaction() as session:
        vote, user = session.get_one(Vote, vote_id), session.get_one(User, current_user.id)
        mine = select(Ballot).where(Ballot.vote_id == vote.id, Ballot.user_id == user.id)
        open_still = vote.state is VoteState.ONGOING and now < vote.finished_at
        if not open_still or session.scalar(mine) or user.points < vote.spent_point:
            return "refused", 409
        whale = is_whale(right=user.right_count, settled=user.settled_count, min_settled=10)
        session.add(
            Ballot(vote_id=vote.id, user_id=user.id, choice=choice, is_whale=whale, created_at=now)
        )
        session.add(
            LedgerEntry(
                user_id=user.id,
                vote_id=vote.id,
                reason=Reason.STAKE,
                amount=-vote.spent_point,
                created_at=now,
            )
        )
        user.points -= vote.spent_point
        if choice is Choice.YES:
            vote.yes_count += 1
            vote.yes_whales += whale
        else:
            vote.no_count += 1
            vote.no_whales += whale
        vote.updated_at = now
    return redirect(f"/votes/{vote_id}", 303)
