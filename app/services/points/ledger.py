"""One's own ledger, entry by entry."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select, union_all

from app.domain.kst import month_start
from app.domain.points import Reason
from app.domain.votes import Direction, Duration
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
