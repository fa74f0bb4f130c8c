"""CLOCKWORK: the table of jobs, and the one way to run one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from flask import Flask

from app.clock import utcnow
from app.extensions import scheduler
from app.jobs.backtests import BacktestWorker
from app.jobs.candles import CandleKeeper
from app.jobs.desk import BalanceKeeper
from app.jobs.guard import Steps
from app.jobs.housekeeping import run_housekeeping
from app.jobs.lease import HOLDER, is_leader
from app.jobs.minute import run_minute
from app.jobs.stream import PriceFeed
from app.jobs.timekeeper import Timekeeper
from app.jobs.trading import BotKeeper
from app.services import jobs as records

log = logging.getLogger(__name__)

#: So that the first page needn't share the processor with the first prices.
FIRST_MINUTE_AFTER = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the table: what runs, how often, and how late it may still start."""

    ident: str
    run: Callable[[Steps], None]
    trigger: dict[str, Any]
    grace_s: int


class Worker(Protocol):
    """A thread beside the jobs; it looks for itself whether this process leads."""

    def start(self) -> None:
        """Begin, in the background."""

    def stop(self) -> None:
        """End, waiting a moment for what is under way."""


# Six seconds past the minute: a deciding candle is final five seconds after its minute is over.
JOBS = (
    Job("minute", run_minute, {"trigger": "cron", "second": 6}, 50),
    Job("housekeeping", run_housekeeping, {"trigger": "cron", "minute": 17, "second": 40}, 600),
)

#: In the order in which they begin; they end the other way round.
WORKERS: tuple[Callable[[Flask], Worker], ...] = (
    Timekeeper,
    CandleKeeper,
    PriceFeed,
    BalanceKeeper,
    BacktestWorker,
    BotKeeper,
)


def init_app(app: Flask) -> None:
    """Nothing is started here; `run.py` alone calls `start`."""
    app.extensions["whaling_scheduler"] = "off"


def start(app: Flask) -> None:
    """Start the scheduler, and run the minute once right away so that nobody waits for prices."""
    for job in JOBS:
        scheduler.add_job(
            id=job.ident,
            func=run_job,
            args=[app, job],
            max_instances=1,
            coalesce=True,
            misfire_grace_time=job.grace_s,
            **job.trigger,
        )
    scheduler.add_job(
        id="first-minute",
        func=run_job,
        args=[app, JOBS[0]],
        trigger="date",
        run_date=utcnow() + FIRST_MINUTE_AFTER,
        max_instances=1,
    )
    scheduler.start()
    app.extensions["whaling_workers"] = workers = [worker(app) for worker in WORKERS]
    for worker in workers:
        worker.start()


def stop(app: Flask) -> None:
    """Let what runs end, and give the leases back."""
    for worker in reversed(app.extensions["whaling_workers"]):
        worker.stop()
    scheduler.shutdown(wait=True)
    with app.app_context():
        records.release_leases(holder=HOLDER)


def run_job(app: Flask, job: Job) -> None:
    """Run one job under the lease, guarded, and write down what it did."""
    with app.app_context():
        started_at = utcnow()
        if not is_leader(app):
            return
        steps = Steps(now=started_at)
        with steps.guarded(job.ident):
            job.run(steps)
        records.record_run(
            job=job.ident,
            holder=HOLDER,
            started_at=started_at,
            finished_at=steps.moment(),
            ok=steps.ok,
            report=steps.report,
        )
        log.info(
            "job=%s ok=%s seconds=%.3f %s", job.ident, steps.ok, steps.elapsed_s(), steps.report
        )
