"""The stream: while this process leads, prices keep coming, pushed or else asked for."""

import threading
from collections.abc import Callable
from datetime import datetime

from flask import Flask

from app.clock import monotonic, utcnow
from app.domain.market import FeedSource, is_mass_leap
from app.exchanges.base import Heard
from app.extensions import db
from app.jobs.guard import Steps
from app.jobs.lease import leads
from app.jobs.line import Line, Tempo
from app.jobs.polling import Polling
from app.jobs.unwritten import Complaints, State, Unwritten
from app.services.market import followed_markets
from app.wiring import market, price_stream

LOOK_FOR_LEASE_S = 1.0
LONGEST_PAUSE_S = 30.0
#: Shutting down waits so long for a call to the exchange that is under way.
PATIENCE_S = 5.0
STOPPED = "the server was stopped"


class PriceFeed:
    """A thread that keeps the board up to date: by the stream, else by asking every two seconds.

    It does nothing unless this process holds the lease, and looks each second whether it does.
    The minute job doesn't know of it and doesn't wait for it: it has a session of its own and
    writes in transactions of milliseconds. Nothing ends it but `stop`: what fails is logged, and
    tried again after a growing pause.
    """

    def __init__(
        self, app: Flask, *, clock: Callable[[], datetime] = utcnow, tempo: Tempo | None = None
    ) -> None:
        self._app, self._clock, self._tempo = app, clock, tempo or Tempo()
        with app.app_context():
            self._line = Line(price_stream(), self._tempo)
        self._polling = Polling(self._tempo)
        self._unwritten = Unwritten(clock())
        self._complaints = Complaints()
        self._leads = False
        self._markets: frozenset[str] = frozenset()
        self._lease_at = self._markets_at = self._write_at = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="price-feed", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End, waiting a moment for what is under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            failures = 0 if self._guarded(self._turn) else failures + 1
            if failures:
                self._stopped.wait(min(2.0**failures, LONGEST_PAUSE_S))
        self._guarded(self._end)

    def _guarded(self, deed: Callable[[], None]) -> bool:
        """Each turn has a session of its own, so that nothing gathers over the months."""
        with self._app.app_context():
            steps = Steps(now=self._clock())
            with steps.guarded("stream"):
                deed()
        return steps.ok

    def _turn(self) -> None:
        """A fifth of a second of listening, and what is due after it."""
        self._look()
        if not self._leads:
            self._line.close()
            self._stopped.wait(LOOK_FOR_LEASE_S)
            return
        if not self._line.listen(self._tempo.listen_s, self._clock()):
            self._stopped.wait(self._tempo.listen_s)
        is_due = monotonic() >= self._write_at
        if is_due:
            self._hear(self._line.take(self._clock()))
        self._ask()
        if is_due and not self._stopped.is_set():
            self._write()

    def _look(self) -> None:
        """Whether we lead, and which markets there are."""
        if monotonic() >= self._lease_at:
            self._lease_at = monotonic() + LOOK_FOR_LEASE_S
            self._leads = leads()
        if self._leads and monotonic() >= self._markets_at:
            self._markets_at = monotonic() + self._tempo.look_s
            self._markets = followed_markets()
        db.session.remove()  # no read stays open while we talk to the exchange
        if self._leads:
            self._line.tend(self._markets)

    def _ask(self) -> None:
        """While the line tells nothing of the present, prices are asked for."""
        open_for = self._line.open_for_s
        if self._line.is_live:
            self._polling.rest()
        elif open_for is None or open_for > self._tempo.poll_s:  # a new line is given a moment
            self._hear(self._polling.ask(market(), self._clock))

    def _hear(self, heard: Heard) -> None:
        self._unwritten.add(heard.ticks, self._clock())
        self._complaints.add(heard.refused, heard.example)

    def _write(self) -> None:
        """Write what changed; at most once a second, for then the next turn only listens."""
        report = self._unwritten.write(self._state(), self._clock())
        if report is not None:
            self._write_at = monotonic() + self._tempo.write_s
            self._complaints.add(len(report.held_back), f"{report.held_back[:3]} leapt")
            held, judged = len(report.held_back), len(report.held_back) + report.stored
            if self._line.is_live and is_mass_leap(held=held, judged=judged):
                self._line.give_up(f"{held} of {judged} prices of the stream leapt")
        self._complaints.tell()

    def _state(self) -> State:
        reconnects = self._line.reconnects
        if self._line.is_live:
            return State(FeedSource.STREAM, reconnects)
        if self._polling.is_live:
            return State(FeedSource.POLLING, reconnects, self._line.problem)
        if self._polling.is_undecided:
            return self._unwritten.state
        problems = filter(None, (self._line.problem, self._polling.problem))
        return State(FeedSource.NONE, reconnects, "; ".join(problems) or None)

    def _end(self) -> None:
        """Hang up, and say so, that pages needn't wait until the last note is old."""
        self._line.end()
        if self._leads:
            self._unwritten.write(State(FeedSource.NONE, problem=STOPPED), self._clock())
