"""The engine: one look at all bots, and an errand for each that has something to do."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from app.db import transaction
from app.domain.exchanges import ExchangeName, KeyProblem, KeyState
from app.domain.runs import BotState
from app.domain.trading import LEAST_ORDER, Bought, EnterAt, Held, Watch, decide_all, trading_day
from app.exchanges.base import BadCredentials, Broker, ExchangeError, RateLimited
from app.models import LinkedAccount
from app.services.exchanges import SealBroken
from app.services.trading import runs
from app.services.trading.cases import Case, read_cases
from app.services.trading.errand import PAUSE, SKIP_FOR, Due, Errand, Task
from app.services.trading.pauses import Pauses
from app.services.trading.plans import Planner
from app.services.trading.values import Prices, note_values, read_prices

log = logging.getLogger(__name__)
NOTE_VALUES_EVERY = timedelta(minutes=5)

#: The broker of a bot; SealBroken or BadCredentials where there is none.
BrokerFor = Callable[[Case], Broker]


class Engine:
    """Decides for all bots at once; then each bot's work stands alone.

    What it remembers (plans of the day, pauses) may be lost at any moment: what matters is in the
    database. `work` of one bot must not run twice at once.
    """

    def __init__(
        self, broker_for: BrokerFor, *, live_trading: bool, clock: Callable[[], datetime]
    ) -> None:
        self._broker_for = broker_for
        self._live_trading = live_trading
        self._clock = clock
        self._planner = Planner()
        self._pauses = Pauses()
        self._noted_at: datetime | None = None

    def look(self) -> list[Task]:
        """The bots that have something to do now. Asks no exchange."""
        now = self._clock()
        cases = read_cases(now)
        self._pauses.forget(pending={one.id for case in cases for one in case.pending}, now=now)
        prices = read_prices(now)
        due = self._decide(cases, prices, now)
        self._note_values(cases, prices, now)
        tasks = (Task(case, tuple(due.get(case.bot_id, ())), prices, now) for case in cases)
        return [task for task in tasks if self._has_work(task, now)]

    def work(self, task: Task) -> None:
        """All that one bot has to do: settle what is in the air, then what is due.

        Raises ExchangeError when the exchange can't be used; the bot rests a moment then.
        """
        case = task.case
        try:
            broker = self._broker_for(case)
            Errand(
                task, broker, self._pauses, live_trading=self._live_trading, clock=self._clock
            ).run()
        except (BadCredentials, SealBroken) as error:
            self._stop_for_key(case, error)
        except ExchangeError as error:
            pause = error.retry_after_s if isinstance(error, RateLimited) else 0.0
            self._be_quiet(case.bot_id, max(PAUSE, timedelta(seconds=pause)))
            raise

    def leave_alone(self, bot_id: int) -> None:
        """Rest a bot whose work failed for no reason that we know: it isn't tried every second."""
        self._be_quiet(bot_id, SKIP_FOR)

    def _decide(self, cases: Iterable[Case], prices: Prices, now: datetime) -> dict[int, list[Due]]:
        """By bot what its strategies say, sales first: they bring the money for purchases."""
        watches: dict[ExchangeName, list[Watch]] = {}
        for case in cases:
            if case.state is BotState.RUNNING:
                watches.setdefault(case.exchange, []).extend(self._watches(case, prices, now))
        due: dict[int, list[Due]] = {}
        for exchange, own in watches.items():
            for one in decide_all(own, prices.now, trading_day(now, exchange)):
                if not self._pauses.is_quiet(one[0].bot_id, one[0].market, now):
                    due.setdefault(one[0].bot_id, []).append(one)
        for found in due.values():
            found.sort(key=lambda one: isinstance(one[1], EnterAt))
        return due

    def _watches(self, case: Case, prices: Prices, now: datetime) -> Iterable[Watch]:
        settings = case.settings
        for market in dict.fromkeys((*settings.markets, *case.held)):
            planned = self._planner.planned(settings, market, case.exchange, now)
            held = _counted(case.held.get(market), prices.now.get(market))
            yield Watch(
                bot_id=case.bot_id,
                market=market,
                strategy=planned.strategy,
                plan=planned.plan,
                held=held,
                traded=market not in settings.markets or case.has_traded(market),
            )

    def _has_work(self, task: Task, now: datetime) -> bool:
        case = task.case
        if self._pauses.is_quiet(case.bot_id, "", now):
            return False
        ending = case.state in (BotState.STOPPING, BotState.HALTED)
        asks = any(self._pauses.should_ask(one, now) for one in case.pending)
        return ending or bool(task.due) or asks

    def _note_values(self, cases: list[Case], prices: Prices, now: datetime) -> None:
        noted = self._noted_at
        if noted is None or abs(now - noted) >= NOTE_VALUES_EVERY or noted.date() != now.date():
            note_values(cases, prices, now)
            self._noted_at = now

    def _stop_for_key(self, case: Case, error: BadCredentials | SealBroken) -> None:
        """A key that isn't taken any more ends the run; the account says so, too."""
        problem = error.problem if isinstance(error, BadCredentials) else KeyProblem.INVALID
        now = self._clock()
        log.warning("bot=%d stopped: key %s", case.bot_id, problem)
        runs.stop_for(bot_id=case.bot_id, problem=f"key_{problem}", now=now)
        if case.account_id is not None and isinstance(error, BadCredentials):
            with transaction() as session:
                account = session.get_one(LinkedAccount, case.account_id)
                if account.unlinked_at is None:
                    account.state, account.problem = KeyState.REFUSED, problem
                    account.checked_at = now
        self._be_quiet(case.bot_id, SKIP_FOR)

    def _be_quiet(self, bot_id: int, span: timedelta) -> None:
        self._pauses.be_quiet(bot_id, "", until=self._clock() + span)


def _counted(held: Bought | None, last: Decimal | None) -> Held | None:
    """What is held as strategies see it; a rest that no exchange would take doesn't count."""
    if held is None or (last is not None and held.volume * last < LEAST_ORDER):
        return None
    return Held(round(held.price, 8), held.day)
