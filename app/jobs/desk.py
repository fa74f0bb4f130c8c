"""Balances of linked accounts are fetched by the leader while somebody waits for them."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from flask import Flask

from app.clock import monotonic, utcnow
from app.jobs.guard import Steps
from app.jobs.lease import leads
from app.services import exchanges
from app.services.exchanges import Doors, Sealer
from app.wiring import broker, fingerprint_key, sealing_keys

LOOK_S = 1.5
#: After a failure an account rests so long, twice as long each time, at most ten minutes.
FIRST_REST_S, LONGEST_REST_S = 30.0, 600.0
#: Checks are asked for by nobody; a few at a time leave the exchange to those who wait.
CHECKS_AT_ONCE = 3
#: Shutting down waits so long for a call to the exchange that is under way.
PATIENCE_S = 5.0
Deed = Callable[..., object]


class BalanceKeeper:
    """A thread that fetches what is due, account by account, as long as this process leads.

    Each account is guarded on its own: what fails is logged, rests for a growing while, and keeps
    nobody else waiting. The brokers pace their calls.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopped = threading.Event()
        self._rests: dict[tuple[str, int], tuple[float, float]] = {}
        self._thread = threading.Thread(target=self._run, name="balances", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End, waiting a moment for what is under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def work(self, now: datetime) -> Steps:
        """Fetch the balances that are due and look at the keys that nobody looked at for a day."""
        steps = Steps(now=now)
        with steps.guarded("balances"):
            self._each(steps, "balances", exchanges.due_for_balances(now), exchanges.refresh)
            keys = self._rested("key", exchanges.due_for_check(now))[:CHECKS_AT_ONCE]
            self._each(steps, "key", keys, self._check)
        return steps

    def _check(self, *, account_id: int, doors: Doors, now: datetime) -> None:
        """A key about which nobody could say anything is asked about again after a rest."""
        exchanges.recheck(account_id=account_id, doors=doors, now=now)
        if account_id in exchanges.due_for_check(now):
            self._let_rest("key", account_id)

    def _each(self, steps: Steps, what: str, idents: Iterable[int], deed: Deed) -> None:
        doors = Doors(Sealer(sealing_keys(), fingerprint_key()), broker)
        for ident in self._rested(what, idents):
            if self._stopped.is_set():
                return
            before = self._rests.get((what, ident))
            with steps.guarded(f"{what} account={ident}", partial(self._failed, what, ident)):
                deed(account_id=ident, doors=doors, now=steps.moment())
                steps.report[what] = steps.report.get(what, 0) + 1
            if self._rests.get((what, ident)) is before:
                self._rests.pop((what, ident), None)

    def _rested(self, what: str, idents: Iterable[int]) -> list[int]:
        moment = monotonic()
        return [one for one in idents if self._rests.get((what, one), (0.0, 0.0))[0] <= moment]

    def _failed(self, what: str, ident: int, _error: Exception) -> None:
        self._let_rest(what, ident)

    def _let_rest(self, what: str, ident: int) -> None:
        _until, last = self._rests.get((what, ident), (0.0, 0.0))
        rest = min(max(FIRST_REST_S, 2 * last), LONGEST_REST_S)
        self._rests[what, ident] = monotonic() + rest, rest

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            with self._app.app_context():
                steps = Steps(now=utcnow())
                with steps.guarded("desk"):
                    if leads():
                        self.work(steps.now)
