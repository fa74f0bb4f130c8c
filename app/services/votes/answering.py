"""Answer a vote: one ballot, its stake and the counts, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from app.db import Cursor, Prepared, table_of, write
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
_LOAD = Prepared(
    select(
        _votes.c.state,
        _votes.c.finished_at,
        _votes.c.spent_point,
        _users.c.right_count,
        _users.c.settled_count,
        _users.c.points,
        _ballots.c.choice,
    )
    .select_from(_votes)
    .join(_users, _users.c.id == bindparam("user_id"))
    .outerjoin(_ballots, and_(_ballots.c.vote_id == _votes.c.id, _ballots.c.user_id == _users.c.id))
    .where(_votes.c.id == bindparam("vote_id"))
)
_ADD = Prepared(_ballots.insert(), "vote_id", "user_id", "choice", "is_whale", "created_at")
_COUNT = Prepared(
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
        return write(
            lambda cursor: cast_within(cursor, user_id, vote_id, choice, whale_min_settled, now)
        )
    except IntegrityError as error:
        raise AlreadyAnswered from error


def cast_within(
    cursor: Cursor,
    user_id: int,
    vote_id: int,
    choice: Choice,
    whale_min_settled: int,
    now: datetime,
) -> Answered:
    """The deed of `cast_ballot` inside an open transaction."""
    found = cursor.one(_LOAD, {"vote_id": vote_id, "user_id": user_id})
    if found is None:
        raise NotFound
    state, finished_at, stake, right, settled, balance, mine = found
    if mine is not None:
        raise AlreadyAnswered
    check_can_answer(state=state, finished_at=finished_at, now=now)
    whale = is_whale(right=right, settled=settled, min_settled=whale_min_settled)
    spend(cursor, user_id=user_id, cost=stake, vote_id=vote_id, reason=Reason.STAKE, now=now)
    ballot = {"vote_id": vote_id, "user_id": user_id, "choice": choice}
    cursor.run(_ADD, {**ballot, "is_whale": whale, "created_at": now})
    _count(cursor, vote_id, choice, whale, now)
    return Answered(vote_id, choice, stake, balance - stake)


def _count(cursor: Cursor, vote_id: int, choice: Choice, whale: bool, now: datetime) -> None:
    """Raise the counts in place; reading and writing them back would lose answers."""
    yes = choice is Choice.YES
    raised = {"yes": yes, "no": not yes, "yes_whale": yes and whale, "no_whale": whale and not yes}
    cursor.run(_COUNT, {"vote_id": vote_id, "now": now, **raised})
