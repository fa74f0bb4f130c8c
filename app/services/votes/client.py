"""Votes as clients ask for them: whole lists, newest first, settled ones only among one's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from app.domain.errors import InvalidInput
from app.extensions import db
from app.models import Ballot, Vote
from app.services.market import catalogue
from app.services.votes.views import VoteView, select_views, to_view


@dataclass(frozen=True, slots=True)
class ClientVote:
    """A vote with what only clients are told in a list: was the crowd right, and why it is void."""

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


@dataclass(frozen=True, slots=True)
class ClientPage:
    """Votes in order; `next_cursor` is None when there are no more."""

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

    Settled and void ones never appear. Raises InvalidInput for a cursor that isn't ours.
    """
    conditions = [Vote.stage < 2]
    if wanted.ongoing is not None:
        conditions.append(_is_live(now) if wanted.ongoing else ~_is_live(now))
    if wanted.coin:
        conditions.append(Vote.coin_id.in_(_coins(wanted.coin, now)))
    if wanted.cursor:
        conditions.append(_behind(wanted))
    order = [Vote.answer_count.desc(), Vote.id.desc()] if wanted.popular else [Vote.id.desc()]
    query = _select(user_id).where(*conditions).order_by(*order)
    if wanted.limit is None:
        return ClientPage(_votes(db.session.execute(query), now), None)
    found = _votes(db.session.execute(query.limit(wanted.limit + 1)), now)
    shown = found[: wanted.limit]
    more = len(found) > wanted.limit
    return ClientPage(shown, _cursor(shown[-1].view) if more else None)


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


def _select(user_id: int) -> Any:
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
