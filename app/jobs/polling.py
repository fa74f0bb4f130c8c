"""Asking for all prices again and again, while nothing pushes them."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

from app.clock import monotonic
from app.domain.market import Snapshot, Ticker, is_timely, newest_stamp
from app.exchanges.base import ExchangeError, Heard, Market, RateLimited
from app.jobs.beside import beside
from app.jobs.line import Tempo

log = logging.getLogger(__name__)


class Polling:
    """Asks every two seconds; less often while it fails, and not while told to stay away.

    `is_live` while the last answer was of the present; else `problem` says why it wasn't. It asks
    in a thread of its own, so that a slow answer doesn't keep the stream from coming back.
    """

    def __init__(self, tempo: Tempo) -> None:
        self._tempo = tempo
        self._due_at = 0.0
        self._failures = 0
        self._asking: Future[Snapshot[Ticker]] | None = None
        self.is_live = False
        self.problem: str | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether the first answer is still to come."""
        return self._asking is not None and not self.is_live and self.problem is None

    def ask(self, market: Market, clock: Callable[[], datetime]) -> Heard:
        """Ask if it is time to; returns all prices once they have come, nothing meanwhile."""
        if self._asking is None:
            if monotonic() < self._due_at:
                return Heard()
            self._due_at = monotonic() + self._tempo.poll_s
            self._asking = beside("polling", market.tickers)
        if not self._asking.done():
            return Heard()
        asking, self._asking = self._asking, None
        try:
            snapshot = asking.result()
        except ExchangeError as error:
            self._fail(error)
            return Heard()
        self._failures = 0
        now = clock()
        newest = newest_stamp(snapshot.rows, now)
        self.is_live = newest is not None and is_timely(newest, now)
        self.problem = None if self.is_live else f"the exchange's newest price is of {newest}"
        example = f"{snapshot.bad[0].market}: {snapshot.bad[0].reason}" if snapshot.bad else ""
        return Heard(snapshot.rows, len(snapshot.bad), example)

    def rest(self) -> None:
        """Nothing needs to be asked for; the next `ask` does so at once."""
        self._asking = None
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
