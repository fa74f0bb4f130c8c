"""Answer a vote: one ballot, its stake and the counts, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, select, update
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


_votes, _users, _ballots = table_of(Vote), table_of(User), table_of(Ballot)
# Built once: an answer is a handful of short statements, and making them cost more than running.
_LOAD = (
    select(
        _votes.c.state,
        _votes.c.finished_at,
        _votes.c.spent_point,
        _users.c.right_count,
        _users.c.settled_count,
        _users.c.points,
        _ballots.c.choice.label("mine"),
    )
    .select_from(_votes)
    .join(_users, _users.c.id == bindparam("user_id"))
    .outerjoin(_ballots, and_(_ballots.c.vote_id == _votes.c.id, _ballots.c.user_id == _users.c.id))
    .where(_votes.c.id == bindparam("vote_id"))
)
_ADD = _ballots.insert()
_COUNT = (
    update(_votes)
    .where(_votes.c.id == bindparam("vote_id"))
    .values(
        yes_count=_votes.c.yes_count + bindparam("yes"),
        no_count=_votes.c.no_count + bindparam("no"),
        yes_whales=_votes.c.yes_whales + bindparam("yes_whale"),
        no_whales=_votes.c.no_whales + bindparam("no_whale"),
        updated_at=bindparam("now"),
    )
)


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
    connection = session.connection()  # through the session each costs half again
    found = connection.execute(_LOAD, {"vote_id": vote_id, "user_id": user_id}).one_or_none()
    if found is None:
        raise NotFound
    if found.mine is not None:
        raise AlreadyAnswered
    check_can_answer(state=found.state, finished_at=found.finished_at, now=now)
    whale = is_whale(
        right=found.right_count, settled=found.settled_count, min_settled=whale_min_settled
    )
    spend(
        session,
        user_id=user_id,
        cost=found.spent_point,
        vote_id=vote_id,
        reason=Reason.STAKE,
        now=now,
    )
    connection.execute(
        _ADD,
        {
            "vote_id": vote_id,
            "user_id": user_id,
            "choice": choice,
            "is_whale": whale,
            "created_at": now,
        },
    )
    _count(connection, vote_id, choice, whale, now)
    return Answered(vote_id, choice, found.spent_point, found.points - found.spent_point)


def _count(
    connection: Connection, vote_id: int, choice: Choice, whale: bool, now: datetime
) -> None:
    """Raise the counts in place; reading and writing them back would lose answers."""
    yes = choice is Choice.YES
    raised = {"yes": yes, "no": not yes, "yes_whale": yes and whale, "no_whale": whale and not yes}
    connection.execute(
        _COUNT,
        {"vote_id": vote_id, "now": now, **{name: int(by) for name, by in raised.items()}},
    )
