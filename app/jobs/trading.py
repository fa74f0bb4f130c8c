"""The bots' clockwork: while this process leads, every bot does what it has to, each on its own."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from flask import Flask

from app.clock import utcnow
from app.exchanges.base import Broker, ExchangeError
from app.extensions import db
from app.jobs.guard import Steps
from app.jobs.lease import leads
from app.services.exchanges import Sealer
from app.services.exchanges.linking import account_keys
from app.services.trading.books import BotBook
from app.services.trading.cases import Case
from app.services.trading.engine import Engine
from app.services.trading.errand import Task
from app.services.trading.values import read_prices
from app.wiring import bot_broker, fingerprint_key, live_trading, sealing_keys

TICK_S = 1.0
LOOK_FOR_LEASE_S = 2.0
#: So many bots may wait for their exchanges at the same time.
LANES = 4
#: Shutting down waits so long for what is under way at an exchange.
PATIENCE_S = 15.0


class BotKeeper:
    """A thread that looks at all bots once a second, and a few that do their work.

    It does nothing unless this process holds the lease. A bot whose exchange hangs is left alone
    until it is done, and holds up no other. The minute job doesn't know of it.
    """

    def __init__(self, app: Flask, *, clock: Callable[[], datetime] = utcnow) -> None:
        self._app, self._clock = app, clock
        with app.app_context():
            self._engine = Engine(_BrokerFor(clock), live_trading=live_trading(), clock=clock)
        self._at_work: dict[int, Future[None]] = {}
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(LANES, "bots")
        self._thread = threading.Thread(target=self._run, name="bot-keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing new, and let what is under way end, within reason."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait([work for work in self._at_work.values() if not work.cancelled()], PATIENCE_S)

    def turn(self) -> list[Future[None]]:
        """One look at all bots; the work that was begun by it."""
        began: list[Future[None]] = []
        with self._app.app_context():
            steps = Steps(now=self._clock())
            with steps.guarded("bots"):
                for task in self._engine.look():
                    if not self._is_at_work(task.case.bot_id):
                        work = self._pool.submit(self._work, task)
                        self._at_work[task.case.bot_id] = work
                        began.append(work)
            db.session.remove()
        return began

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._stopped.wait(TICK_S if self._turn_if_leading() else LOOK_FOR_LEASE_S)

    def _turn_if_leading(self) -> bool:
        with self._app.app_context():
            steps, held = Steps(now=self._clock()), False
            with steps.guarded("lease"):
                held = leads()
        if held:
            self.turn()
        return held

    def _is_at_work(self, bot_id: int) -> bool:
        work = self._at_work.get(bot_id)
        return work is not None and not work.done()

    def _work(self, task: Task) -> None:
        """What one bot has to do, in a session of its own; its failure is its own, too."""
        bot_id = task.case.bot_id

        def failed(error: Exception) -> None:
            if not isinstance(error, ExchangeError):  # after which the engine rests by itself
                self._engine.leave_alone(bot_id)

        with self._app.app_context():
            steps = Steps(now=self._clock())
            with steps.guarded(f"bot {bot_id}", failed):
                self._engine.work(task)


class _BrokerFor:
    """The broker of a bot: of its linked account, or over its paper books where it has none."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def __call__(self, case: Case) -> Broker:
        now = self._clock()
        sealer = Sealer(sealing_keys(), fingerprint_key())
        keys = account_keys(account_id=case.account_id, sealer=sealer)
        prices = read_prices(now).now
        book = BotBook(case.bot_id, case.settings.capital, now)
        db.session.rollback()  # no read stays open while an exchange is asked
        return bot_broker(case.exchange, keys, book, prices.get)
