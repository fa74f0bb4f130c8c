"""Close votes whose time is up, and give everything back where a vote is void."""

from datetime import datetime

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import Conflict, NotFound
from app.domain.points import Reason
from app.domain.votes import VoteState, void_reason
from app.models import Ballot, LedgerEntry, User, Vote
from app.services.votes.listing import counts_now

_OPEN_STATES = (VoteState.ONGOING, VoteState.FINISHED)


def close_due_votes(*, now: datetime) -> int:
    """Make permanent what the clock decided: ongoing votes past their deadline are finished.

    Returns how many changed. The deadline, not `now`, is when answers stopped counting.
    """
    with transaction() as session:
        closed = session.execute(
            update(Vote)
            .where(Vote.stage == 0, Vote.finished_at <= now)
            .values(state=VoteState.FINISHED, updated_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount  # type: ignore[attr-defined]
    if closed:
        counts_now.forget()
    return int(closed)


def void_vote(*, vote_id: int, reason: str, now: datetime) -> int:
    """Void a vote that isn't settled: every stake and the creation cost go back.

    Returns the points given back. Raises NotFound, InvalidInput without a reason, and Conflict
    `vote_settled` once it is settled or void; two at once give back once.
    """
    if not 0 < vote_id < 2**63:
        raise NotFound
    given = void_reason(reason)
    with transaction() as session:
        claimed = session.execute(
            update(Vote)
            .where(Vote.id == vote_id, Vote.state.in_(_OPEN_STATES))
            .values(
                state=VoteState.VOID,
                void_reason=given,
                voided_at=now,
                updated_at=now,
                retry_at=None,
            )
            .execution_options(synchronize_session=False)
        )
        if claimed.rowcount != 1:  # type: ignore[attr-defined]
            _explain(session, vote_id)
        refunded = _refund(session, vote_id, now)
    counts_now.forget()
    return refunded


def _explain(session: Session, vote_id: int) -> None:
    if session.scalar(select(Vote.id).where(Vote.id == vote_id)) is None:
        raise NotFound
    raise Conflict("vote_settled")


def _refund(session: Session, vote_id: int, now: datetime) -> int:
    """Give back stakes and creation cost through the ledger; free votes have nothing to give."""
    vote = session.execute(
        select(Vote.spent_point, Vote.creation_cost, Vote.creator_id, Vote.answer_count).where(
            Vote.id == vote_id
        )
    ).one()
    if vote.spent_point:
        _refund_stakes(session, vote_id, vote.spent_point, now)
    if vote.creation_cost:
        session.add(
            LedgerEntry(
                user_id=vote.creator_id,
                vote_id=vote_id,
                reason=Reason.CREATION_REFUND,
                amount=vote.creation_cost,
                created_at=now,
            )
        )
        session.execute(
            update(User)
            .where(User.id == vote.creator_id)
            .values(points=User.points + vote.creation_cost)
            .execution_options(synchronize_session=False)
        )
    return int(vote.answer_count * vote.spent_point + vote.creation_cost)


def _refund_stakes(session: Session, vote_id: int, stake: int, now: datetime) -> None:
    answered = select(Ballot.user_id).where(Ballot.vote_id == vote_id)
    session.execute(
        insert(LedgerEntry).from_select(
            ["user_id", "vote_id", "reason", "amount", "created_at"],
            select(
                Ballot.user_id,
                literal(vote_id),
                literal(Reason.STAKE_REFUND, LedgerEntry.reason.type),
                literal(stake),
                literal(now, LedgerEntry.created_at.type),
            ).where(Ballot.vote_id == vote_id),
        )
    )
    session.execute(
        update(User)
        .where(User.id.in_(answered))
        .values(points=User.points + stake)
        .execution_options(synchronize_session=False)
    )
