"""Backtests are made by the leader in the background, one at a time, and give way to the minute."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from app.clock import monotonic, utcnow
from app.jobs.candles import MINUTE_RUNS
from app.jobs.guard import Steps
from app.jobs.lease import take
from app.services.trading import backtest_queue
from app.services.trading.backtest_queue import Work
from app.services.trading.testing import run_backtest

log = logging.getLogger(__name__)

#: One process makes backtests at a time; a killed one is followed at once on the same machine.
JOB = "backtests"
LEASE_FOR = timedelta(seconds=60)
LOOK_S = 0.5
#: How often progress is written down, and a wish to cancel seen.
NOTE_S = 0.4
RENEW_S = 20.0
#: After each piece of work others get the processor for a moment.
BREATH_S = 0.002
REST_S = 30.0


class Cancelled(Exception):
    """The person doesn't want it any more."""


class Interrupted(Exception):
    """This process is to end or doesn't lead any more; what runs is begun again by the next."""


class BacktestWorker:
    """The thread that makes backtests, as long as this process leads."""

    def __init__(self, app: Flask, *, second: Callable[[], int] = lambda: utcnow().second) -> None:
        self._app, self._second = app, second
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backtests", daemon=True)
        self._noted_at = self._renewed_at = 0.0

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End after the piece of work that is under way, and wait for that."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def work(self, steps: Steps) -> float:
        """Make the next backtest, if there is one; returns in how many seconds to look again."""
        if (
            self._app.extensions["whaling_scheduler"] != "leader"
            or not backtest_queue.is_waited_for()
        ):
            return LOOK_S
        if not take(JOB, LEASE_FOR):
            return REST_S
        work = backtest_queue.take_next(steps.moment())
        if work is not None:
            self._make(work, steps)
        return 0.0

    def _make(self, work: Work, steps: Steps) -> None:
        def failed(error: Exception) -> None:
            problem = f"{type(error).__name__}: {error}"
            backtest_queue.fail(backtest_id=work.id, problem=problem, now=steps.moment())

        with steps.guarded(f"backtest {work.id}", failed):
            try:
                result = run_backtest(
                    work.settings,
                    now=work.asked_at,
                    progress=lambda done: self._tell(work.id, done),
                )
                backtest_queue.finish(backtest_id=work.id, result=result, now=steps.moment())
                log.info("backtest=%d seconds=%.3f", work.id, steps.elapsed_s())
            except Cancelled:
                backtest_queue.end_cancelled(backtest_id=work.id, now=steps.moment())
            except Interrupted:
                backtest_queue.give_back(backtest_id=work.id)
                log.info("backtest=%d interrupted, to be begun again", work.id)

    def _tell(self, backtest_id: int, done: int) -> None:
        """After each piece: let others work, write progress down, see whether to go on."""
        stopped = self._stopped.wait(BREATH_S)
        while not stopped and self._second() in MINUTE_RUNS:
            stopped = self._stopped.wait(NOTE_S)
            self._note(backtest_id, done)
        if stopped:
            raise Interrupted
        self._note(backtest_id, done)

    def _note(self, backtest_id: int, done: int) -> None:
        if monotonic() < self._noted_at + NOTE_S:
            return
        self._noted_at = monotonic()
        if not self._goes_on():
            raise Interrupted
        if not backtest_queue.note_progress(backtest_id=backtest_id, done=done):
            raise Cancelled

    def _goes_on(self) -> bool:
        """Whether this process still leads, and nobody else has begun to make backtests."""
        if self._app.extensions["whaling_scheduler"] != "leader":
            return False
        if monotonic() < self._renewed_at + RENEW_S:
            return True
        self._renewed_at = monotonic()
        return take(JOB, LEASE_FOR)

    def _run(self) -> None:
        delay_s = 0.0
        while not self._stopped.wait(delay_s):
            delay_s = REST_S
            with self._app.app_context():
                steps = Steps(now=utcnow())
                with steps.guarded(JOB):
                    delay_s = self.work(steps)
