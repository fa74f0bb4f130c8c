"""Candles are filled by the leader in the background, call by call, and give way to the minute."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from flask import Flask

from app.clock import monotonic, utcnow
from app.domain.candles import Ask
from app.domain.market import Candle
from app.exchanges.base import Market, RateLimited, Unavailable
from app.jobs.guard import Steps
from app.jobs.lease import HOLDER, is_led_elsewhere, take
from app.services import jobs as records
from app.services.market import (
    FILLING_JOB,
    Target,
    candle_targets,
    push_back,
    store_page,
    watched_codes,
)
from app.wiring import market

#: Who fills: a server or a command, never two at once, or they would pass the limit together.
LEASE_FOR = timedelta(seconds=60)
#: After so many calls in a row without an answer the exchange is left alone for a while.
MAX_FAILED_CALLS = 3
REST_S = 30.0
#: A command lets so many calls overlap.
LANES = 3
#: Between two calls in the background: about half of what the exchange allows.
PAUSE_S = 0.1
#: A pass ends then, so that what somebody began to look at meanwhile comes first.
PASS_S = 3.0
LOOK_S = 1.0
#: What nobody looks at is gone through as often as this.
ROUND_S = 20.0
RECORD_S = 60.0
#: The minute runs in these seconds of each minute and has the machine to itself.
MINUTE_RUNS = range(5, 10)


@dataclass(frozen=True, slots=True)
class _Call:
    """A question that is under way."""

    target: Target
    ask: Ask
    answer: Future[list[Candle]]


@dataclass(slots=True)
class Filling:
    """One pass over candles that are wanted. `progress` is told of each answer that was kept.

    `may_go_on` is asked before each call. With more than one of `lanes` calls about different
    candles overlap, so that a far exchange is asked as fast as its limit allows; answers are kept
    one by one all the same. `is_over` tells afterwards whether all was handled, and `is_refused`
    whether the exchange should be left alone for a while.
    """

    market: Market
    steps: Steps
    may_go_on: Callable[[], bool] = lambda: True
    progress: Callable[[int], None] = lambda _calls: None
    lanes: int = 1
    calls: int = 0
    stored: int = 0
    pushed_back: int = 0
    is_over: bool = False
    is_refused: bool = False
    failed_calls: int = field(default=0, init=False)

    def run(self, targets: Iterable[Target]) -> None:
        """Fill what is due, each target guarded on its own, as far as time and exchange allow."""
        waiting = deque((target, ask) for target in targets if (ask := target.ask) is not None)
        under_way: deque[_Call] = deque()
        with ThreadPoolExecutor(self.lanes, "candles") as pool:
            while waiting or under_way:
                while waiting and len(under_way) < self.lanes and self._goes_on():
                    under_way.append(self._asked(pool, *waiting.popleft()))
                if not under_way:
                    return
                told = self._kept(under_way.popleft())
                if told is not None and (ask := told.ask) is not None:
                    waiting.appendleft((told, ask))
        self.is_over = True

    def _goes_on(self) -> bool:
        return not self.is_refused and self.may_go_on()

    def _asked(self, pool: ThreadPoolExecutor, target: Target, ask: Ask) -> _Call:
        self.calls += 1
        answer = pool.submit(
            self.market.candles, target.market, target.unit, until=ask.until, count=ask.count
        )
        return _Call(target, ask, answer)

    def _kept(self, call: _Call) -> Target | None:
        """The target as known after the answer; None where there was none of use."""
        target = call.target
        with self.steps.guarded(f"{target.code} {target.unit:d}", partial(self._failed, target)):
            candles = call.answer.result()
            self.failed_calls = 0
            known = store_page(target=target, ask=call.ask, candles=candles, now=self.steps.now)
            self.stored += len(candles)
            self.progress(1)
            return known
        return None

    def _failed(self, target: Target, error: Exception) -> None:
        """Push the target ahead; an exchange that asks for quiet is obeyed and blames nobody."""
        self.failed_calls += isinstance(error, Unavailable)
        is_down = self.failed_calls >= MAX_FAILED_CALLS
        self.is_refused = self.is_refused or isinstance(error, RateLimited) or is_down
        if not isinstance(error, RateLimited):
            self.pushed_back += 1
            problem = f"{type(error).__name__}: {error}"
            push_back(target=target, problem=problem, now=self.steps.moment())


class CandleKeeper:
    """The thread that keeps the candles, as long as this process leads."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candles", daemon=True)
        self._next_round = self._next_record = 0.0
        self._calls, self._seconds = 0, 0.0

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call that is under way, and wait for that."""
        self._stopped.set()
        self._thread.join()

    def work(self, steps: Steps) -> float:
        """Fill what is due now; returns in how many seconds to look again."""
        if steps.now.second in MINUTE_RUNS:
            return MINUTE_RUNS.stop - steps.now.second
        if self._app.extensions["whaling_scheduler"] != "leader":
            return LOOK_S
        is_round = monotonic() >= self._next_round
        targets = due_targets(steps.now, only_watched=not is_round)
        if targets and not take(FILLING_JOB, LEASE_FOR):
            return REST_S
        filling = Filling(market(), steps, may_go_on=partial(self._may_go_on, steps))
        filling.run(targets)
        self._note(filling)
        if filling.is_refused:
            return REST_S
        if is_round and filling.is_over:
            self._next_round = monotonic() + ROUND_S
        return LOOK_S if filling.is_over else 0.0

    def _run(self) -> None:
        delay_s = 0.0
        while not self._stopped.wait(delay_s):
            delay_s = REST_S
            with self._app.app_context():
                steps = Steps(now=utcnow())
                with steps.guarded("candles"):
                    delay_s = self.work(steps)

    def _may_go_on(self, steps: Steps) -> bool:
        return not self._stopped.wait(PAUSE_S) and steps.elapsed_s() < PASS_S

    def _note(self, filling: Filling) -> None:
        """Write down once a minute what was done, for the pace that staff sees."""
        self._calls += filling.calls
        self._seconds += filling.steps.elapsed_s() if filling.calls else 0.0
        if not self._calls or monotonic() < self._next_record:
            return
        records.record_run(
            job=FILLING_JOB,
            holder=HOLDER,
            started_at=filling.steps.now,
            finished_at=filling.steps.moment(),
            ok=filling.steps.ok,
            report={"calls": self._calls, "seconds": round(self._seconds, 3)},
        )
        self._next_record = monotonic() + RECORD_S
        self._calls, self._seconds = 0, 0.0


class SomebodyFills(Exception):
    """Another process fills the candles now."""


@contextmanager
def turn_to_fill() -> Iterator[Callable[[], bool]]:
    """The turn of a command to fill; gives what to ask before each call.

    Beside a running server there is a pause between two calls, since that paces its own ones and
    both have the limit of one address. Raises SomebodyFills while another process has its turn.
    """
    if not take(FILLING_JOB, LEASE_FOR):
        raise SomebodyFills
    pause_s = PAUSE_S if is_led_elsewhere() else 0.0
    renew_at = monotonic() + LEASE_FOR.total_seconds() / 3

    def may_go_on() -> bool:
        nonlocal renew_at
        time.sleep(pause_s)
        if monotonic() < renew_at:
            return True
        renew_at = monotonic() + LEASE_FOR.total_seconds() / 3
        return take(FILLING_JOB, LEASE_FOR)

    try:
        yield may_go_on
    finally:
        records.release_leases(holder=HOLDER)


def due_targets(now: datetime, *, only_watched: bool = False) -> list[Target]:
    """Candles that are wanted, not known and not pushed ahead."""
    codes = watched_codes(now) if only_watched else None
    if codes is not None and not codes:
        return []
    found = candle_targets(now=now, codes=codes)
    if only_watched:
        found = [target for target in found if not target.rank]
    return [target for target in found if target.is_due(now)]
