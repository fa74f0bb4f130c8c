"""Points: the daily top-up, one's own ledger, and the proof that the books are right."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Remembered, table_of, transaction
from app.domain.kst import kst_day, month_start
from app.domain.points import TOP_UP_POINTS, AlreadyToppedUp, NotEnoughPoints, Reason, accuracy_pct
from app.domain.votes import Direction, Duration, VoteState
from app.extensions import db
from app.models import Ballot, Coin, LedgerEntry, User, Vote


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One entry as its owner sees it; `balance` is the sum up to and with this entry."""

    id: int
    reason: Reason
    amount: int
    balance: int
    created_at: datetime
    vote_id: int | None
    coin_code: str | None
    korean_name: str | None
    english_name: str | None
    direction: Direction | None
    duration: Duration | None
    range_pct: int | None


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of one's own entries, newest first; `next_cursor` is None on the last page."""

    rows: tuple[LedgerRow, ...]
    next_cursor: int | None
    balance: int
    ledger_sum: int
    entry_count: int

    @property
    def agrees(self) -> bool:
        """Whether all entries together are the balance."""
        return self.balance == self.ledger_sum


@dataclass(frozen=True, slots=True)
class MonthSums:
    """What came and what went since the first of this month in Korea; `spent` is not positive."""

    received: int
    spent: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that two books disagree about."""

    what: str
    ident: int
    cached: int
    proven: int


def take_top_up(*, user_id: int, now: datetime) -> int:
    """Give today's 10 points once per Korean day, or raise AlreadyToppedUp. Returns the balance."""
    try:
        with transaction() as session:
            entry = LedgerEntry(
                user_id=user_id,
                reason=Reason.TOP_UP,
                amount=TOP_UP_POINTS,
                kst_day=kst_day(now),
                created_at=now,
            )
            session.add(entry)
            session.flush()
            return _move(session, user_id, TOP_UP_POINTS)
    except IntegrityError as error:
        raise AlreadyToppedUp from error


def can_top_up(*, user_id: int, now: datetime) -> bool:
    """Whether today's points are still to be had."""
    taken = select(LedgerEntry.id).where(
        LedgerEntry.user_id == user_id, LedgerEntry.kst_day == kst_day(now)
    )
    return db.session.scalar(taken) is None


def grant(*, user_id: int, amount: int, now: datetime) -> int:
    """Give points from the operator's hand; the ledger says so. Returns the balance."""
    with transaction() as session:
        session.add(
            LedgerEntry(user_id=user_id, reason=Reason.GRANT, amount=amount, created_at=now)
        )
        return _move(session, user_id, amount)


def ledger_page(
    *, user_id: int, before: int | None = None, received: bool | None = None, limit: int = 30
) -> LedgerPage:
    """One's own entries, newest first, each with the running balance.

    `received` picks those that brought points (True) or took some (False); None shows all. The sum
    and the count are always those of all entries.
    """
    running = (
        select(
            LedgerEntry.id,
            func.sum(LedgerEntry.amount).over(order_by=LedgerEntry.id).label("balance"),
        )
        .where(_own_entries(user_id))
        .subquery()
    )
    rows = (
        select(LedgerEntry, running.c.balance, Vote, Coin)
        .join(running, running.c.id == LedgerEntry.id)
        .outerjoin(Vote, Vote.id == LedgerEntry.vote_id)
        .outerjoin(Coin, Coin.id == Vote.coin_id)
        .order_by(LedgerEntry.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        rows = rows.where(LedgerEntry.id < before)
    if received is not None:
        rows = rows.where(LedgerEntry.amount > 0 if received else LedgerEntry.amount < 0)
    found = db.session.execute(rows).all()
    total, entries, balance = _books(user_id)
    shown = tuple(_ledger_row(*row) for row in found[:limit])
    return LedgerPage(
        rows=shown,
        next_cursor=shown[-1].id if len(found) > limit else None,
        balance=balance,
        ledger_sum=total,
        entry_count=entries,
    )


def month_sums(*, user_id: int, now: datetime) -> MonthSums:
    """This person's points received and spent in the present Korean month."""
    amount = LedgerEntry.amount
    gained = func.coalesce(func.sum(case((amount > 0, amount), else_=0)), 0)
    lost = func.coalesce(func.sum(case((amount < 0, amount), else_=0)), 0)
    month = (_own_entries(user_id), LedgerEntry.created_at >= month_start(now))
    return MonthSums(*db.session.execute(select(gained, lost).where(*month)).one())


def _books(user_id: int) -> tuple[int, int, int]:
    """Sum and number of all entries, and the stored balance, read at one moment."""
    balance = select(User.points).where(User.id == user_id).scalar_subquery()
    total = func.coalesce(func.sum(LedgerEntry.amount), 0)
    row = db.session.execute(
        select(total, func.count(), balance).where(_own_entries(user_id))
    ).one()
    return row[0], row[1], row[2] or 0


def _own_entries(user_id: int) -> ColumnElement[bool]:
    """The entries of a person: those of no vote, and those of votes they answered or asked.

    The longer way round is the one with an index. One that began with the person would have to be
    changed in as many places as a settled vote has answers.
    """
    votes = union_all(
        select(Ballot.vote_id).where(Ballot.user_id == user_id),
        select(Vote.id).where(Vote.creator_id == user_id),
    )
    of_mine = or_(LedgerEntry.vote_id.is_(None), LedgerEntry.vote_id.in_(votes))
    return and_(LedgerEntry.user_id == user_id, of_mine)


def _ledger_row(
    entry: LedgerEntry, balance: int, vote: Vote | None, coin: Coin | None
) -> LedgerRow:
    return LedgerRow(
        id=entry.id,
        reason=entry.reason,
        amount=entry.amount,
        balance=balance,
        created_at=entry.created_at,
        vote_id=entry.vote_id,
        coin_code=coin.code if coin else None,
        korean_name=coin.korean_name if coin else None,
        english_name=coin.english_name if coin else None,
        direction=vote.direction if vote else None,
        duration=vote.duration if vote else None,
        range_pct=vote.range_pct if vote else None,
    )


def spend(
    session: Session, *, user_id: int, cost: int, vote_id: int, reason: Reason, now: datetime
) -> None:
    """Take points for a vote inside an open transaction, or raise NotEnoughPoints.

    The balance is lowered only where it suffices, so two at once can't spend the same points; the
    CHECK on the column is the last word.
    """
    if cost == 0:
        return
    taken = session.execute(
        update(User)
        .where(User.id == user_id, User.points >= cost)
        .values(points=User.points - cost)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        balance = session.scalar(select(User.points).where(User.id == user_id)) or 0
        raise NotEnoughPoints(cost=cost, balance=balance)
    session.execute(
        table_of(LedgerEntry).insert(),
        {
            "user_id": user_id,
            "vote_id": vote_id,
            "reason": reason,
            "amount": -cost,
            "created_at": now,
        },
    )


def _move(session: Session, user_id: int, amount: int) -> int:
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(points=User.points + amount)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(select(User.points).where(User.id == user_id)) or 0


def _platform_accuracy(_now: datetime) -> tuple[int, int]:
    right = func.sum(case((Vote.crowd_right.is_(True), 1), else_=0))
    answered = select(func.coalesce(right, 0), func.count()).where(
        Vote.state == VoteState.TRACKED, Vote.answer_count > 0
    )
    found = db.session.execute(answered).one()
    return found[0], found[1]


platform_counts = Remembered(_platform_accuracy, timedelta(seconds=20))


def platform_accuracy(now: datetime) -> Decimal:
    """Settled votes whose majority was right, in percent with one decimal.

    Votes that nobody answered, and void ones, don't count; 0.0 while nothing is settled.
    """
    right, settled = platform_counts.get(now)
    return accuracy_pct(right=right, settled=settled, places=1)


# What each cached figure must be when it is counted anew. The audit reads these row by row and
# compares; nothing here is clever, so that it can be trusted to judge what is.
_PROOFS = {
    "points of user": (
        "SELECT u.id, u.points, coalesce(e.s, 0) FROM users u LEFT JOIN"
        " (SELECT user_id, sum(amount) AS s FROM ledger_entries GROUP BY user_id) e"
        " ON e.user_id = u.id WHERE u.points <> coalesce(e.s, 0)"
    ),
    "settled answers of user": (
        "SELECT u.id, u.settled_count, coalesce(b.n, 0) FROM users u LEFT JOIN"
        " (SELECT user_id, count(*) AS n FROM ballots JOIN votes v ON v.id = vote_id"
        "  WHERE v.state = 'tracked' GROUP BY user_id) b"
        " ON b.user_id = u.id WHERE u.settled_count <> coalesce(b.n, 0)"
    ),
    "right answers of user": (
        "SELECT u.id, u.right_count, coalesce(b.n, 0) FROM users u LEFT JOIN"
        " (SELECT user_id, count(*) AS n FROM ballots JOIN votes v ON v.id = vote_id"
        "  WHERE v.state = 'tracked' AND choice = v.outcome GROUP BY user_id) b"
        " ON b.user_id = u.id WHERE u.right_count <> coalesce(b.n, 0)"
    ),
    "answers of vote": (
        "SELECT v.id, v.answer_count, coalesce(b.n, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, count(*) AS n FROM ballots GROUP BY vote_id) b"
        " ON b.vote_id = v.id WHERE v.answer_count <> coalesce(b.n, 0)"
    ),
    "yes answers of vote": (
        "SELECT v.id, v.yes_count, coalesce(b.n, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, count(*) AS n FROM ballots WHERE choice = 'yes' GROUP BY vote_id) b"
        " ON b.vote_id = v.id WHERE v.yes_count <> coalesce(b.n, 0)"
    ),
    "whales of vote": (
        "SELECT v.id, v.yes_whales + v.no_whales, coalesce(b.n, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(CASE WHEN is_whale THEN 1 ELSE 0 END) AS n FROM ballots"
        "  GROUP BY vote_id) b"
        " ON b.vote_id = v.id WHERE v.yes_whales + v.no_whales <> coalesce(b.n, 0)"
    ),
    "stakes of vote": (
        "SELECT v.id, v.answer_count * v.spent_point, coalesce(-e.s, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries WHERE reason = 'stake'"
        "  GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE v.answer_count * v.spent_point <> coalesce(-e.s, 0)"
    ),
    "rewards of vote": (
        "SELECT v.id, CASE v.outcome WHEN 'yes' THEN v.yes_count WHEN 'no' THEN v.no_count"
        " ELSE 0 END * v.earned_point, coalesce(e.s, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries WHERE reason = 'reward'"
        "  GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE CASE v.outcome WHEN 'yes' THEN v.yes_count"
        " WHEN 'no' THEN v.no_count ELSE 0 END * v.earned_point <> coalesce(e.s, 0)"
    ),
    "refunds of vote": (
        "SELECT v.id, CASE v.state WHEN 'void'"
        " THEN v.answer_count * v.spent_point + v.creation_cost ELSE 0 END, coalesce(e.s, 0)"
        " FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries"
        "  WHERE reason IN ('stake_refund', 'creation_refund') GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE CASE v.state WHEN 'void'"
        " THEN v.answer_count * v.spent_point + v.creation_cost ELSE 0 END <> coalesce(e.s, 0)"
    ),
}


def audit() -> Iterator[Difference]:
    """Prove ledger = balances = counters; yields every difference, none when the books are right.

    All proofs read one snapshot of the database, so it may run beside the server.
    """
    db.session.rollback()
    try:
        for what, proof in _PROOFS.items():
            for ident, cached, proven in db.session.execute(text(proof)):
                yield Difference(what, ident, cached, int(proven))
    finally:
        db.session.rollback()
