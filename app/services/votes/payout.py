"""The statements of settling, built once: on a small vote building them costs most."""

from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, insert, literal, select, update

from app.db import UtcDateTime, table_of
from app.domain.points import Reason
from app.domain.votes import Choice, VoteState
from app.models import Ballot, LedgerEntry, User, Vote

_votes, _ballots = table_of(Vote), table_of(Ballot)
_entries, _users = table_of(LedgerEntry), table_of(User)

LOAD = select(
    _votes.c.direction,
    _votes.c.duration,
    _votes.c.range_pct,
    _votes.c.created_price,
    _votes.c.tracked_at,
    _votes.c.yes_count,
    _votes.c.no_count,
    _votes.c.earned_point,
).where(_votes.c.id == bindparam("vote_id"))

#: Compare-and-set: of two runners one changes the row. Every other column is a parameter.
CLAIM = (
    update(_votes)
    .where(_votes.c.id == bindparam("vote_id"), _votes.c.state == VoteState.FINISHED)
    .values(
        state=VoteState.TRACKED,
        outcome=bindparam("result"),
        crowd_right=bindparam("right"),
        final_price=bindparam("price"),
        candle_opened_at=bindparam("opened_at"),
        quote_source=bindparam("source"),
        quote_fetched_at=bindparam("fetched_at"),
        raw_quote=bindparam("raw"),
        settled_at=bindparam("now"),
        updated_at=bindparam("now"),
        retry_at=None,
        last_problem=None,
    )
)

_of_vote = _ballots.c.vote_id == bindparam("vote_id")
_result = bindparam("result", type_=_ballots.c.choice.type)
_right = select(_ballots.c.user_id).where(_of_vote, _ballots.c.choice == _result)
_wrong = select(_ballots.c.user_id).where(_of_vote, _ballots.c.choice != _result)
_earned = bindparam("earned", type_=Integer)

_PAY = insert(_entries).from_select(
    ["user_id", "vote_id", "reason", "amount", "created_at"],
    _right.add_columns(
        _ballots.c.vote_id,
        literal(Reason.REWARD, _entries.c.reason.type),
        _earned,
        bindparam("now", type_=UtcDateTime),
    ),
)
_COUNT_RIGHT = (
    update(_users)
    .where(_users.c.id.in_(_right))
    .values(
        points=_users.c.points + _earned,
        right_count=_users.c.right_count + 1,
        settled_count=_users.c.settled_count + 1,
    )
)
_COUNT_WRONG = (
    update(_users).where(_users.c.id.in_(_wrong)).values(settled_count=_users.c.settled_count + 1)
)


def award(
    connection: Connection, *, vote_id: int, result: Choice, earned: int, now: datetime
) -> None:
    """Pay the right answers and count for all, each in one statement whatever their number."""
    answers = {"vote_id": vote_id, "result": result}
    connection.execute(_PAY, {**answers, "earned": earned, "now": now})
    connection.execute(_COUNT_RIGHT, {**answers, "earned": earned})
    connection.execute(_COUNT_WRONG, answers)
