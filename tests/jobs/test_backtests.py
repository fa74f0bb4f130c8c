"""The worker of backtests: one at a time, ended within a second, begun again after a kill."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.domain.runs import BacktestState
from app.domain.trading import BacktestSettings
from app.extensions import db
from app.jobs import backtests as job
from app.jobs.backtests import BacktestWorker
from app.jobs.guard import Steps
from app.models import Backtest, User
from app.services import jobs as records
from app.services.trading import backtests, testing
from app.services.trading.backtests import BacktestRow
from tests import factories as make

CLOSES = [str(50_000 + 250 * (n * n % 17 + n // 7)) for n in range(120)]


@pytest.fixture
def worker(app: Flask, session: Session) -> Iterator[BacktestWorker]:
    """A leader's worker that no minute holds up; Bitcoin has 120 days."""
    app.extensions["whaling_scheduler"] = "leader"
    make.make_candles(make.make_coin("BTC", observed_at=utcnow()), *CLOSES, until=utcnow())
    worker = BacktestWorker(app, second=lambda: 30)
    yield worker
    worker.stop()


def ask(user: User) -> int:
    return backtests.ask(
        user_id=user.id, settings=BacktestSettings(days=120, window=20), now=utcnow()
    )


def row(user: User, ident: int) -> BacktestRow:
    db.session.rollback()
    return backtests.get_backtest(user_id=user.id, backtest_id=ident).row


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it didn't come to pass"
        time.sleep(0.02)


def slow(monkeypatch: pytest.MonkeyPatch, steps: int = 400) -> None:
    """A backtest of many steps that takes as long as its breaths."""

    def run(settings: BacktestSettings, *, progress: testing.Progress, **_asked: object) -> object:
        for done in range(steps):
            progress(min(done, 200))
            time.sleep(0.01)
        return {"version": 1, "coins": []}

    monkeypatch.setattr(job, "run_backtest", run)


def test_backtest_is_made_and_kept(
    worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "SHUFFLES", 5)
    ident = ask(alice)

    assert worker.work(Steps(now=utcnow())) == 0.0

    view = backtests.get_backtest(user_id=alice.id, backtest_id=ident)
    assert view.row.state is BacktestState.DONE
    assert view.result is not None
    assert view.result["coins"][0]["out_of_sample"] is not None


def test_standing_by_makes_nothing(app: Flask, worker: BacktestWorker, alice: User) -> None:
    app.extensions["whaling_scheduler"] = "standby"
    ident = ask(alice)

    assert worker.work(Steps(now=utcnow())) == job.LOOK_S
    assert row(alice, ident).state is BacktestState.WAITING


def test_nothing_is_taken_while_another_process_makes_them(
    worker: BacktestWorker, alice: User
) -> None:
    ident = ask(alice)
    records.acquire_lease(name=job.JOB, holder="far:1:x", now=utcnow(), keep=job.LEASE_FOR)

    assert worker.work(Steps(now=utcnow())) == job.REST_S
    assert row(alice, ident).state is BacktestState.WAITING


def test_progress_is_written_and_cancelling_seen_within_a_second(
    worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    ident = ask(alice)
    worker.start()
    wait_until(lambda: row(alice, ident).done > 0)

    asked_at = time.monotonic()
    backtests.cancel(user_id=alice.id, backtest_id=ident, now=utcnow())
    wait_until(lambda: row(alice, ident).is_over)

    assert time.monotonic() - asked_at < 1
    assert row(alice, ident).state is BacktestState.CANCELLED


def test_one_that_was_interrupted_is_made_by_the_next_process(
    app: Flask, worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        slow(patch)
        ident = ask(alice)
        worker.start()
        wait_until(lambda: row(alice, ident).state is BacktestState.RUNNING)
        worker.stop()
    assert row(alice, ident).state is BacktestState.RUNNING
    assert db.session.scalars(select(Backtest.attempts)).one() == 0

    monkeypatch.setattr(testing, "SHUFFLES", 2)
    BacktestWorker(app, second=lambda: 30).work(Steps(now=utcnow()))

    assert row(alice, ident).state is BacktestState.DONE


def test_losing_the_lead_leaves_it_to_the_next_leader(
    app: Flask, worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    ident = ask(alice)
    worker.start()
    wait_until(lambda: row(alice, ident).done > 0)

    app.extensions["whaling_scheduler"] = "standby"
    time.sleep(1)

    assert row(alice, ident).state is BacktestState.RUNNING
    assert worker.work(Steps(now=utcnow())) == job.LOOK_S


def test_lease_is_renewed_while_it_runs(
    worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "RENEW_S", 0.0)
    monkeypatch.setattr(job, "NOTE_S", 0.0)
    slow(monkeypatch, steps=3)
    ident = ask(alice)
    turns = iter((True, True, False))
    monkeypatch.setattr(job, "take", lambda *_asked: next(turns))

    worker.work(Steps(now=utcnow()))

    assert row(alice, ident).state is BacktestState.RUNNING


def test_work_waits_while_the_minute_runs(
    app: Flask, worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch, steps=3)
    second = [7]
    waiting = BacktestWorker(app, second=lambda: second[0])
    ident = ask(alice)
    waiting.start()
    wait_until(lambda: row(alice, ident).state is BacktestState.RUNNING)
    time.sleep(0.6)
    assert row(alice, ident).is_over is False

    second[0] = 10
    wait_until(lambda: row(alice, ident).is_over)
    waiting.stop()

    assert row(alice, ident).state is BacktestState.DONE


def test_failure_of_one_is_told_and_the_next_is_made(
    worker: BacktestWorker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_asked: object) -> None:
        raise ValueError("no such thing")

    first = ask(alice)
    with monkeypatch.context() as patch:
        patch.setattr(job, "run_backtest", broken)
        steps = Steps(now=utcnow())
        worker.work(steps)
    assert steps.ok is False
    assert row(alice, first).state is BacktestState.FAILED

    monkeypatch.setattr(testing, "SHUFFLES", 2)
    second = ask(alice)
    worker.work(Steps(now=utcnow()))

    assert row(alice, second).state is BacktestState.DONE


def test_stopping_before_it_began_is_harmless(app: Flask) -> None:
    BacktestWorker(app).stop()

    assert not [one for one in threading.enumerate() if one.name == "backtests"]
