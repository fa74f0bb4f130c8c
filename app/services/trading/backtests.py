"""Backtests as people ask for them, see them get on, call them off, and see their results again."""

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
from app.services.trading.backtest_queue import KILLED, UNFINISHED
from app.services.trading.results import BacktestResult, from_json
from app.services.trading.testing import total_steps

#: So many are kept of each person; the oldest go first.
KEEP = 20
#: So many of one person may wait or run at once.
MOST_UNFINISHED = 3


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
        return self.state not in UNFINISHED

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
        .where(Backtest.user_id == user_id, Backtest.state.in_(UNFINISHED))
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
            Backtest.state.not_in(UNFINISHED),
        )
    )
    return made.id


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
