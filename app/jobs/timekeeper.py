"""A clock that is set back doesn't leave the jobs waiting for the hour they had come to."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask

from app.clock import monotonic, utcnow
from app.extensions import scheduler

log = logging.getLogger(__name__)

LOOK_S = 5.0
#: What a clock is slewed by between two looks is far less.
SET_BACK = timedelta(seconds=2)


class Timekeeper:
    """A thread that times all jobs anew when the clock was set back.

    The scheduler sleeps until the hour of the next run. After a clock that ran nine hours ahead was
    put right, no vote would close or settle for nine hours.
    """

    def __init__(self, app: Flask, *, clock: Callable[[], datetime] = utcnow) -> None:
        self._app, self._clock = app, clock
        self._began = self._beginning()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End at once."""
        self._stopped.set()

    def look(self) -> None:
        """Time the jobs anew if the clock was set back since the last look."""
        before, self._began = self._began, self._beginning()
        if before - self._began > SET_BACK:
            log.warning("clock_set_back seconds=%.0f", (before - self._began).total_seconds())
            for job in scheduler.get_jobs():
                job.reschedule(job.trigger)

    def _beginning(self) -> datetime:
        """When the seconds that never jump began to be counted, by the clock as it is now."""
        return self._clock() - timedelta(seconds=monotonic())

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            self.look()
