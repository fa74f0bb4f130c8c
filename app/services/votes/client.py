"""Votes as clients ask for them: whole lists, newest first, settled ones only among one's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select

from app.db import RememberedEach, table_of
from app.domain.errors import InvalidInput
from app.extensions import db
from app.models import Ballot, Vote
from app.services.market import catalogue
from app.services.votes.views import VoteView, select_views, to_view

#: A list of up to so many votes is read once a second, however many clients ask for it.
MAX_SHARED = 500

_ballots = table_of(Ballot)
_ANSWERS = select(_ballots.c.vote_id, _ballots.c.choice, _ballots.c.created_at).where(
    _ballots.c.user_id == bindparam("user_id"),
    _ballots.c.vote_id.between(bindparam("first"), bindparam("last")),
)


@dataclass(frozen=True, slots=True, eq=False)
class ClientVote:
    """A vote with what only clients are told in a list: was the crowd right, and why it is void.

    Each reading is itself alone, so that what was made of one can be found without comparing.
    """

    view: VoteView
    crowd_right: bool | None
    void_reason: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client's list shows. `coin` is part of a code or Korean name; without `limit`, all."""

    ongoing: bool | None = None
    coin: str = ""
    popular: bool = False
    limit: int | None = None
    cursor: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ClientPage:
    """Votes in order; `next_cursor` is None when there are no more. Equal to itself alone."""

    votes: list[ClientVote]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class OwnVotes:
    """One's own votes, newest first; both counters are those of the whole list."""

    votes: list[ClientVote]
    ongoing: int
    finished: int


def list_for_client(*, wanted: Wanted, user_id: int, now: datetime) -> ClientPage:
    """Votes that aren't over, newest or most answered first, as this person sees them.

    Settled and void ones never appear. What others do shows within a second, what one did oneself
    at once. Raises InvalidInput for a cursor that isn't ours.
    """
    shared = _shared_pages.get(replace(wanted, limit=wanted.limit or MAX_SHARED), now)
    if wanted.limit is None and shared.page.next_cursor is not None:
        return _read_all(wanted, user_id, now)
    return _seen_by(user_id, shared)


def get_for_client(*, vote_id: int, user_id: int, now: datetime) -> ClientVote | None:
    """One vote in whatever state, or None."""
    if not 0 < vote_id < 2**63:
        return None
    found = _votes(db.session.execute(_select(user_id).where(Vote.id == vote_id)), now)
    return found[0] if found else None


def own_for_client(*, user_id: int, created: bool, ongoing: bool | None, now: datetime) -> OwnVotes:
    """What this person asked (`created`) or answered; `ongoing` picks, the counters ignore it."""
    own = Vote.creator_id == user_id
    if not created:
        own = Vote.id.in_(select(Ballot.vote_id).where(Ballot.user_id == user_id))
    live = func.coalesce(func.sum(case((_is_live(now), 1), else_=0)), 0)
    total, running = db.session.execute(select(func.count(), live).where(own)).one()
    query = _select(user_id).where(own).order_by(Vote.id.desc())
    if ongoing is not None:
        query = query.where(_is_live(now) if ongoing else ~_is_live(now))
    return OwnVotes(_votes(db.session.execute(query), now), running, total - running)


def _read_all(wanted: Wanted, user_id: int, now: datetime) -> ClientPage:
    """A list too long to be kept for everybody."""
    return ClientPage(_votes(db.session.execute(_query(wanted, user_id, now)), now), None)


@dataclass(frozen=True, slots=True)
class _SharedPage:
    """A page as a stranger sees it, and beside it the whales (yes, no) that a stranger doesn't."""

    page: ClientPage
    whales: dict[int, tuple[int, int]]


def _read_shared(wanted: Wanted, now: datetime) -> _SharedPage:
    limit = wanted.limit or MAX_SHARED
    rows = db.session.execute(_query(wanted, None, now).limit(limit + 1)).all()
    shown = rows[:limit]
    votes = _votes(shown, now)
    cursor = _cursor(votes[-1].view) if len(rows) > limit else None
    whales = {row.id: (row.yes_whales, row.no_whales) for row in shown}
    return _SharedPage(ClientPage(votes, cursor), whales)


_shared_pages = RememberedEach(_read_shared, timedelta(seconds=1), most=50)


def _seen_by(user_id: int, shared: _SharedPage) -> ClientPage:
    """A shared page with this person's own answers, and what only who answered may see."""
    if not shared.page.votes:
        return shared.page
    ids = shared.whales.keys()
    mine = {"user_id": user_id, "first": min(ids), "last": max(ids)}
    answers = {row.vote_id: row for row in db.session.execute(_ANSWERS, mine)}
    votes = [
        _answered(vote, answers[vote.view.id], shared.whales[vote.view.id])
        if vote.view.id in answers
        else vote
        for vote in shared.page.votes
    ]
    return ClientPage(votes, shared.page.next_cursor)


def _answered(vote: ClientVote, answer: Any, whales: tuple[int, int]) -> ClientVote:
    view = replace(
        vote.view,
        my_choice=answer.choice,
        my_answered_at=answer.created_at,
        yes_whales=whales[0],
        no_whales=whales[1],
    )
    return replace(vote, view=view)


def _query(wanted: Wanted, user_id: int | None, now: datetime) -> Any:
    conditions = [Vote.stage < 2]
    if wanted.ongoing is not None:
        conditions.append(_is_live(now) if wanted.ongoing else ~_is_live(now))
    if wanted.coin:
        conditions.append(Vote.coin_id.in_(_coins(wanted.coin, now)))
    if wanted.cursor:
        conditions.append(_behind(wanted))
    order = [Vote.answer_count.desc(), Vote.id.desc()] if wanted.popular else [Vote.id.desc()]
    return _select(user_id).where(*conditions).order_by(*order)


def _select(user_id: int | None) -> Any:
    return select_views(user_id).add_columns(Vote.crowd_right, Vote.void_reason)


def _votes(rows: Iterable[Sequence[Any]], now: datetime) -> list[ClientVote]:
    return [ClientVote(to_view(row[:-2], now), row[-2], row[-1]) for row in rows]


def _is_live(now: datetime) -> ColumnElement[Any]:
    return (Vote.stage == 0) & (Vote.finished_at > now)


def _coins(text: str, now: datetime) -> list[int]:
    part = text.casefold()
    return [
        coin.id
        for coin in catalogue(now)
        if part in coin.code.casefold() or part in coin.korean_name.casefold()
    ]


def _cursor(last: VoteView) -> str:
    return f"{last.answer_count}.{last.id}"


def _behind(wanted: Wanted) -> ColumnElement[bool]:
    count, _dot, ident = wanted.cursor.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (count, ident)):
        raise InvalidInput("cursor", "cursor_invalid")
    older = Vote.id < int(ident)
    if not wanted.popular:
        return older
    even = and_(Vote.answer_count == int(count), older)
    return or_(Vote.answer_count < int(count), even)
