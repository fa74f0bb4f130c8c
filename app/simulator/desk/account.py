"""An account: its key and rights, its purse, and all orders it ever had."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from threading import RLock

from app.simulator.desk.amounts import STEP, ZERO
from app.simulator.desk.refused import Refused

RIGHTS = frozenset({"view", "orders", "trade", "withdraw"})
BID, ASK = "bid", "ask"
LIMIT, SPEND, MARKET, BEST = "limit", "price", "market", "best"
OPEN, WAITING = "wait", "watch"
DONE, CANCELLED = "done", "cancel"


@dataclass(slots=True)
class Pocket:
    """One currency: what can be spent, what lies in orders, what it cost on average."""

    free: Decimal = ZERO
    locked: Decimal = ZERO
    avg_buy_price: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill of an order."""

    ident: str
    price: Decimal
    volume: Decimal
    at: datetime

    @property
    def funds(self) -> Decimal:
        """What it moved in won."""
        return self.price * self.volume


@dataclass(slots=True)
class Order:
    """An order that the exchange took; `price` is the whole sum of one that spends won."""

    ident: str
    market: str
    side: str
    kind: str
    price: Decimal | None
    volume: Decimal | None
    name: str | None
    in_force: str | None
    fee: Decimal
    at: datetime
    ripe_at: float
    seen_ms: int
    state: str = OPEN
    locked: Decimal = ZERO
    paid_fee: Decimal = ZERO
    trades: list[Trade] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether something may still become of it."""
        return self.state in (OPEN, WAITING)

    @property
    def coin(self) -> str:
        """The currency that changes hands."""
        return self.market.split("-")[1]

    @property
    def executed_volume(self) -> Decimal:
        """What was bought or sold of the coin."""
        return sum((trade.volume for trade in self.trades), ZERO)

    @property
    def executed_funds(self) -> Decimal:
        """What that was in won, without the fee."""
        return sum((trade.funds for trade in self.trades), ZERO)

    @property
    def remaining(self) -> Decimal:
        """What is left of the volume, or of the won of an order that spends them."""
        if self.volume is not None:
            return self.volume - self.executed_volume
        return (self.price or ZERO) - self.executed_funds

    @property
    def needs(self) -> Decimal:
        """What must lie locked for the rest of it: won with the fee, or coins."""
        if self.side == ASK:
            return self.remaining
        unit = self.price if self.volume is not None else Decimal(1)
        return self.remaining * (unit or ZERO) * (1 + self.fee)


@dataclass(slots=True, eq=False)
class Account:
    """One person's account, found by its access key. `lock` is held while it is looked at."""

    access_key: str
    secret_key: str = field(repr=False)
    rights: frozenset[str]
    allowed_ips: frozenset[str] | None
    expires_at: datetime
    fee: Decimal
    blocked: bool = False
    purse: dict[str, Pocket] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    nonces: set[str] = field(default_factory=set)
    lock: RLock = field(default_factory=RLock)

    def pocket(self, currency: str) -> Pocket:
        """The pocket of a currency; an empty one where there is none yet."""
        return self.purse.setdefault(currency, Pocket())

    def change(self, currency: str, amount: Decimal) -> None:
        """Money comes or goes from outside; never below nothing."""
        pocket = self.pocket(currency)
        pocket.free = max(ZERO, pocket.free + amount)

    def take(self, order: Order) -> None:
        """Lock what the order needs, which must be there, and keep it."""
        pocket = self._payer(order)
        order.locked = order.needs
        pocket.free -= order.locked
        pocket.locked += order.locked
        self.orders.append(order)

    def fill(self, order: Order, trade: Trade) -> None:
        """Trade a part of the order: pay, receive, and let go of what need not be locked now."""
        order.trades.append(trade)
        fee = trade.funds * order.fee
        order.paid_fee += fee
        coins, won = self.pocket(order.coin), self.pocket("KRW")
        if order.side == BID:
            _average(coins, trade)
            self._release(order, order.needs, paid=trade.funds + fee)
            coins.free += trade.volume
        else:
            self._release(order, order.needs, paid=trade.volume)
            won.free += trade.funds - fee

    def close(self, order: Order, state: str) -> None:
        """Nothing more becomes of the order: what is locked for it comes back."""
        self._release(order, ZERO, paid=ZERO)
        order.state = state

    def find(self, ident: str | None, name: str | None) -> Order:
        """The order of this number, or else of this name; Refused where there is none."""
        for order in self.orders:
            if (order.ident == ident) if ident else (name and order.name == name):
                return order
        raise Refused(404, "order_not_found", "주문을 찾지 못했습니다.")

    def _payer(self, order: Order) -> Pocket:
        return self.pocket("KRW" if order.side == BID else order.coin)

    def _release(self, order: Order, still: Decimal, *, paid: Decimal) -> None:
        pocket = self._payer(order)
        pocket.locked -= order.locked - still
        pocket.free += order.locked - still - paid
        order.locked = still


def _average(pocket: Pocket, trade: Trade) -> None:
    before = pocket.free + pocket.locked
    cost = before * pocket.avg_buy_price + trade.funds
    pocket.avg_buy_price = (cost / (before + trade.volume)).quantize(STEP)
