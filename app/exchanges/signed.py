"""What the brokers of both exchanges share: checking a key, remembering rules, sending once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from app.clock import monotonic
from app.domain.exchanges import (
    Balance,
    ExchangeName,
    KeyCheck,
    KeyProblem,
    Keys,
    KeyState,
    MarketRules,
    Offer,
    OrderIntent,
    OrderReport,
)
from app.exchanges.base import (
    BadCredentials,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    Maintenance,
    OrderRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownMarket,
)
from app.exchanges.http import within
from app.exchanges.intents import is_market
from app.exchanges.orderbook import OrderBooks
from app.exchanges.pacing import Pacer
from app.exchanges.private import PrivateApi, as_row, as_rows, read
from app.exchanges.refusals import NoSuchOrder, Refused
from app.exchanges.signing import Pairs, pairs
from app.exchanges.statements import NoFunds, read_balances, read_order, read_rules
from app.exchanges.wire import BadField, Row, read_time

RULES_GOOD_FOR_S = 60.0
#: Somebody waits for the answer when a key is checked, so its calls have this long together.
CHECK_S = 10.0
#: Any market will do to find out whether a key may look at orders; this one is always there.
PROBE_MARKET = "KRW-BTC"
_MOST_PAGES = 20
_PAGE = 100


@dataclass(slots=True)
class Memory:
    """What is kept of an account between calls: its pace, its markets' rules. Never its keys."""

    pacer: Pacer
    rules: dict[str, tuple[float, MarketRules]] = field(default_factory=dict)

    def fresh_rules(self, market: str) -> MarketRules | None:
        """The rules of a market, if they were read a moment ago."""
        read_at, rules = self.rules.get(market, (0.0, None))
        return rules if rules and monotonic() - read_at < RULES_GOOD_FOR_S else None


class SignedBroker(ABC):
    """A broker at a real exchange. Reads may be tried twice; whatever changes something is not.

    The two exchanges share most paths and fields; what differs stands in their own modules.
    """

    exchange: ExchangeName

    def __init__(
        self,
        api: PrivateApi,
        books: OrderBooks,
        memory: Memory,
        keys: Keys,
        now: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._books = books
        self._memory = memory
        self._keys = keys
        self._now = now
        self._reads = memory.pacer.gate("default")
        self._orders = memory.pacer.gate("order")

    def check_key(self) -> KeyCheck:
        """What the key is good for, found out by asking and by calls that change nothing.

        REFUSED also for a key that may not even see the balances. Never raises.
        """
        try:
            with within(CHECK_S):
                return self._check()
        except BadCredentials as error:
            return KeyCheck(KeyState.REFUSED, error.problem)
        except Maintenance:
            return KeyCheck(KeyState.UNKNOWN, KeyProblem.MAINTENANCE)
        except (ExchangeError, BadField):
            return KeyCheck(KeyState.UNKNOWN, KeyProblem.UNREACHABLE)

    def balances(self) -> list[Balance]:
        """All currencies of the account; Unavailable where one of them can't be read."""
        rows = as_rows(self._api.read("/v1/accounts", self._reads), "/v1/accounts")
        return read(lambda: read_balances(rows), "/v1/accounts")

    def rules(self, market: str) -> MarketRules:
        """Fees, minimum and step of a market, at most a minute old; UnknownMarket."""
        fresh = self._memory.fresh_rules(market)
        if fresh is not None:
            return fresh
        if not is_market(market):
            raise UnknownMarket(f"not a market: {market!r:.40}")
        row = as_row(self._chance(market), "/v1/orders/chance")
        tick = self._tick(market)
        rules = read(lambda: read_rules(row, market, tick), "/v1/orders/chance")
        self._memory.rules[market] = monotonic(), rules
        return rules

    def asks(self, market: str) -> list[Offer]:
        """What is for sale, asked anew each time: a book is of its moment."""
        return self._books.asks(market)

    def place(self, intent: OrderIntent) -> OrderReport:
        """Send an order once; which error means what is `Broker.place`'s to say.

        What was refused by name, or never left this machine, is sure. Everything else (no answer,
        half an answer, a web page, an answer that can't be read) leaves the outcome unknown.
        """
        body = self._body(intent)
        try:
            return read_order(as_row(self._send(body), "order"), intent.client_id)
        except (RateLimited, InsufficientFunds, DuplicateOrder):
            raise
        except Maintenance as error:
            raise OrderRefused("market_offline", str(error)) from error
        except (Unavailable, BadField) as error:
            raise OutcomeUnknown(f"{intent.client_id}: {error}") from error
        except Refused as error:
            raise OrderRefused(error.name, str(error)) from error
        except UnknownMarket as error:
            raise OrderRefused("unknown_market", str(error)) from error

    def order(self, client_id: str) -> OrderReport | None:
        """What became of an order. None only when the exchange says that there is no such order.

        It says so too of one that is still under way to it, so straight after an unknown outcome
        the first None is not the last word.
        """
        return self._find({self._id_name: client_id}, client_id)

    def open_orders(self) -> list[OrderReport]:
        """All open orders, oldest pages last. Unavailable when there is no end of them."""
        return [self._complete(row) for row in self._open_rows()]

    # What an exchange has of its own.

    _id_name: ClassVar[str]

    @abstractmethod
    def cancel(self, client_id: str) -> None:
        """As `Broker.cancel`."""

    @abstractmethod
    def _send(self, body: Mapping[str, str]) -> object:
        """Post an order."""

    @abstractmethod
    def _body(self, intent: OrderIntent) -> dict[str, str]:
        """The order in this exchange's words, or OrderRefused."""

    @abstractmethod
    def _open_rows(self) -> list[Row]:
        """All orders that wait, all pages."""

    @abstractmethod
    def _may_trade(self) -> bool | None:
        """Whether the key may place orders, found out without placing one."""

    @abstractmethod
    def _may_withdraw(self) -> bool | None:
        """Whether the key may withdraw, found out without withdrawing."""

    def _tick(self, market: str) -> Decimal | None:
        """The price step, where it isn't part of the chance."""
        return None

    # How it is done.

    def _check(self) -> KeyCheck:
        expires_at = self._expiry()
        if expires_at is not None and expires_at <= self._now():
            return KeyCheck(KeyState.REFUSED, KeyProblem.EXPIRED, expires_at=expires_at)
        can_view = has_right(lambda: self._api.read("/v1/accounts", self._reads))
        return KeyCheck(
            state=KeyState.GOOD if can_view else KeyState.REFUSED,
            problem=None if can_view else KeyProblem.MISSING_PERMISSION,
            can_view=can_view,
            can_view_orders=_if_it_can_be_told(
                lambda: has_right(lambda: self._chance(PROBE_MARKET))
            ),
            can_trade=_if_it_can_be_told(self._may_trade),
            can_withdraw=_if_it_can_be_told(self._may_withdraw),
            expires_at=expires_at,
        )

    def _expiry(self) -> datetime | None:
        rows = as_rows(self._api.read("/v1/api_keys", self._reads), "/v1/api_keys")
        own = next((row for row in rows if row.get("access_key") == self._keys.access), None)
        return read_time(own, "expire_at") if own and own.get("expire_at") else None

    def _chance(self, market: str) -> object:
        return self._api.read("/v1/orders/chance", self._reads, pairs({"market": market}))

    def _find(self, named: Mapping[str, str], client_id: str | None) -> OrderReport | None:
        try:
            row = as_row(self._api.read("/v1/order", self._reads, pairs(named)), "/v1/order")
        except NoSuchOrder:
            return None
        return read(lambda: read_order(row, client_id), "/v1/order")

    def _complete(self, row: Row) -> OrderReport:
        """A row of a list, or, where it doesn't tell what was spent, the order's own."""
        try:
            return read_order(row)
        except NoFunds:
            found = self._find({"uuid": str(row.get("uuid"))}, None)
        except BadField as error:
            raise Unavailable(f"open orders: {error}") from error
        if found is None:
            raise Unavailable("open orders: one of them is gone")
        return found

    def _pages(self, path: str, asked: Mapping[str, str | list[str]]) -> list[Row]:
        rows: list[Row] = []
        for page in range(1, _MOST_PAGES + 1):
            sent: Pairs = pairs({**asked, "page": str(page), "limit": str(_PAGE)})
            found = as_rows(self._api.read(path, self._reads, sent), path)
            rows += found
            if len(found) < _PAGE:
                return rows
        raise Unavailable(f"{path}: more than {_MOST_PAGES * _PAGE} orders")


def has_right(ask: Callable[[], object]) -> bool:
    """Whether the exchange answers, or says that the key lacks the right; other errors pass on."""
    try:
        ask()
    except BadCredentials as error:
        if error.problem is not KeyProblem.MISSING_PERMISSION:
            raise
        return False
    return True


def _if_it_can_be_told(ask: Callable[[], bool | None]) -> bool | None:
    try:
        return ask()
    except (Unavailable, Rejected):
        return None
