"""The engine: one look at all bots, and what one bot has to do at its exchange."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.db import transaction
from app.domain.exchanges import (
    Balance,
    ExchangeName,
    KeyProblem,
    KeyState,
    MarketRules,
    OrderIntent,
    OrderState,
    Side,
)
from app.domain.runs import BotState, LogKind, OrderReason
from app.domain.trading import (
    LEAST_ORDER,
    STALE_AFTER,
    Allocation,
    Bought,
    EnterAt,
    Exit,
    Held,
    Skip,
    Skipped,
    Watch,
    book_share,
    decide_all,
    entry_funds,
    exit_volume,
    trading_day,
)
from app.exchanges.base import (
    BadCredentials,
    Broker,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    OrderRefused,
    RateLimited,
    Rejected,
)
from app.extensions import db
from app.models import LinkedAccount
from app.services.exchanges import SealBroken
from app.services.trading import bots, orders
from app.services.trading.cases import Case, Pending, bought_of, read_cases
from app.services.trading.lines import add_line_once
from app.services.trading.orders import Known, Wish
from app.services.trading.plans import Planner
from app.services.trading.values import (
    Prices,
    money_left,
    note_values,
    read_prices,
    worth_at_day_start,
    worth_of,
)

log = logging.getLogger(__name__)
WON = "KRW"
#: After an exchange failed, a bot leaves it alone for so long …
PAUSE = timedelta(seconds=5)
#: … and a signal that can't be followed at the moment is looked at again after this.
SKIP_FOR = timedelta(minutes=1)
NOTE_VALUES_EVERY = timedelta(minutes=5)
#: How often an order is asked about, by how long ago it was sent.
_ASK_EVERY = (
    (timedelta(minutes=1), timedelta(seconds=1)),
    (timedelta(hours=1), timedelta(seconds=10)),
)
_ASK_LATER = timedelta(minutes=1)
_ZERO = Decimal(0)
#: A price at which any rest counts as large enough: the exchange decides.
_UNKNOWN_PRICE = Decimal(10) ** 12

#: The broker of a bot; SealBroken or BadCredentials where there is none.
BrokerFor = Callable[[Case], Broker]
Due = tuple[Watch, EnterAt | Exit]


@dataclass(frozen=True, slots=True)
class Task:
    """One bot that has something to do, and what is due."""

    case: Case
    due: tuple[Due, ...]
    prices: Prices


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
        self._quiet: dict[tuple[int, str], datetime] = {}
        self._ask_at: dict[int, datetime] = {}
        self._noted_at: datetime | None = None

    def look(self) -> list[Task]:
        """The bots that have something to do now. Asks no exchange."""
        now = self._clock()
        cases = read_cases(now)
        self._forget_old(cases, now)
        prices = read_prices(now)
        due = self._decide(cases, prices, now)
        self._note_values(cases, prices, now)
        tasks = (Task(case, tuple(due.get(case.bot_id, ())), prices) for case in cases)
        return [task for task in tasks if self._has_work(task, now)]

    def work(self, task: Task) -> None:
        """All that one bot has to do: settle what is in the air, then what is due.

        Raises ExchangeError when the exchange can't be used; the bot rests a moment then.
        """
        case = task.case
        try:
            broker = self._broker_for(case)
            self._work(task, broker)
        except (BadCredentials, SealBroken) as error:
            self._stop_for_key(case, error)
        except ExchangeError as error:
            pause = error.retry_after_s if isinstance(error, RateLimited) else 0.0
            self._be_quiet(case, "", max(PAUSE, timedelta(seconds=pause)))
            raise

    # What is due.

    def _decide(self, cases: Iterable[Case], prices: Prices, now: datetime) -> dict[int, list[Due]]:
        """By bot what its strategies say, sales first: they bring the money for purchases."""
        watches: dict[ExchangeName, list[Watch]] = {}
        for case in cases:
            if case.state is BotState.RUNNING:
                watches.setdefault(case.exchange, []).extend(self._watches(case, prices, now))
        due: dict[int, list[Due]] = {}
        for exchange, own in watches.items():
            for one in decide_all(own, prices.now, trading_day(now, exchange)):
                if not self._is_quiet(one[0].bot_id, one[0].market, now):
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
        if self._is_quiet(case.bot_id, "", now):
            return False
        ending = case.state in (BotState.STOPPING, BotState.HALTED)
        return ending or bool(task.due) or any(self._should_ask(one, now) for one in case.pending)

    def _note_values(self, cases: list[Case], prices: Prices, now: datetime) -> None:
        noted = self._noted_at
        if noted is None or abs(now - noted) >= NOTE_VALUES_EVERY or noted.date() != now.date():
            note_values(cases, prices, now)
            self._noted_at = now

    def _forget_old(self, cases: list[Case], now: datetime) -> None:
        pending = {order.id for case in cases for order in case.pending}
        self._ask_at = {one: at for one, at in self._ask_at.items() if one in pending}
        self._quiet = {one: until for one, until in self._quiet.items() if until > now}

    # What is done about it.

    def _work(self, task: Task, broker: Broker) -> None:
        case = task.case
        unsettled = [one for one in case.pending if not self._settle(case, one, broker)]
        if case.state is BotState.RUNNING:
            for watch, decision in task.due:
                self._follow(task, broker, watch, decision)
        elif case.state is BotState.STOPPING:
            if not unsettled:
                bots.rest(bot_id=case.bot_id, now=self._clock())
        elif case.state is BotState.HALTED and not unsettled:
            self._wind_up(task, broker)

    def _settle(self, case: Case, order: Pending, broker: Broker) -> bool:
        """Find out what became of an order; whether it is over."""
        now = self._clock()
        if order.state is OrderState.INTENDED:
            orders.give_up(order_id=order.id, now=now)
            return True
        if not self._should_ask(order, now):
            return False
        self._ask_at[order.id] = now + _pace(order, now)
        if self._should_cancel(case, order, now):
            broker.cancel(order.client_id)
        return self._ask(order.id, order.client_id, broker)

    def _ask(self, order_id: int, client_id: str, broker: Broker) -> bool:
        """Ask about an order and write down the answer; whether it is over."""
        report = broker.order(client_id)
        now = self._clock()
        if report is None:
            return orders.record_missing(order_id=order_id, now=now).is_final
        return orders.record_report(order_id=order_id, report=report, now=now).is_final

    def _should_ask(self, order: Pending, now: datetime) -> bool:
        """Whether it is time to ask (again); a clock that was set back has no say in it."""
        due = self._ask_at.get(order.id)
        return due is None or not now < due <= now + _ASK_LATER

    def _should_cancel(self, case: Case, order: Pending, now: datetime) -> bool:
        """Purchases of a bot that ends, or that came too late; all orders of a halted one."""
        if case.state is BotState.HALTED:
            return order.reason is not OrderReason.HALT
        if order.side is Side.SELL:
            return False
        is_stale = order.sent_at is not None and now - order.sent_at > STALE_AFTER
        return is_stale or case.state is BotState.STOPPING

    def _follow(self, task: Task, broker: Broker, watch: Watch, decision: EnterAt | Exit) -> None:
        """Buy or sell as the strategy says."""
        case, market = task.case, watch.market
        if isinstance(decision, Exit):
            self._sell(task, broker, market, decision.reason)
            return
        last = task.prices.now[market]
        known = self._known(task, broker.rules(market), last)
        rules = known.rules
        funds = entry_funds(
            free=min(_free(broker.balances(), WON), known.own_money),
            budget=Allocation(case.settings.share_pct).budget(known.worth),
            rules=rules,
            in_book=book_share(broker.asks(market), last=last, rules=rules, day=case.day),
            most=case.settings.limits.per_order,
        )
        if isinstance(funds, Skipped):
            self._skip(case, market, funds)
            return
        wish = Wish(case.bot_id, market, case.day, OrderReason.ENTRY, last, funds=funds)
        self._order(case, broker, wish, known)

    def _sell(self, task: Task, broker: Broker, market: str, reason: OrderReason) -> bool:
        """Sell what the bot bought of a market; whether there is something that can be sold."""
        case, held = task.case, task.case.held[market]
        last = task.prices.last.get(market)
        known = self._known(task, broker.rules(market), last)
        volume = exit_volume(
            bought=held.volume,
            free=_free(broker.balances(), market.partition("-")[2]),
            last=_UNKNOWN_PRICE if last is None else last,
            rules=known.rules,
        )
        if isinstance(volume, Skipped):
            self._skip(case, market, volume)
            return volume.why is Skip.MARKET_CLOSED
        price = held.price if last is None else last
        wish = Wish(case.bot_id, market, case.day, reason, round(price, 8), volume=volume)
        self._order(case, broker, wish, known)
        return True

    def _wind_up(self, task: Task, broker: Broker) -> None:
        """After a halt: sell what was bought if that is wanted, then end the run."""
        case = task.case
        to_sell = list(case.held) if case.halt_sells and case.run_id is not None else []
        left = [self._sell(task, broker, market, OrderReason.HALT) for market in to_sell]
        if not any(left):
            bots.rest(bot_id=case.bot_id, now=self._clock())

    def _order(self, case: Case, broker: Broker, wish: Wish, known: Known) -> None:
        """Intend, claim, send, record: whatever fails in between is found and asked about later."""
        order_id = orders.intend(wish=wish, known=known, now=self._clock())
        if order_id is None:
            self._be_quiet(case, wish.market, PAUSE)
            return
        intent = orders.claim(order_id=order_id, known=known, now=self._clock())
        if intent is not None:
            self._send(order_id, intent, broker)

    def _send(self, order_id: int, intent: OrderIntent, broker: Broker) -> None:
        """Send a claimed order, once, and write down what the exchange says of it."""
        try:
            report = broker.place(intent)
        except DuplicateOrder:
            return  # it is there, however that came: it will be asked about
        except ExchangeError as error:
            self._not_taken(order_id, error)
            return
        state = orders.record_report(order_id=order_id, report=report, now=self._clock())
        if not state.is_final:
            self._ask(order_id, intent.client_id, broker)

    def _not_taken(self, order_id: int, error: ExchangeError) -> None:
        """What an error says of an order that was sent: refused for sure, or unknown.

        Raises it again unless it is about this order alone.
        """
        problem = _refusal(error)
        if problem is None:
            orders.record_doubt(order_id=order_id, now=self._clock())
            raise error
        orders.record_refusal(
            order_id=order_id,
            problem=problem,
            now=self._clock(),
            arrived=not isinstance(error, RateLimited),
        )
        if not isinstance(error, Rejected):
            raise error

    def _known(self, task: Task, rules: MarketRules, last: Decimal | None) -> Known:
        case = task.case
        moved = money_left([case.bot_id])[case.bot_id]
        held = bought_of([case.bot_id]).get(case.bot_id, {})  # an order ago it may have been less
        worth = worth_of(case.settings.capital, moved, held, task.prices)
        start = worth_at_day_start(case, worth)
        db.session.rollback()  # no read stays open while the exchange is asked
        own = max(case.settings.capital + moved, _ZERO)
        return Known(rules, last, worth, start, own, self._live_trading)

    # What is said, and when to be quiet.

    def _skip(self, case: Case, market: str, skipped: Skipped) -> None:
        """Say once a day why a signal isn't followed, and look again later."""
        self._be_quiet(case, market, SKIP_FOR)
        if case.run_id is None:
            return
        with transaction() as session:
            add_line_once(
                session,
                run_id=case.run_id,
                kind=LogKind.SKIPPED,
                code=f"skip_{skipped.why}",
                now=self._clock(),
                market=market,
                day=str(case.day),
                had=skipped.had,
                needed=skipped.needed,
            )

    def _stop_for_key(self, case: Case, error: BadCredentials | SealBroken) -> None:
        """A key that isn't taken any more ends the run; the account says so, too."""
        problem = error.problem if isinstance(error, BadCredentials) else KeyProblem.INVALID
        now = self._clock()
        log.warning("bot=%d stopped: key %s", case.bot_id, problem)
        bots.stop_for(bot_id=case.bot_id, problem=f"key_{problem}", now=now)
        if case.account_id is not None and isinstance(error, BadCredentials):
            with transaction() as session:
                account = session.get_one(LinkedAccount, case.account_id)
                if account.unlinked_at is None:
                    account.state, account.problem = KeyState.REFUSED, problem
                    account.checked_at = now
        self._be_quiet(case, "", SKIP_FOR)

    def _be_quiet(self, case: Case, market: str, span: timedelta) -> None:
        self._quiet[case.bot_id, market] = self._clock() + span

    def _is_quiet(self, bot_id: int, market: str, now: datetime) -> bool:
        """A pause that lies far ahead was made by a clock that has been set back since: over."""
        until = self._quiet.get((bot_id, market))
        return until is not None and now < until <= now + timedelta(hours=1)


def _counted(held: Bought | None, last: Decimal | None) -> Held | None:
    """What is held as strategies see it; a rest that no exchange would take doesn't count."""
    if held is None or (last is not None and held.volume * last < LEAST_ORDER):
        return None
    return Held(round(held.price, 8), held.day)


def _refusal(error: ExchangeError) -> str | None:
    """Why an order surely isn't at the exchange; None when it may be there."""
    if isinstance(error, RateLimited):
        return "rate_limited"
    if isinstance(error, BadCredentials):
        return error.problem.value
    if isinstance(error, OrderRefused):
        return error.code
    if isinstance(error, InsufficientFunds):
        return "insufficient_funds"
    return "rejected" if isinstance(error, Rejected) else None


def _free(balances: Iterable[Balance], currency: str) -> Decimal:
    return next((one.free for one in balances if one.currency == currency), _ZERO)


def _pace(order: Pending, now: datetime) -> timedelta:
    age = now - order.sent_at if order.sent_at is not None else timedelta(0)
    return next((pause for limit, pause in _ASK_EVERY if age < limit), _ASK_LATER)
