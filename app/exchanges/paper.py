"""A broker that spends nothing: the rules of a real exchange over books of our own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Context, Decimal, localcontext

from app.clock import utcnow
from app.domain.exchanges import (
    Balance,
    ExchangeName,
    Fill,
    KeyCheck,
    KeyState,
    MarketRules,
    Offer,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    PaperOrder,
    Side,
)
from app.domain.kst import kst_day
from app.domain.trading import Costs, Ticks
from app.exchanges.base import (
    DuplicateOrder,
    InsufficientFunds,
    OrderRefused,
    PaperBook,
    PaperPage,
    UnknownMarket,
)
from app.exchanges.intents import is_market, order_fields

WON = "KRW"
_ZERO = Decimal(0)
_STEP = Decimal("0.00000001")
#: Enough digits for a sum of products of amounts: nothing here is ever rounded unasked.
_CONTEXT = Context(prec=100)
_WORDS = {Side.BUY: "bid", Side.SELL: "ask"}

#: The last price of a market that can be traded now, or None. It may read the database, but must
#: not go to the network: it is asked while the books are held.
PriceNow = Callable[[str], Decimal | None]
#: What is for sale in a market now; it may go to the network, and raise ExchangeError.
Asks = Callable[[str], list[Offer]]


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """What trading on paper costs, and how much may be ordered at once.

    `slippage` is how much worse than the last price an order trades, as a share.
    """

    fee: Decimal
    min_total: Decimal = Decimal(5_000)
    max_total: Decimal = Decimal(1_000_000_000)
    slippage: Decimal = Decimal("0.0005")


#: As the exchanges charge without any discount.
TERMS: Mapping[ExchangeName, PaperTerms] = {
    ExchangeName.UPBIT: PaperTerms(Decimal("0.0005")),
    ExchangeName.BITHUMB: PaperTerms(Decimal("0.0025")),
}


class PaperBroker:
    """As `base.Broker`, at the last price: fees, ticks, minimum and slippage as in earnest.

    A market order trades at once and whole, a limit order when the price, slippage included, has
    met it; its money is locked till then. Every rounding goes against the trader: prices to the
    worse tick, volumes down. Amounts are exact to the last digit, so that no won comes or goes.
    """

    def __init__(
        self,
        exchange: ExchangeName,
        book: PaperBook,
        price: PriceNow,
        asks: Asks,
        terms: PaperTerms | None = None,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self.exchange = exchange
        self._book = book
        self._price = price
        self._asks = asks
        self._terms = terms or TERMS[exchange]
        self._costs = Costs(self._terms.fee, self._terms.fee, self._terms.slippage)
        self._now = now

    def check_key(self) -> KeyCheck:
        """There is no key, so it is good, and nothing can be withdrawn."""
        return KeyCheck(
            KeyState.GOOD, can_view=True, can_view_orders=True, can_trade=True, can_withdraw=False
        )

    def balances(self) -> list[Balance]:
        """All currencies of the account."""
        with self._settled() as page:
            return page.balances()

    def rules(self, market: str) -> MarketRules:
        """The terms of this paper exchange; closed where no price is known. UnknownMarket."""
        if not is_market(market) or not market.startswith(f"{WON}-"):
            raise UnknownMarket(f"not a market on paper: {market!r:.40}")
        return MarketRules(
            market=market,
            bid_fee=self._terms.fee,
            ask_fee=self._terms.fee,
            min_total=self._terms.min_total,
            max_total=self._terms.max_total,
            is_open=self._price(market) is not None,
        )

    def asks(self, market: str) -> list[Offer]:
        """What is really for sale: paper that buys what nobody offers would flatter."""
        return self._asks(market)

    def place(self, intent: OrderIntent) -> OrderReport:
        """Take an order; refusals as at a real exchange. Nothing is ever left in doubt."""
        order_fields(intent, "kind")
        with self._settled() as page:
            if page.find(intent.client_id) is not None:
                raise DuplicateOrder(intent.client_id)
            last = self._price(intent.market)
            if last is None:
                raise OrderRefused("market_offline", f"no price of {intent.market}")
            price = self._dealt_at(intent.side, last)
            self._check(intent, price)
            self._lock(page, intent)
            taken = PaperOrder(intent, _taken(intent))
            if intent.kind is OrderKind.MARKET:
                filled = self._filled(page, taken, price)
                return self._close(page, filled, _ended(intent, filled.report))
            if _is_met(intent, price):
                return self._close(page, self._filled(page, taken, price), OrderState.FILLED)
            page.keep(taken)
            return taken.report

    def order(self, client_id: str) -> OrderReport | None:
        """What became of an order, or None."""
        with self._settled() as page:
            found = page.find(client_id)
            return found.report if found else None

    def cancel(self, client_id: str) -> None:
        """Take an open order off; its money comes back."""
        with self._settled() as page:
            found = page.find(client_id)
            if found is not None and not found.report.state.is_final:
                self._close(page, found, OrderState.CANCELLED)

    def open_orders(self) -> list[OrderReport]:
        """All open orders of the account."""
        with self._settled() as page:
            return [order.report for order in page.open_orders()]

    @contextmanager
    def _settled(self) -> Iterator[PaperPage]:
        """The books, after every order that rests has met the price of this moment.

        One that is met trades at its own price, even where the market has gone past it.
        """
        with localcontext(_CONTEXT), self._book.page() as page:
            for order in page.open_orders():
                last = self._price(order.intent.market)
                own = order.intent.price or _ZERO
                if last and _is_met(order.intent, self._dealt_at(order.intent.side, last)):
                    self._close(page, self._filled(page, order, own), OrderState.FILLED)
            yield page

    def _dealt_at(self, side: Side, last: Decimal) -> Decimal:
        """What an order pays or gets at the market: worse than the last price, on a tick."""
        today = kst_day(self._now())
        if side is Side.BUY:
            return self._costs.bought_at(last, today)
        return self._costs.sold_at(last, today)

    def _check(self, intent: OrderIntent, price: Decimal) -> None:
        """Refuse what a real exchange would refuse: steps, minimum, maximum."""
        own = intent.price
        if own is not None and own % Ticks().step(own, kst_day(self._now())):
            raise OrderRefused("off_tick", f"{own} is between two steps")
        total = intent.funds or (intent.volume or _ZERO) * (own or price)
        if total < self._terms.min_total:
            raise OrderRefused(f"under_min_total_{_WORDS[intent.side]}")
        if total > self._terms.max_total:
            raise OrderRefused(f"over_krw_funds_{_WORDS[intent.side]}")

    def _lock(self, page: PaperPage, intent: OrderIntent) -> None:
        """Set aside what the order may need; InsufficientFunds where there isn't as much."""
        pocket, needs = _balance(page, _payer(intent)), self._needs(intent)
        if pocket.free < needs:
            raise InsufficientFunds(f"{needs} {pocket.currency} needed")
        page.put_balance(replace(pocket, free=pocket.free - needs, locked=pocket.locked + needs))

    def _needs(self, intent: OrderIntent) -> Decimal:
        if intent.side is Side.SELL:
            return intent.volume or _ZERO
        total = intent.funds or (intent.price or _ZERO) * (intent.volume or _ZERO)
        return total * (1 + self._terms.fee)

    def _filled(self, page: PaperPage, order: PaperOrder, price: Decimal) -> PaperOrder:
        """Trade all of it: what was locked for it is spent, what it brings is free."""
        intent = order.intent
        volume = intent.volume or _cut((intent.funds or _ZERO) / price)
        if not volume:
            return order
        funds = price * volume
        fee = funds * self._terms.fee
        coins, won = _balance(page, _coin(intent)), _balance(page, WON)
        if intent.side is Side.BUY:
            page.put_balance(_bought(coins, volume, funds))
            page.put_balance(replace(won, locked=won.locked - funds - fee))
        else:
            page.put_balance(replace(coins, locked=coins.locked - volume))
            page.put_balance(replace(won, free=won.free + funds - fee))
        fill = Fill(f"{intent.client_id}-1", price, volume, funds, fee, self._now())
        return PaperOrder(
            intent,
            replace(
                order.report,
                executed_volume=volume,
                executed_funds=funds,
                paid_fee=fee,
                fills=(fill,),
            ),
        )

    def _close(self, page: PaperPage, order: PaperOrder, state: OrderState) -> OrderReport:
        """Nothing more becomes of the order: what is still locked for it comes back."""
        intent, report = order.intent, replace(order.report, state=state)
        spent = report.executed_funds + report.paid_fee
        if intent.side is Side.SELL:
            spent = report.executed_volume
        rest, pocket = self._needs(intent) - spent, _balance(page, _payer(intent))
        page.put_balance(replace(pocket, free=pocket.free + rest, locked=pocket.locked - rest))
        page.keep(PaperOrder(intent, report))
        return report


def _taken(intent: OrderIntent) -> OrderReport:
    number = f"paper-{intent.client_id}"
    return OrderReport(intent.client_id, number, OrderState.OPEN, _ZERO, _ZERO, _ZERO)


def _ended(intent: OrderIntent, report: OrderReport) -> OrderState:
    """As at the exchanges: a purchase that left something unspent ends cancelled."""
    is_spent = intent.funds is None or report.executed_funds == intent.funds
    return OrderState.FILLED if is_spent else OrderState.CANCELLED


def _is_met(intent: OrderIntent, price: Decimal) -> bool:
    own = intent.price or _ZERO
    return price <= own if intent.side is Side.BUY else price >= own


def _coin(intent: OrderIntent) -> str:
    return intent.market.partition("-")[2]


def _payer(intent: OrderIntent) -> str:
    return WON if intent.side is Side.BUY else _coin(intent)


def _balance(page: PaperPage, currency: str) -> Balance:
    found = (balance for balance in page.balances() if balance.currency == currency)
    return next(found, Balance(currency, _ZERO, _ZERO))


def _bought(coins: Balance, volume: Decimal, funds: Decimal) -> Balance:
    """More coins, and what one of them cost on average (rounded: it decides nothing)."""
    cost = coins.total * (coins.avg_buy_price or _ZERO) + funds
    average = (cost / (coins.total + volume)).quantize(_STEP)
    return replace(coins, free=coins.free + volume, avg_buy_price=average)


def _cut(volume: Decimal) -> Decimal:
    return volume.quantize(_STEP, rounding=ROUND_FLOOR)
