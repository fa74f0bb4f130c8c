"""What was heard of prices and waits to be written: ticks, the state of the feed, complaints."""

import logging
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime

from app.clock import monotonic
from app.domain.market import FeedSource, Ticker, is_timely
from app.services.market import FeedNote, TickReport, store_ticks

log = logging.getLogger(__name__)

#: The state is written this often though nothing was traded, so that its age stays true.
NOTE_EVERY_S = 3.0
COMPLAIN_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class State:
    """The source at the moment, and why it is no better."""

    source: FeedSource
    reconnects: int = 0
    problem: str | None = None


class Unwritten:
    """What was heard and isn't on the board yet: one tick per market, kept until it is written.

    `state` is the one that was written last.
    """

    def __init__(self, now: datetime) -> None:
        self._ticks: dict[str, Ticker] = {}
        self.state = State(FeedSource.NONE)
        self._since = now
        self._heard_at: datetime | None = None
        self._noted_at = 0.0

    def add(self, ticks: Iterable[Ticker], now: datetime) -> None:
        """Take these in; what is of the present is a sign of life of the source."""
        for tick in ticks:
            waiting = self._ticks.get(tick.market)
            if waiting is None or waiting.traded_at <= tick.traded_at:
                self._ticks[tick.market] = tick
            if is_timely(tick.stamped_at, now):
                self._heard_at = now

    def write(self, state: State, now: datetime) -> TickReport | None:
        """Write all with the state of the feed; None where there is nothing to say."""
        is_due = monotonic() - self._noted_at >= NOTE_EVERY_S
        if not self._ticks and state == self.state and not is_due:
            return None
        since = self._since if state.source is self.state.source else now
        note = FeedNote(state.source, since, self._heard_at, state.reconnects, state.problem)
        report = store_ticks(ticks=self._ticks.values(), note=note, now=now)
        if since is not self._since:
            log.info("price_source=%s reconnects=%d problem=%s", *astuple(state))
        self._ticks.clear()
        self.state, self._since, self._noted_at = state, since, monotonic()
        return report


class Complaints:
    """What was left out, counted, and told to the log once a minute."""

    def __init__(self) -> None:
        self._count, self._example, self._tell_at = 0, "", 0.0

    def add(self, count: int, example: str) -> None:
        """So many more, and why one of them was."""
        if count:
            self._count, self._example = self._count + count, example

    def tell(self) -> None:
        """Tell, if there is something and the last time is a minute ago."""
        if self._count and monotonic() >= self._tell_at:
            log.warning("left_out ticks=%d last=%s", self._count, self._example)
            self._count, self._tell_at = 0, monotonic() + COMPLAIN_EVERY_S
