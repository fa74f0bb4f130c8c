"""Backtests that people ask for: a queue, its progress, and the results they may see again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.runs import BacktestState
from app.domain.trading import BacktestSettings, backtest_from_json
from app.extensions import db
from app.models import Backtest
from app.services import idempotency
from app.services.idempotency import Asked, Kept
from app.services.market import catalogue
from app.services.trading.results import BacktestResult, from_json, to_json
from app.services.trading.testing import total_steps

#: So many are kept of each person; the oldest go first.
KEEP = 20
#: So many of one person may wait or run at once.
MOST_UNFINISHED = 3
#: After so many processes died over one, it isn't begun again.
MOST_ATTEMPTS = 3
KILLED = "killed"
_UNFINISHED = (BacktestState.WAITING, BacktestState.RUNNING)
_MOST_PROBLEM = 200


@dataclass(frozen=True, slots=True)
class BacktestRow:
    """A backtest as its owner's list shows it."""

    id: int
    settings: BacktestSettings
    state: BacktestState
    done: int
    total: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    problem: str | None

    @property
    def was_killed(self) -> bool:
        """Whether it was given up because the server died over it again and again."""
        return self.problem == KILLED

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more."""
        return self.state not in _UNFINISHED

    @property
    def pct(self) -> int:
        """How far it is, in whole percent."""
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class BacktestView:
    """One backtest with its result: there once it is done, unless we told it otherwise then."""

    row: BacktestRow
    cancel_requested: bool
    result: BacktestResult | None


@dataclass(frozen=True, slots=True)
class Work:
    """A backtest that is to be made; `asked_at` is the moment whose finished days it looks at."""

    id: int
    settings: BacktestSettings
    asked_at: datetime


def ask(*, user_id: int, settings: BacktestSettings, now: datetime) -> int:
    """Put a backtest into the queue; returns its number.

    Raises InvalidInput for a coin we don't know, Conflict `backtests_unfinished` while too many of
    the person aren't over. Beyond the newest 20 what is over is forgotten.
    """
    check_known(settings, now)
    with transaction() as session:
        return _asked(session, user_id, settings, now)


def ask_once(
    *,
    asked: Asked,
    user_id: int,
    settings: BacktestSettings,
    told: Callable[[int], Kept],
    now: datetime,
) -> Kept:
    """As `ask`, and the answer is kept in the same transaction; refusals are the same."""
    check_known(settings, now)
    return idempotency.once(
        asked=asked,
        deed=lambda session: _asked(session, user_id, settings, now),
        told=told,
        now=now,
    )


def check_known(settings: BacktestSettings, now: datetime) -> None:
    """Raise InvalidInput where a coin isn't of the exchange."""
    known = {coin.code for coin in catalogue(now)}
    if not known.issuperset(settings.codes):
        raise InvalidInput("codes", "coin_unknown")


def list_backtests(*, user_id: int) -> list[BacktestRow]:
    """A person's own, newest first."""
    rows = db.session.execute(
        select(*_ROW).where(Backtest.user_id == user_id).order_by(Backtest.id.desc()).limit(KEEP)
    )
    return [_row(row) for row in rows]


def get_backtest(*, user_id: int, backtest_id: int) -> BacktestView:
    """One of a person's own. Raises NotFound for any other."""
    row = db.session.execute(
        select(*_ROW, Backtest.cancel_requested, Backtest.result).where(
            Backtest.id == _ident(backtest_id), Backtest.user_id == user_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    result = from_json(row.result) if row.result else None
    return BacktestView(_row(row), row.cancel_requested, result)


def cancel(*, user_id: int, backtest_id: int, now: datetime) -> None:
    """Have it end: at once where it waits, within a second where it runs; again is harmless.

    What is over stays as it is. Raises NotFound for somebody else's.
    """
    own = (Backtest.id == _ident(backtest_id), Backtest.user_id == user_id)
    with transaction() as session:
        if session.scalar(select(Backtest.id).where(*own)) is None:
            raise NotFound
        session.execute(
            update(Backtest)
            .where(*own, Backtest.state == BacktestState.WAITING)
            .values(state=BacktestState.CANCELLED, cancel_requested=True, finished_at=now)
        )
        session.execute(
            update(Backtest)
            .where(*own, Backtest.state == BacktestState.RUNNING)
            .values(cancel_requested=True)
        )


def is_waited_for() -> bool:
    """Whether there is any work; one look at a small index."""
    found = db.session.scalar(select(Backtest.id).where(Backtest.state.in_(_UNFINISHED)).limit(1))
    return found is not None


def take_next(now: datetime) -> Work | None:
    """Begin the oldest that isn't over, or begin it again where a process was killed over it.

    Only who holds the queue's lease may call this. One that was to be cancelled ends here, and so
    does one over which `MOST_ATTEMPTS` processes died: it may be what kills them.
    """
    with transaction() as session:
        row = session.scalar(
            select(Backtest).where(Backtest.state.in_(_UNFINISHED)).order_by(Backtest.id).limit(1)
        )
        if row is None:
            return None
        if row.cancel_requested:
            row.state, row.finished_at = BacktestState.CANCELLED, now
            return None
        if row.attempts >= MOST_ATTEMPTS:
            row.state, row.problem, row.finished_at = BacktestState.FAILED, KILLED, now
            return None
        row.attempts += 1
        row.state, row.done = BacktestState.RUNNING, 0
        row.started_at = row.started_at or now
        return Work(row.id, backtest_from_json(row.asked), row.created_at)


def give_back(*, backtest_id: int) -> None:
    """The process that made it ends in good order: that it began counts for nothing."""
    with transaction() as session:
        session.execute(
            update(Backtest)
            .where(Backtest.id == backtest_id, Backtest.state == BacktestState.RUNNING)
            .values(attempts=Backtest.attempts - 1)
        )


def note_progress(*, backtest_id: int, done: int) -> bool:
    """Write down how many steps are done; False when it is to end."""
    with transaction() as session:
        moved = session.execute(
            update(Backtest)
            .where(
                Backtest.id == backtest_id,
                Backtest.state == BacktestState.RUNNING,
                Backtest.cancel_requested.is_(False),
            )
            .values(done=done)
        )
        return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def finish(*, backtest_id: int, result: BacktestResult, now: datetime) -> None:
    """Keep the result; one that was cancelled meanwhile is cancelled."""
    running = (Backtest.id == backtest_id, Backtest.state == BacktestState.RUNNING)
    with transaction() as session:
        session.execute(
            update(Backtest)
            .where(*running, Backtest.cancel_requested.is_(False))
            .values(
                state=BacktestState.DONE,
                done=Backtest.total,
                result=to_json(result),
                finished_at=now,
            )
        )
        _end(session, backtest_id, BacktestState.CANCELLED, None, now)


def end_cancelled(*, backtest_id: int, now: datetime) -> None:
    """It was cancelled while it ran."""
    with transaction() as session:
        _end(session, backtest_id, BacktestState.CANCELLED, None, now)


def fail(*, backtest_id: int, problem: str, now: datetime) -> None:
    """It can't be made; the person is told, and nothing tries again by itself."""
    with transaction() as session:
        _end(session, backtest_id, BacktestState.FAILED, problem[:_MOST_PROBLEM], now)


_ROW = (
    Backtest.id,
    Backtest.asked,
    Backtest.state,
    Backtest.done,
    Backtest.total,
    Backtest.created_at,
    Backtest.started_at,
    Backtest.finished_at,
    Backtest.problem,
)


def _asked(session: Session, user_id: int, settings: BacktestSettings, now: datetime) -> int:
    unfinished = session.scalar(
        select(func.count())
        .select_from(Backtest)
        .where(Backtest.user_id == user_id, Backtest.state.in_(_UNFINISHED))
    )
    if (unfinished or 0) >= MOST_UNFINISHED:
        raise Conflict("backtests_unfinished", most=MOST_UNFINISHED)
    made = Backtest(
        user_id=user_id,
        asked=settings.to_json(),
        state=BacktestState.WAITING,
        total=total_steps(settings),
        created_at=now,
    )
    session.add(made)
    session.flush()
    newest = (
        select(Backtest.id)
        .where(Backtest.user_id == user_id)
        .order_by(Backtest.id.desc())
        .limit(KEEP)
    )
    session.execute(
        delete(Backtest).where(
            Backtest.user_id == user_id,
            Backtest.id.not_in(newest),
            Backtest.state.not_in(_UNFINISHED),
        )
    )
    return made.id


def _end(
    session: Session, backtest_id: int, state: BacktestState, problem: str | None, now: datetime
) -> None:
    session.execute(
        update(Backtest)
        .where(Backtest.id == backtest_id, Backtest.state == BacktestState.RUNNING)
        .values(state=state, problem=problem, finished_at=now)
    )


def _row(row: Any) -> BacktestRow:
    return BacktestRow(
        id=row.id,
        settings=backtest_from_json(row.asked),
        state=row.state,
        done=row.done,
        total=row.total,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        problem=row.problem,
    )


def _ident(backtest_id: int) -> int:
    """A number that the database can hold; nothing has a larger one."""
    return min(backtest_id, 2**63 - 1)
