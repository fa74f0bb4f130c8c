"""The statements of settling, built once: on a small vote building them costs most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, insert, literal, select, update

from app.db import UtcDateTime, table_of
from app.domain.points import Reason
from app.domain.votes import Choice, VoteState
from app.models import Ballot, LedgerEntry, User, Vote

_votes, _ballots = table_of(Vote), table_of(Ballot)
_entries, _users = table_of(LedgerEntry), table_of(User)

#: Of these votes those that wait for their price. They stay locked until the transaction ends, so
#: that of two runners one finds them (SQLite's single writer locks them all).
TAKE = (
    select(
        _votes.c.id,
        _votes.c.direction,
        _votes.c.duration,
        _votes.c.range_pct,
        _votes.c.created_price,
        _votes.c.tracked_at,
        _votes.c.yes_count,
        _votes.c.no_count,
        _votes.c.earned_point,
    )
    .where(
        _votes.c.id.in_(bindparam("vote_ids", expanding=True)),
        _votes.c.state == VoteState.FINISHED,
    )
    .order_by(_votes.c.id)
    .with_for_update()
)

_DECIDE = (
    update(_votes)
    .where(_votes.c.id == bindparam("vote_id"))
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one vote: how it came out, whether the crowd was right, what a hit earns."""

    vote_id: int
    result: Choice
    crowd_right: bool
    earned: int


def settle(
    connection: Connection,
    verdicts: Sequence[Verdict],
    evidence: Mapping[str, object],
    now: datetime,
) -> None:
    """Write down how votes came out, pay the right answers and count for all.

    A handful of statements for each vote whatever the number of its answers; `evidence` are the
    columns that all of them share.
    """
    decided = {**evidence, "now": now}
    connection.execute(
        _DECIDE,
        [
            {**decided, "vote_id": one.vote_id, "result": one.result, "right": one.crowd_right}
            for one in verdicts
        ],
    )
    answers = [{"vote_id": one.vote_id, "result": one.result} for one in verdicts]
    paid = [{**asked, "earned": one.earned} for asked, one in zip(answers, verdicts, strict=True)]
    connection.execute(_PAY, [{**one, "now": now} for one in paid])
    connection.execute(_COUNT_RIGHT, paid)
    connection.execute(_COUNT_WRONG, answers)
