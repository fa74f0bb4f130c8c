"""The line to the exchange's stream: when it is opened, given up as silent, and tried again."""

import logging
import secrets
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.clock import monotonic
from app.domain.market import is_timely
from app.exchanges.base import ExchangeError, Heard, PriceStream, RateLimited, Unavailable
from app.jobs.beside import beside

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often things are done, and how long they are waited for, in seconds."""

    listen_s: float = 0.2
    write_s: float = 1.0
    poll_s: float = 2.0
    longest_poll_s: float = 10.0
    #: Some market trades every second; after this long without a price of now the line is dead.
    silence_s: float = 10.0
    first_retry_s: float = 1.0
    longest_retry_s: float = 30.0
    #: How long the exchange's list of ours may be out of date.
    look_s: float = 5.0


class Line:
    """A stream that is kept open. `is_live` once it has told prices of the present.

    It fails in many ways and always alike: it is closed, `problem` says why, and it is tried again
    after a pause that doubles up to half a minute, a random part of it left out so that many
    clients don't come back at once. The pause is short again once a line has lasted. It is opened
    in a thread of its own, since an exchange that takes the call and says nothing costs seconds.
    """

    def __init__(self, stream: PriceStream | None, tempo: Tempo) -> None:
        self._stream, self._tempo = stream, tempo
        self._followed: frozenset[str] | None = None
        self._opening: Future[None] | None = None
        self._opening_for: frozenset[str] | None = None
        self._opened_at = self._alive_at = self._retry_at = 0.0
        self._failures = 0
        self.is_live = False
        self.opened = 0
        self.problem: str | None = "no stream is set up" if stream is None else None

    @property
    def reconnects(self) -> int:
        """How often the line was opened again."""
        return max(0, self.opened - 1)

    @property
    def open_for_s(self) -> float | None:
        """How long the line has been open; None while it isn't."""
        return None if self._followed is None else monotonic() - self._opened_at

    def tend(self, markets: frozenset[str]) -> None:
        """Open the line when that is due, or follow another set of markets on the open one.

        Opening isn't waited for: the line is open from the call on that finds it so.
        """
        if self._stream is None or markets == self._followed:
            return
        if not markets:
            self.close()
            return
        try:
            if self._followed is None:
                self._open(self._stream, markets)
            else:
                self._stream.follow(markets)
                self._followed = markets
        except ExchangeError as error:
            self._lose(error)

    def listen(self, seconds: float, now: datetime) -> bool:
        """Take in what comes within this time; False where there is no line to listen on."""
        if self._stream is None or self._followed is None:
            return False
        try:
            self._stream.listen(seconds, now)
        except ExchangeError as error:
            self._lose(error)
        return True

    def take(self, now: datetime) -> Heard:
        """What was told since the last time. A line that tells nothing of the present is closed."""
        if self._stream is None:
            return Heard()
        heard = self._stream.take()
        if self._followed is not None:
            self._judge(heard, now)
        return heard

    def give_up(self, problem: str) -> None:
        """Hang up on a line that tells what can't be believed, and try again after a pause."""
        self._lose(Unavailable(problem))

    def close(self) -> None:
        """Hang up; a later `tend` opens the line at once."""
        self._opening_for = None
        if self._stream is not None and not self._is_opening:
            self._opening = None
            self._stream.close()
        self._followed, self.is_live, self._retry_at = None, False, 0.0

    def end(self) -> None:
        """Hang up for good, also on a line that is just being opened."""
        if self._opening is not None:
            wait([self._opening])
        self.close()

    @property
    def _is_opening(self) -> bool:
        return self._opening is not None and not self._opening.done()

    def _open(self, stream: PriceStream, markets: frozenset[str]) -> None:
        if self._opening is None:
            if monotonic() < self._retry_at:
                return
            self._opening_for = markets
            self._opening = beside("stream-opening", partial(stream.open, markets))
        if self._is_opening:
            return
        opening, self._opening = self._opening, None
        if self._opening_for is None:  # hung up before it was open
            stream.close()
            return
        opening.result()
        self._followed = self._opening_for
        self._opened_at = self._alive_at = monotonic()
        self.opened += 1
        log.info("stream_open markets=%d", len(self._followed))

    def _judge(self, heard: Heard, now: datetime) -> None:
        if any(is_timely(tick.stamped_at, now) for tick in heard.ticks):
            self._prove_alive()
        elif heard.ticks or heard.refused:
            self.problem = _doubt(heard, now)
        if monotonic() - self._alive_at > self._tempo.silence_s:
            self._lose(Unavailable(self.problem or "the stream says nothing"))

    def _prove_alive(self) -> None:
        self._alive_at = monotonic()
        self.is_live, self.problem = True, None
        if self._alive_at - self._opened_at > self._tempo.silence_s:
            self._failures = 0

    def _lose(self, error: ExchangeError) -> None:
        self.close()
        self._failures += 1
        longest = self._tempo.first_retry_s * 2.0 ** min(self._failures - 1, 16)
        pause = min(longest, self._tempo.longest_retry_s)
        pause *= secrets.SystemRandom().uniform(0.5, 1)
        if isinstance(error, RateLimited):
            pause = max(pause, error.retry_after_s)
        self._retry_at = monotonic() + pause
        self.problem = str(error)
        log.warning("stream_lost retry_s=%.1f: %s", pause, error)


def _doubt(heard: Heard, now: datetime) -> str:
    """Why what was told isn't of the present."""
    if not heard.ticks:
        return f"the stream tells nothing that holds: {heard.example}"
    behind = min(now - tick.stamped_at for tick in heard.ticks)
    return f"the stream's clock and ours differ: it is {behind.total_seconds():.0f} s behind"
