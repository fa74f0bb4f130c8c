"""Points move: the daily top-up, a grant, a stake; always with an entry in the ledger."""

from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Cursor, Prepared, table_of, transaction
from app.domain.errors import NotFound
from app.domain.kst import kst_day
from app.domain.points import TOP_UP_POINTS, AlreadyToppedUp, NotEnoughPoints, Reason
from app.extensions import db
from app.models import LedgerEntry, User

_users = table_of(User)
_TAKE = Prepared(
    update(_users)
    .where(_users.c.id == bindparam("user_id"), _users.c.points >= bindparam("cost"))
    .values(points=_users.c.points - bindparam("cost"))
)
_BALANCE = Prepared(select(_users.c.points).where(_users.c.id == bindparam("user_id")))
_ENTER = Prepared(
    table_of(LedgerEntry).insert(), "user_id", "vote_id", "reason", "amount", "created_at"
)


def take_top_up(*, user_id: int, now: datetime) -> int:
    """Give today's 10 points once per Korean day; returns the balance.

    Raises AlreadyToppedUp, and NotFound where there is no such person.
    """
    try:
        with transaction() as session:
            balance = _move(session, user_id, TOP_UP_POINTS)
            entry = LedgerEntry(
                user_id=user_id,
                reason=Reason.TOP_UP,
                amount=TOP_UP_POINTS,
                kst_day=kst_day(now),
                created_at=now,
            )
            session.add(entry)
            session.flush()
            return balance
    except IntegrityError as error:
        raise AlreadyToppedUp from error


def can_top_up(*, user_id: int, now: datetime) -> bool:
    """Whether today's points are still to be had."""
    taken = select(LedgerEntry.id).where(
        LedgerEntry.user_id == user_id, LedgerEntry.kst_day == kst_day(now)
    )
    return db.session.scalar(taken) is None


def grant(*, user_id: int, amount: int, now: datetime) -> int:
    """Give points from the operator's hand; the ledger says so. Returns the balance.

    Raises NotFound where there is no such person.
    """
    with transaction() as session:
        balance = _move(session, user_id, amount)
        session.add(
            LedgerEntry(user_id=user_id, reason=Reason.GRANT, amount=amount, created_at=now)
        )
        return balance


def spend(
    cursor: Cursor, *, user_id: int, cost: int, vote_id: int, reason: Reason, now: datetime
) -> None:
    """Take points for a vote inside an open transaction, or raise NotEnoughPoints.

    The balance is lowered only where it suffices, so two at once can't spend the same points; the
    CHECK on the column is the last word.
    """
    if cost == 0:
        return
    if cursor.run(_TAKE, {"user_id": user_id, "cost": cost}) != 1:
        found = cursor.one(_BALANCE, {"user_id": user_id})
        raise NotEnoughPoints(cost=cost, balance=found[0] if found else 0)
    entry = {"user_id": user_id, "vote_id": vote_id, "reason": reason, "amount": -cost}
    cursor.run(_ENTER, {**entry, "created_at": now})


def _move(session: Session, user_id: int, amount: int) -> int:
    moved = session.execute(
        update(User)
        .where(User.id == user_id)
        .values(points=User.points + amount)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound
    return session.scalar(select(User.points).where(User.id == user_id)) or 0
