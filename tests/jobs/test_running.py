"""How a job is run: under the lease, guarded, written down."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import jobs
from app.clock import utcnow
from app.domain.votes import CANDLE_SETTLES_IN
from app.exchanges.base import Unavailable
from app.extensions import db, scheduler
from app.jobs import HOLDER, JOBS, Job, run_job
from app.jobs.guard import Steps
from app.jobs.lease import is_leader
from app.jobs.timekeeper import Timekeeper
from app.models import JobRun, Lease
from app.services import jobs as records
from tests import factories as make


@pytest.fixture
def stage(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app
        db.session.rollback()


def job(run: object) -> Job:
    return Job("test", run, {}, 1)  # type: ignore[arg-type]


def runs() -> list[JobRun]:
    db.session.rollback()
    return list(db.session.scalars(select(JobRun).order_by(JobRun.id)))


def test_run_is_written_down_with_its_report(stage: Flask) -> None:
    run_job(stage, job(lambda steps: steps.report.update(settled=3)))

    (found,) = runs()
    assert (found.job, found.holder, found.ok, found.report) == (
        "test", HOLDER, True, '{"settled": 3}',
    )  # fmt: skip
    assert found.started_at <= found.finished_at <= utcnow()
    assert stage.extensions["whaling_scheduler"] == "leader"


def test_run_that_raises_is_written_down_as_bad(
    stage: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_steps: Steps) -> None:
        raise ZeroDivisionError

    run_job(stage, job(fail))

    (found,) = runs()
    assert (found.ok, found.report) == (False, '{"failed": ["test"]}')
    assert "step=test failed" in caplog.text


def test_standby_runs_nothing(stage: Flask) -> None:
    now = utcnow()
    records.acquire_lease(name="scheduler", holder="other", now=now, keep=timedelta(minutes=1))

    run_job(stage, job(lambda _steps: pytest.fail("a standby ran the job")))

    assert runs() == []
    assert stage.extensions["whaling_scheduler"] == "standby"


def test_failing_step_stops_no_other_and_is_told_its_error(stage: Flask) -> None:
    steps, told = Steps(now=make.NOW), []

    with steps.guarded("first", told.append):
        raise Unavailable("down")
    with steps.guarded("second"):
        steps.report["second"] = "done"

    assert (steps.ok, steps.report) == (False, {"failed": ["first"], "second": "done"})
    assert [str(error) for error in told] == ["down"]


def test_handler_that_fails_itself_is_guarded_too(stage: Flask) -> None:
    steps = Steps(now=make.NOW)

    def handler(_error: Exception) -> None:
        raise ZeroDivisionError

    with steps.guarded("step", handler):
        raise Unavailable("down")

    assert steps.report["failed"] == ["step", "step: on error"]


def test_session_that_failed_in_a_step_works_in_the_next(stage: Flask) -> None:
    steps = Steps(now=make.NOW)

    with steps.guarded("step"):
        db.session.add(Lease(name="x", expires_at=make.NOW))  # without a holder
        db.session.flush()

    assert steps.report["failed"] == ["step"]
    assert db.session.scalar(select(Lease.name)) is None


def test_exchange_that_fails_is_a_line_in_the_log_and_our_own_fault_a_traceback(
    stage: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    steps = Steps(now=make.NOW)

    for error in (Unavailable("down"), ZeroDivisionError()):
        with steps.guarded("step"):
            raise error

    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [
        ("WARNING", False),
        ("ERROR", True),
    ]


def test_guard_leaves_no_transaction_behind(stage: Flask) -> None:
    steps = Steps(now=make.NOW)

    with steps.guarded("step"):
        make.make_user("alice")
        raise Unavailable("down")

    assert make.make_user("bob")


def test_moment_moves_on_from_the_time_that_was_told() -> None:
    steps = Steps(now=make.NOW)

    assert make.NOW <= steps.moment() < make.NOW + timedelta(seconds=5)


@pytest.fixture
def scheduled(stage: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The scheduler runs with nothing beside it, and its jobs do nothing."""
    monkeypatch.setattr(jobs, "WORKERS", ())
    monkeypatch.setattr(jobs, "run_job", lambda _app, _job: None)
    jobs.start(stage)
    yield stage
    if scheduler.running:
        jobs.stop(stage)
    scheduler.remove_all_jobs()


def next_run(ident: str) -> datetime:
    moment: datetime = scheduler.get_job(ident).next_run_time
    return moment


def test_stopped_scheduler_gives_its_lease_back(scheduled: Flask) -> None:
    assert is_leader(scheduled)

    jobs.stop(scheduled)

    db.session.rollback()
    assert records.lease_holder(name="scheduler", now=utcnow()) is None


def test_workers_end_in_the_opposite_order(stage: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Worker:
        def __init__(self, name: str) -> None:
            self.start = lambda: told.append(f"{name} begins")
            self.stop = lambda: told.append(f"{name} ends")

    monkeypatch.setattr(jobs, "WORKERS", (lambda _app: Worker("one"), lambda _app: Worker("two")))

    jobs.start(stage)
    jobs.stop(stage)
    scheduler.remove_all_jobs()

    assert told == ["one begins", "two begins", "two ends", "one ends"]


def test_first_minute_is_not_waited_for(scheduled: Flask) -> None:
    waiting = scheduler.get_job("first-minute")

    assert waiting is None or waiting.next_run_time <= utcnow() + timedelta(seconds=1)


def test_clock_set_back_an_hour_delays_no_job(scheduled: Flask) -> None:
    clock_says = utcnow() + timedelta(hours=1)
    timekeeper = Timekeeper(scheduled, clock=lambda: clock_says)
    for job in JOBS:  # as they were timed by the clock that was ahead
        scheduler.get_job(job.ident).modify(next_run_time=utcnow() + timedelta(hours=2))
    timekeeper.look()
    assert next_run("minute") > utcnow() + timedelta(hours=1)

    clock_says = utcnow()
    timekeeper.look()

    assert next_run("minute") <= utcnow() + timedelta(minutes=1)
    assert next_run("housekeeping") <= utcnow() + timedelta(hours=1)


def test_jobs_never_overlap_and_forgive_only_less_than_their_period(scheduled: Flask) -> None:
    for ident, period_s in (("minute", 60), ("housekeeping", 3600)):
        found = scheduler.get_job(ident)
        assert (found.max_instances, found.coalesce) == (1, True)
        assert found.misfire_grace_time < period_s


def test_minute_begins_when_the_candle_of_the_minute_before_is_final() -> None:
    (minute,) = (job for job in JOBS if job.ident == "minute")

    assert timedelta(seconds=minute.trigger["second"]) > CANDLE_SETTLES_IN
