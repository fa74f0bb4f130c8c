"""What one bot has to do at its exchange: settle what is in the air, then follow what is due."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.db import transaction
from app.domain.exchanges import Balance, MarketRules, OrderIntent, OrderState, Side
from app.domain.runs import BotState, LogKind, OrderReason
from app.domain.trading import (
    STALE_AFTER,
    Allocation,
    EnterAt,
    Exit,
    Skip,
    Skipped,
    Watch,
    book_share,
    entry_funds,
    exit_volume,
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
from app.services.trading import orders, runs
from app.services.trading.cases import Case, Pending
from app.services.trading.checking import Known
from app.services.trading.lines import add_line_once
from app.services.trading.orders import Wish
from app.services.trading.pauses import Pauses
from app.services.trading.positions import bought_of
from app.services.trading.values import Prices, money_left, worth_at_day_start, worth_of

WON = "KRW"
#: After an exchange failed, a bot leaves it alone for so long …
PAUSE = timedelta(seconds=5)
#: … and a signal that can't be followed at the moment is looked at again after this.
SKIP_FOR = timedelta(minutes=1)
#: What was decided is done so soon or decided anew: behind slow exchanges an errand may wait …
DECIDED_FOR = timedelta(seconds=10)
#: … and a machine may sleep between claiming an order and sending it. Long before an order that
#: nobody has seen counts as never sent, and is replaced.
SENT_WITHIN = timedelta(seconds=5)
_ZERO = Decimal(0)
#: A price at which any rest counts as large enough: the exchange decides.
_UNKNOWN_PRICE = Decimal(10) ** 12

Due = tuple[Watch, EnterAt | Exit]


@dataclass(frozen=True, slots=True)
class Task:
    """One bot that has something to do, and what was due at that moment."""

    case: Case
    due: tuple[Due, ...]
    prices: Prices
    decided_at: datetime


class Errand:
    """One bot's way to its exchange and back. `run` raises ExchangeError when that can't be used.

    Whatever fails on the way is found by the next errand: each step is committed by itself.
    """

    def __init__(
        self,
        task: Task,
        broker: Broker,
        pauses: Pauses,
        *,
        live_trading: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._case = task.case
        self._due = task.due
        self._decided_at = task.decided_at
        self._prices = task.prices
        self._broker = broker
        self._pauses = pauses
        self._live_trading = live_trading
        self._clock = clock

    def run(self) -> None:
        """Settle what is in the air; then trade, rest or wind up, as the bot's state wants."""
        case = self._case
        unsettled = [one for one in case.pending if not self._settle(one)]
        if case.state is BotState.RUNNING:
            for watch, decision in self._due:
                if self._clock() - self._decided_at <= DECIDED_FOR:
                    self._follow(watch, decision)
        elif case.state is BotState.STOPPING and not unsettled:
            runs.rest(bot_id=case.bot_id, now=self._clock())
        elif case.state is BotState.HALTED and not unsettled:
            self._wind_up()

    # What is in the air.

    def _settle(self, order: Pending) -> bool:
        """Find out what became of an order; whether it is over."""
        now = self._clock()
        if order.state is OrderState.INTENDED:
            orders.give_up(order_id=order.id, now=now)
            return True
        if not self._pauses.should_ask(order, now):
            return False
        self._pauses.note_asked(order, now)
        if self._should_cancel(order, now):
            self._broker.cancel(order.client_id)
        return self._ask(order.id, order.client_id)

    def _ask(self, order_id: int, client_id: str) -> bool:
        """Ask about an order and write down the answer; whether it is over."""
        report = self._broker.order(client_id)
        now = self._clock()
        if report is None:
            return orders.record_missing(order_id=order_id, now=now).is_final
        return orders.record_report(order_id=order_id, report=report, now=now).is_final

    def _should_cancel(self, order: Pending, now: datetime) -> bool:
        """Purchases of a bot that ends, or that came too late; all orders of a halted one."""
        if self._case.state is BotState.HALTED:
            return order.reason is not OrderReason.HALT
        if order.side is Side.SELL:
            return False
        is_stale = order.sent_at is not None and now - order.sent_at > STALE_AFTER
        return is_stale or self._case.state is BotState.STOPPING

    # What is due.

    def _follow(self, watch: Watch, decision: EnterAt | Exit) -> None:
        """Buy or sell as the strategy says."""
        if isinstance(decision, Exit):
            self._sell(watch.market, decision.reason)
        else:
            self._buy(watch.market)

    def _buy(self, market: str) -> None:
        case, last = self._case, self._prices.now[market]
        known = self._known(self._broker.rules(market), last)
        rules = known.rules
        asks = self._broker.asks(market)
        funds = entry_funds(
            free=min(self._free(WON), known.own_money),
            budget=Allocation(case.settings.share_pct).budget(known.worth),
            rules=rules,
            in_book=book_share(asks, last=last, rules=rules, day=case.day),
            most=case.settings.limits.per_order,
        )
        if isinstance(funds, Skipped):
            self._skip(market, funds)
            return
        wish = Wish(case.bot_id, market, case.day, OrderReason.ENTRY, last, funds=funds)
        self._order(wish, known)

    def _sell(self, market: str, reason: OrderReason) -> bool:
        """Sell what the bot bought of a market; whether there is something that can be sold."""
        case, held = self._case, self._case.held[market]
        last = self._prices.last.get(market)
        known = self._known(self._broker.rules(market), last)
        volume = exit_volume(
            bought=held.volume,
            free=self._free(market.partition("-")[2]),
            last=_UNKNOWN_PRICE if last is None else last,
            rules=known.rules,
        )
        if isinstance(volume, Skipped):
            self._skip(market, volume)
            return volume.why is Skip.MARKET_CLOSED
        price = held.price if last is None else last
        wish = Wish(case.bot_id, market, case.day, reason, round(price, 8), volume=volume)
        self._order(wish, known)
        return True

    def _wind_up(self) -> None:
        """After a halt: sell what was bought if that is wanted, then end the run."""
        case = self._case
        to_sell = list(case.held) if case.halt_sells and case.run_id is not None else []
        left = [self._sell(market, OrderReason.HALT) for market in to_sell]
        if not any(left):
            runs.rest(bot_id=case.bot_id, now=self._clock())

    def _order(self, wish: Wish, known: Known) -> None:
        """Intend, claim, send, record: whatever fails in between is found and asked about later."""
        order_id = orders.intend(wish=wish, known=known, now=self._clock())
        if order_id is None:
            self._be_quiet(wish.market, PAUSE)
            return
        claimed_at = self._clock()
        intent = orders.claim(order_id=order_id, known=known, now=claimed_at)
        if intent is not None and self._clock() - claimed_at <= SENT_WITHIN:
            self._send(order_id, intent)

    def _send(self, order_id: int, intent: OrderIntent) -> None:
        """Send a claimed order, once, and write down what the exchange says of it."""
        try:
            report = self._broker.place(intent)
        except DuplicateOrder:
            return  # it is there, however that came: it will be asked about
        except ExchangeError as error:
            self._not_taken(order_id, error)
            return
        state = orders.record_report(order_id=order_id, report=report, now=self._clock())
        if not state.is_final:
            self._ask(order_id, intent.client_id)

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

    # What is known of the bot and its account.

    def _known(self, rules: MarketRules, last: Decimal | None) -> Known:
        case = self._case
        moved = money_left([case.bot_id])[case.bot_id]
        held = bought_of([case.bot_id]).get(case.bot_id, {})  # an order ago it may have been less
        worth = worth_of(case.settings.capital, moved, held, self._prices)
        start = worth_at_day_start(case, worth)
        db.session.rollback()  # no read stays open while the exchange is asked
        own = max(case.settings.capital + moved, _ZERO)
        return Known(rules, last, worth, start, own, self._live_trading)

    def _free(self, currency: str) -> Decimal:
        balances: Iterable[Balance] = self._broker.balances()
        return next((one.free for one in balances if one.currency == currency), _ZERO)

    # What is said.

    def _skip(self, market: str, skipped: Skipped) -> None:
        """Say once a day why a signal isn't followed, and look again later."""
        self._be_quiet(market, SKIP_FOR)
        if self._case.run_id is None:
            return
        with transaction() as session:
            add_line_once(
                session,
                run_id=self._case.run_id,
                kind=LogKind.SKIPPED,
                code=f"skip_{skipped.why}",
                now=self._clock(),
                market=market,
                day=str(self._case.day),
                had=skipped.had,
                needed=skipped.needed,
            )

    def _be_quiet(self, market: str, span: timedelta) -> None:
        self._pauses.be_quiet(self._case.bot_id, market, until=self._clock() + span)


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
