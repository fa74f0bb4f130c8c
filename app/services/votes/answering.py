"""Answer a vote: one ballot, its stake and the counts, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import table_of, transaction
from app.domain.errors import NotFound
from app.domain.points import Reason, is_whale
from app.domain.votes import AlreadyAnswered, Choice, check_can_answer
from app.models import Ballot, User, Vote
from app.services.points import spend


@dataclass(frozen=True, slots=True)
class Answered:
    """What answering did: the stake that was paid and the balance that is left."""

    vote_id: int
    choice: Choice
    stake: int
    balance: int


def cast_ballot(
    *, user_id: int, vote_id: int, choice: Choice, whale_min_settled: int, now: datetime
) -> Answered:
    """Record one answer and take its stake, or raise and change nothing.

    Raises NotFound, VoteClosed, AlreadyAnswered (also for two at once: the key of the ballot is the
    last word) or NotEnoughPoints. Whether this person is a whale is judged now and kept.
    """
    if not 0 < vote_id < 2**63:
        raise NotFound
    try:
        with transaction() as session:
            return cast_within(session, user_id, vote_id, choice, whale_min_settled, now)
    except IntegrityError as error:
        raise AlreadyAnswered from error


def cast_within(
    session: Session,
    user_id: int,
    vote_id: int,
    choice: Choice,
    whale_min_settled: int,
    now: datetime,
) -> Answered:
    """The deed of `cast_ballot` inside an open transaction."""
    vote = session.execute(
        select(Vote.state, Vote.finished_at, Vote.spent_point).where(Vote.id == vote_id)
    ).one_or_none()
    user = session.execute(
        select(User.right_count, User.settled_count, User.points).where(User.id == user_id)
    ).one_or_none()
    if vote is None or user is None:
        raise NotFound
    mine = select(Ballot.choice).where(Ballot.vote_id == vote_id, Ballot.user_id == user_id)
    if session.scalar(mine) is not None:
        raise AlreadyAnswered
    check_can_answer(state=vote.state, finished_at=vote.finished_at, now=now)
    whale = is_whale(
        right=user.right_count, settled=user.settled_count, min_settled=whale_min_settled
    )
    spend(
        session,
        user_id=user_id,
        cost=vote.spent_point,
        vote_id=vote_id,
        reason=Reason.STAKE,
        now=now,
    )
    session.execute(
        table_of(Ballot).insert(),
        {
            "vote_id": vote_id,
            "user_id": user_id,
            "choice": choice,
            "is_whale": whale,
            "created_at": now,
        },
    )
    _count(session, vote_id, choice, whale, now)
    return Answered(vote_id, choice, vote.spent_point, user.points - vote.spent_point)


def _count(session: Session, vote_id: int, choice: Choice, whale: bool, now: datetime) -> None:
    """Raise the counts in place; reading and writing them back would lose answers."""
    yes = choice is Choice.YES
    answers, whales = (Vote.yes_count, Vote.yes_whales) if yes else (Vote.no_count, Vote.no_whales)
    session.execute(
        update(Vote)
        .where(Vote.id == vote_id)
        .values({answers: answers + 1, whales: whales + int(whale), Vote.updated_at: now})
        .execution_options(synchronize_session=False)
    )
