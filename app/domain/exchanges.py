"""A person's account at an exchange: keys and what they may do, balances, orders and their fate."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class ExchangeName(StrEnum):
    """The exchanges whose accounts can be linked."""

    UPBIT = "upbit"
    BITHUMB = "bithumb"


class KeyState(StrEnum):
    """What we know of a key: GOOD only after a positive answer, UNKNOWN while nobody answered."""

    GOOD = "good"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class KeyProblem(StrEnum):
    """Why a key was refused, or why nothing is known; each has its sentence for people."""

    INVALID = "invalid"
    EXPIRED = "expired"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    MISSING_PERMISSION = "missing_permission"
    ACCOUNT_BLOCKED = "account_blocked"
    CLOCK = "clock"
    UNREACHABLE = "unreachable"
    MAINTENANCE = "maintenance"


class Side(StrEnum):
    """BUY spends won, SELL spends coins."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """MARKET takes what the book offers (a buy names won, a sale coins); LIMIT names its price."""

    MARKET = "market"
    LIMIT = "limit"


class OrderState(StrEnum):
    """The life of an order.

    INTENDED: committed here, not sent yet. UNKNOWN: sent, nobody told what became of it, so ask and
    never send again. OPEN: the exchange has it. Final: FILLED, CANCELLED (with or without a part
    filled), REJECTED (the exchange refused it), NEVER_SENT (given up before sending, or proven not
    to have arrived).
    """

    INTENDED = "intended"
    UNKNOWN = "unknown"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    NEVER_SENT = "never_sent"

    @property
    def is_final(self) -> bool:
        """Nothing more will happen to it."""
        return self in _FINAL


_FINAL = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.NEVER_SENT}
)
#: The states of orders of which something may still become.
UNSETTLED = tuple(state for state in OrderState if not state.is_final)


@dataclass(frozen=True, slots=True)
class Keys:
    """The two halves of a key. Neither is ever part of a text that is logged or shown."""

    access: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def last_four(self) -> str:
        """All of a key that people ever see again."""
        return self.access[-4:]


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What the exchange said of a key. `can_…` is None where it can't be told without trying."""

    state: KeyState
    problem: KeyProblem | None = None
    can_view: bool | None = None
    can_view_orders: bool | None = None
    can_trade: bool | None = None
    can_withdraw: bool | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """One currency of an account: `free` can be spent, `locked` lies in orders. All exact."""

    currency: str
    free: Decimal
    locked: Decimal
    avg_buy_price: Decimal | None = None

    @property
    def total(self) -> Decimal:
        """Free and locked together."""
        return self.free + self.locked


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What an exchange asks of orders in one market, in its own words of today.

    Fees are shares (0.0005 = 0.05 %). `tick` is the price step where the exchange names one; else
    the table in `domain.trading` applies. `volume_decimals` are those of a coin's volume.
    """

    market: str
    bid_fee: Decimal
    ask_fee: Decimal
    min_total: Decimal
    max_total: Decimal | None = None
    tick: Decimal | None = None
    volume_decimals: int = 8
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """One step of an order book: so many coins are for sale at this price."""

    price: Decimal
    volume: Decimal

    @property
    def won(self) -> Decimal:
        """What all of it costs, without the fee."""
        return self.price * self.volume


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order as it is written down before it is sent.

    A market buy has `funds` (won to spend, without the fee), a market sale `volume`; a limit order
    `volume` and `price`. `client_id` is ours, unique for ever at the account.
    """

    client_id: str
    market: str
    side: Side
    kind: OrderKind
    volume: Decimal | None = None
    funds: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an order. `ident` is the exchange's, unique in the order; `fee` is in won."""

    ident: str
    price: Decimal
    volume: Decimal
    funds: Decimal
    fee: Decimal
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What the exchange says of an order now. Judge it by what was executed, not by the state.

    A market buy normally ends CANCELLED with its volume filled: the rest was too small to spend.
    """

    client_id: str
    exchange_id: str
    state: OrderState
    executed_volume: Decimal
    executed_funds: Decimal
    paid_fee: Decimal
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order in the paper books: what was asked for, and what became of it so far."""

    intent: OrderIntent
    report: OrderReport
