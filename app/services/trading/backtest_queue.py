"""The queue of backtests, from the side of who makes them: what is next, how far it is, its end."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.runs import BacktestState
from app.domain.trading import BacktestSettings, backtest_from_json
from app.extensions import db
from app.models import Backtest
from app.services.trading.results import BacktestResult, to_json

#: After so many processes died over one, it isn't begun again.
MOST_ATTEMPTS = 3
KILLED = "killed"
UNFINISHED = (BacktestState.WAITING, BacktestState.RUNNING)
_MOST_PROBLEM = 200


@dataclass(frozen=True, slots=True)
class Work:
    """A backtest that is to be made; `asked_at` is the moment whose finished days it looks at."""

    id: int
    settings: BacktestSettings
    asked_at: datetime


def is_waited_for() -> bool:
    """Whether there is any work; one look at a small index."""
    found = db.session.scalar(select(Backtest.id).where(Backtest.state.in_(UNFINISHED)).limit(1))
    return found is not None


def take_next(now: datetime) -> Work | None:
    """Begin the oldest that isn't over, or begin it again where a process was killed over it.

    Only who holds the queue's lease may call this. One that was to be cancelled ends here, and so
    does one over which `MOST_ATTEMPTS` processes died: it may be what kills them.
    """
    with transaction() as session:
        row = session.scalar(
            select(Backtest).where(Backtest.state.in_(UNFINISHED)).order_by(Backtest.id).limit(1)
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


def _end(
    session: Session, backtest_id: int, state: BacktestState, problem: str | None, now: datetime
) -> None:
    session.execute(
        update(Backtest)
        .where(Backtest.id == backtest_id, Backtest.state == BacktestState.RUNNING)
        .values(state=state, problem=problem, finished_at=now)
    )
