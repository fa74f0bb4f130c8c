"""Asking for all prices again and again, while nothing pushes them."""

import logging
from collections.abc import Callable
from datetime import datetime

from app.clock import monotonic
from app.domain.market import is_timely, newest_stamp
from app.exchanges.base import ExchangeError, Heard, Market, RateLimited
from app.jobs.line import Tempo

log = logging.getLogger(__name__)


class Polling:
    """Asks every two seconds; less often while it fails, and not while told to stay away.

    `is_live` while the last answer was of the present; else `problem` says why it wasn't.
    """

    def __init__(self, tempo: Tempo) -> None:
        self._tempo = tempo
        self._due_at = 0.0
        self._failures = 0
        self.is_live = False
        self.problem: str | None = None

    def ask(self, market: Market, clock: Callable[[], datetime]) -> Heard:
        """All prices if it is time to ask, otherwise or in vain nothing."""
        if monotonic() < self._due_at:
            return Heard()
        try:
            snapshot = market.tickers()
        except ExchangeError as error:
            self._fail(error)
            return Heard()
        self._failures = 0
        self._due_at = monotonic() + self._tempo.poll_s
        now = clock()
        newest = newest_stamp(snapshot.rows, now)
        self.is_live = newest is not None and is_timely(newest, now)
        self.problem = None if self.is_live else f"the exchange's newest price is of {newest}"
        example = f"{snapshot.bad[0].market}: {snapshot.bad[0].reason}" if snapshot.bad else ""
        return Heard(snapshot.rows, len(snapshot.bad), example)

    def rest(self) -> None:
        """Nothing needs to be asked for; the next `ask` does so at once."""
        self._due_at, self._failures, self.is_live, self.problem = 0.0, 0, False, None

    def _fail(self, error: ExchangeError) -> None:
        self._failures += 1
        pause = min(self._tempo.poll_s * 2.0 ** min(self._failures, 9), self._tempo.longest_poll_s)
        if isinstance(error, RateLimited):
            pause = max(pause, error.retry_after_s)
        self._due_at = monotonic() + pause
        self.is_live, self.problem = False, str(error)
        if self._failures == 1:
            log.warning("polling_failed retry_s=%.1f: %s", pause, error)
