"""Lists of votes: filtered, sorted by an index, paged by the last row seen."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, not_, or_, select

from app.db import Remembered, RememberedEach, table_of
from app.domain.errors import InvalidInput
from app.domain.market import matches
from app.domain.votes import Direction, Duration
from app.extensions import db
from app.models import Ballot, Vote
from app.services.market import catalogue
from app.services.votes.views import VoteView, select_views, to_view

PAGE_SIZE = 20
MINE = ("unanswered", "answered", "created", "staff")
PERSONAL = MINE[:3]


class Stage(IntEnum):
    """The three tabs: votes that take answers, wait for their result, or are over."""

    ONGOING = 0
    FINISHED = 1
    OVER = 2


# Each order ends in the id, so that it is total and the last row seen marks the place exactly.
_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (Vote.id.desc(),),
    "popular": (Vote.answer_count.desc(), Vote.id.desc()),
    "closing": (Vote.finished_at.asc(), Vote.id.asc()),
    "divided": (Vote.evenness.desc(), Vote.answer_count.desc(), Vote.id.desc()),
}
_ballots = table_of(Ballot)
_ANSWERS = select(_ballots.c.vote_id, _ballots.c.choice, _ballots.c.created_at).where(
    _ballots.c.user_id == bindparam("user_id"),
    _ballots.c.vote_id.in_(bindparam("ids", expanding=True)),
)
_KEYS: dict[str, tuple[Any, ...]] = {
    "newest": (Vote.id,),
    "popular": (Vote.answer_count, Vote.id),
    "closing": (Vote.finished_at, Vote.id),
    "divided": (Vote.evenness, Vote.answer_count, Vote.id),
}
SORTS = tuple(_ORDERS)


@dataclass(frozen=True, slots=True)
class VoteFilter:
    """What a list shows. `query` is part of a code or name, or initials; `mine` one of MINE."""

    stage: Stage = Stage.ONGOING
    query: str = ""
    direction: Direction | None = None
    duration: Duration | None = None
    mine: str | None = None
    sort: str = "newest"
    cursor: str | None = None
    limit: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class VotePage:
    """A page of votes; `next_cursor` is None on the last one."""

    votes: tuple[VoteView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """How many votes there are, per stage and per stage and duration."""

    by_stage: dict[int, int] = field(default_factory=dict)
    by_duration: dict[tuple[int, Duration], int] = field(default_factory=dict)
    staff: dict[int, int] = field(default_factory=dict)


def list_votes(*, wanted: VoteFilter, user_id: int | None, now: datetime) -> VotePage:
    """The page of votes that `wanted` describes, as this person sees them.

    Raises InvalidInput for a cursor that isn't ours.
    """
    if user_id is None or wanted.mine not in PERSONAL:
        shared = _shared_pages.get(wanted, now)
        return shared.page if user_id is None else _seen_pages.get((user_id, shared), now)
    rows, cursor = _find(wanted, user_id, now)
    return VotePage(tuple(to_view(row, now) for row in rows), cursor)


def _find(
    wanted: VoteFilter, user_id: int | None, now: datetime
) -> tuple[Sequence[Any], str | None]:
    """The rows of a page, and the cursor behind the last one if there are more."""
    query = select_views(user_id).where(Vote.stage == int(wanted.stage))
    if wanted.stage is Stage.ONGOING:
        query = query.where(Vote.finished_at > now)
    for condition in _conditions(wanted, user_id, now):
        query = query.where(condition)
    if wanted.cursor:
        query = query.where(_after(wanted))
    found = db.session.execute(_ordered(query, wanted).limit(wanted.limit + 1)).all()
    shown = found[: wanted.limit]
    more = len(found) > wanted.limit
    return shown, _cursor(shown[-1], wanted.sort) if more else None


@dataclass(frozen=True, slots=True, eq=False)
class _SharedPage:
    """A page as a stranger sees it, and beside it the whales (yes, no) that a stranger doesn't.

    Each reading is itself alone, so that what was made of one can be found without comparing.
    """

    page: VotePage
    whales: dict[int, tuple[int, int]]


def _read_shared(wanted: VoteFilter, now: datetime) -> _SharedPage:
    rows, cursor = _find(wanted, None, now)
    page = VotePage(tuple(to_view(row, now) for row in rows), cursor)
    return _SharedPage(page, {row.id: (row.yes_whales, row.no_whales) for row in rows})


#: A list that is the same for everybody is read once a second, however many look at it.
_shared_pages = RememberedEach(_read_shared, timedelta(seconds=1), most=200)


def _read_seen(key: tuple[int, _SharedPage], _now: datetime) -> VotePage:
    """The page with this person's own answers, and what only who answered may see."""
    user_id, shared = key
    mine = {"user_id": user_id, "ids": list(shared.whales)}
    answers = {row.vote_id: row for row in db.session.execute(_ANSWERS, mine)}
    if not answers:
        return shared.page
    votes = tuple(
        _answered(view, answers[view.id], shared.whales[view.id]) if view.id in answers else view
        for view in shared.page.votes
    )
    return VotePage(votes, shared.page.next_cursor)


#: The shared page is part of the key, so that this is never older than that is.
_seen_pages = RememberedEach(_read_seen, timedelta(seconds=1))


def _answered(view: VoteView, answer: Any, whales: tuple[int, int]) -> VoteView:
    return replace(
        view,
        my_choice=answer.choice,
        my_answered_at=answer.created_at,
        yes_whales=whales[0],
        no_whales=whales[1],
    )


def vote_counts(now: datetime) -> VoteCounts:
    """The counts beside the tabs; up to ten seconds old."""
    return counts_now.get(now)


def my_open_counts(*, user_id: int, stage: Stage, now: datetime) -> dict[str, int]:
    """How many votes of a stage this person answered and made; up to ten seconds old."""
    return dict(_own_counts.get((user_id, stage), now))


def _read_own_counts(key: tuple[int, Stage], now: datetime) -> dict[str, int]:
    user_id, stage = key
    # The sum keeps the database from walking through all votes of the stage: a person has few.
    live = [Vote.stage + 0 == int(stage)]
    if stage is Stage.ONGOING:
        live.append(Vote.finished_at > now)
    answered = (
        select(func.count())
        .select_from(Ballot)
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Ballot.user_id == user_id, *live)
    )
    created = select(func.count()).where(Vote.creator_id == user_id, *live)
    row = db.session.execute(select(answered.scalar_subquery(), created.scalar_subquery())).one()
    return {"answered": row[0], "created": row[1]}


_own_counts = RememberedEach(_read_own_counts, timedelta(seconds=10))


def _read_counts(_now: datetime) -> VoteCounts:
    rows = db.session.execute(
        select(Vote.stage, Vote.duration, Vote.is_staff_vote, func.count()).group_by(
            Vote.stage, Vote.duration, Vote.is_staff_vote
        )
    )
    counts = VoteCounts()
    for stage, duration, staff, number in rows:
        counts.by_stage[stage] = counts.by_stage.get(stage, 0) + number
        key = (stage, duration)
        counts.by_duration[key] = counts.by_duration.get(key, 0) + number
        if staff:
            counts.staff[stage] = counts.staff.get(stage, 0) + number
    return counts


counts_now = Remembered(_read_counts, timedelta(seconds=10))


def _conditions(
    wanted: VoteFilter, user_id: int | None, now: datetime
) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.direction:
        conditions.append(Vote.direction == wanted.direction)
    if wanted.duration:
        conditions.append(Vote.duration == wanted.duration)
    if wanted.query.strip():
        coins = [coin.id for coin in catalogue(now) if matches(coin.search_key, wanted.query)]
        conditions.append(Vote.coin_id.in_(coins))
    if wanted.mine == "staff":
        conditions.append(Vote.is_staff_vote.is_(True))
    elif wanted.mine and user_id is not None:
        conditions.append(_mine(wanted.mine, user_id))
    return conditions


def _mine(kind: str, user_id: int) -> ColumnElement[bool]:
    if kind == "created":
        return Vote.creator_id == user_id
    answered = exists().where(Ballot.vote_id == Vote.id, Ballot.user_id == user_id)
    return answered if kind == "answered" else not_(answered)


def _ordered(query: Select[*tuple[Any, ...]], wanted: VoteFilter) -> Select[*tuple[Any, ...]]:
    return query.order_by(*_ORDERS[wanted.sort])


def _after(wanted: VoteFilter) -> ColumnElement[bool]:
    """Rows behind the cursor in this order: equal so far, and then beyond."""
    keys, values = _KEYS[wanted.sort], _read_cursor(wanted)
    rising = wanted.sort == "closing"
    steps = []
    for place, (key, value) in enumerate(zip(keys, values, strict=True)):
        equal = [k == v for k, v in zip(keys[:place], values[:place], strict=True)]
        steps.append(and_(*equal, key > value if rising else key < value))
    return or_(*steps)


def _cursor(row: Any, sort: str) -> str:
    view = row._mapping
    values = {
        Vote.id: row.id,
        Vote.answer_count: row.yes_count + row.no_count,
        Vote.finished_at: view["finished_at"].isoformat(),
        Vote.evenness: _evenness(row.yes_count, row.no_count),
    }
    text = json.dumps([sort, *(values[key] for key in _KEYS[sort])])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _evenness(yes: int, no: int) -> int:
    """As the computed column has it."""
    return 1000 * min(yes, no) // (yes + no) if yes + no else 0


def _read_cursor(wanted: VoteFilter) -> list[Any]:
    try:
        padded = (wanted.cursor or "") + "=" * (-len(wanted.cursor or "") % 4)
        parts: list[Any] = json.loads(base64.urlsafe_b64decode(padded.encode()))
        sort, *values = parts
        if sort != wanted.sort or len(values) != len(_KEYS[sort]):
            raise ValueError(sort)
        if sort == "closing":
            values[0] = datetime.fromisoformat(values[0]).astimezone(UTC)
        if not all(isinstance(v, datetime) or (type(v) is int and abs(v) < 2**63) for v in values):
            raise ValueError(values)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InvalidInput("cursor", "cursor_invalid") from error
    return values
