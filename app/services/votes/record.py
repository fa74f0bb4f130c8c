"""One's own record: what one asked and answered, with one's own hits and misses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from app.domain.votes import Duration, VoteState
from app.extensions import db
from app.models import Ballot, Coin, Vote
from app.services.votes.views import VoteView, get_votes, select_views, to_view

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class MyVote:
    """A row of one's own list."""

    view: VoteView

    @property
    def verdict(self) -> str:
        """`open`, `waiting`, `hit`, `miss`, `void`, or `settled` where I gave no answer."""
        state = self.view.state
        if state is VoteState.VOID:
            return "void"
        if state is VoteState.ONGOING:
            return "open"
        if state is VoteState.FINISHED:
            return "waiting"
        return {True: "hit", False: "miss", None: "settled"}[self.view.my_hit]


@dataclass(frozen=True, slots=True)
class MyVotes:
    """A page of one's own votes with the three counters: all, ongoing, done."""

    rows: tuple[MyVote, ...]
    next_cursor: int | None
    total: int
    ongoing: int

    @property
    def done(self) -> int:
        """Everything that takes no answers any more."""
        return self.total - self.ongoing


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Right and settled answers of one coin or one duration."""

    code: str
    korean_name: str
    english_name: str
    right: int
    settled: int


def my_votes(
    *, user_id: int, created: bool, ongoing: bool | None, before: int | None, now: datetime
) -> MyVotes:
    """What this person asked (`created`) or answered, newest vote first.

    `ongoing` picks a tab: True those that take answers, False the rest, None all. The counters
    ignore it.
    """
    own = _own(user_id, created=created)
    live = case((_is_live(now), 1), else_=0)
    total, running = db.session.execute(
        select(func.count(), func.coalesce(func.sum(live), 0)).where(own)
    ).one()
    query = select_views(user_id).where(own).order_by(Vote.id.desc()).limit(PAGE_SIZE + 1)
    if ongoing is not None:
        query = query.where(_is_live(now) if ongoing else ~_is_live(now))
    if before is not None:
        query = query.where(Vote.id < before)
    rows = [MyVote(to_view(row, now)) for row in db.session.execute(query)]
    return MyVotes(
        rows=tuple(rows[:PAGE_SIZE]),
        next_cursor=rows[PAGE_SIZE - 1].view.id if len(rows) > PAGE_SIZE else None,
        total=total,
        ongoing=running,
    )


def latest_results(*, user_id: int, limit: int, now: datetime) -> tuple[MyVote, ...]:
    """What came out last for this person's answers, void ones too; the newest first."""
    newest = (
        select(Vote.id)
        .join(Ballot, Ballot.vote_id == Vote.id)
        .where(Ballot.user_id == user_id, Vote.state.in_((VoteState.TRACKED, VoteState.VOID)))
        .order_by(func.coalesce(Vote.settled_at, Vote.voided_at).desc(), Vote.id.desc())
        .limit(limit)
    )
    ids = db.session.scalars(newest).all()
    found = get_votes(ids, user_id=user_id, now=now)
    return tuple(MyVote(found[vote_id]) for vote_id in ids)


def my_breakdown(*, user_id: int) -> tuple[list[Breakdown], list[Breakdown]]:
    """Settled answers by coin (most answered first) and by duration."""
    right = func.sum(case((Ballot.choice == Vote.outcome, 1), else_=0))
    settled = (
        select(Coin.code, Coin.korean_name, Coin.english_name, right, func.count())
        .select_from(Ballot)
        .join(Vote, Vote.id == Ballot.vote_id)
        .join(Coin, Coin.id == Vote.coin_id)
        .where(Ballot.user_id == user_id, Vote.state == VoteState.TRACKED)
        .group_by(Coin.code, Coin.korean_name, Coin.english_name)
        .order_by(func.count().desc(), Coin.code)
        .limit(6)
    )
    by_duration = (
        select(Vote.duration, right, func.count())
        .select_from(Ballot)
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Ballot.user_id == user_id, Vote.state == VoteState.TRACKED)
        .group_by(Vote.duration)
    )
    coins = [Breakdown(*row) for row in db.session.execute(settled)]
    found = {row[0]: row for row in db.session.execute(by_duration)}
    terms = [
        Breakdown(term, term, term, found[term][1], found[term][2])
        for term in Duration
        if term in found
    ]
    return coins, terms


def waiting_answers(*, user_id: int) -> int:
    """How many of this person's answers wait for their result."""
    waiting = (
        select(func.count())
        .select_from(Ballot)
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Ballot.user_id == user_id, Vote.stage < 2)
    )
    return db.session.scalar(waiting) or 0


def results_before(*, user_id: int, moment: datetime) -> int:
    """How many of this person's answers are decided by `moment` and still wait."""
    due = (
        select(func.count())
        .select_from(Ballot)
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Ballot.user_id == user_id, Vote.stage < 2, Vote.tracked_at <= moment)
    )
    return db.session.scalar(due) or 0


def streak(*, user_id: int) -> int:
    """How many of this person's latest settled answers were right in a row."""
    rows = db.session.execute(
        select(Ballot.choice, Vote.outcome)
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Ballot.user_id == user_id, Vote.state == VoteState.TRACKED)
        .order_by(Vote.settled_at.desc(), Vote.id.desc())
        .limit(100)
    )
    length = 0
    for choice, result in rows:
        if choice != result:
            break
        length += 1
    return length


def _own(user_id: int, *, created: bool) -> ColumnElement[bool]:
    if created:
        return Vote.creator_id == user_id
    return Vote.id.in_(select(Ballot.vote_id).where(Ballot.user_id == user_id))


def _is_live(now: datetime) -> ColumnElement[Any]:
    return (Vote.stage == 0) & (Vote.finished_at > now)
