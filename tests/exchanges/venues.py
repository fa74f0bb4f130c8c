"""The three places where one can trade in tests: two simulated exchanges, and paper."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from app.domain.exchanges import Balance, ExchangeName, Keys, Offer, OrderState, PaperOrder
from app.exchanges.base import Broker
from app.exchanges.bithumb_broker import BithumbBroker
from app.exchanges.http import HttpClient
from app.exchanges.pacing import Pacer
from app.exchanges.paper import PaperBroker, PaperTerms
from app.exchanges.signed import Memory
from app.exchanges.upbit_broker import UpbitBroker
from app.simulator import Simulator

MARKET = "KRW-BTC"
FEE = Decimal("0.0005")
PRICE = Decimal(100_000_000)
SECRET = "whispered-secret-key-of-forty-characters"
_FAST = {"default": 1e6, "order": 1e6, "order-test": 1e6, "orderbook": 1e6}
_numbers = count(1)


@dataclass
class MemoryBook:
    """Paper books in memory: a page is a copy that replaces the books when it ends well."""

    held: dict[str, Balance] = field(default_factory=dict)
    orders: dict[str, PaperOrder] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def page(self) -> Iterator["MemoryPage"]:
        with self.lock:
            page = MemoryPage(dict(self.held), dict(self.orders))
            yield page
            self.held, self.orders = page.held, page.orders


@dataclass
class MemoryPage:
    held: dict[str, Balance]
    orders: dict[str, PaperOrder]

    def balances(self) -> list[Balance]:
        return list(self.held.values())

    def put_balance(self, balance: Balance) -> None:
        self.held[balance.currency] = balance

    def find(self, client_id: str) -> PaperOrder | None:
        return self.orders.get(client_id)

    def open_orders(self) -> list[PaperOrder]:
        return [each for each in self.orders.values() if each.report.state is OrderState.OPEN]

    def keep(self, order: PaperOrder) -> None:
        self.orders[order.intent.client_id] = order


@dataclass
class Venue:
    """One account somewhere: the broker that tests talk to, and what moves the world around it."""

    broker: Broker
    set_price: Callable[[Decimal | None], None]
    count_orders: Callable[[], int]
    keys: Keys | None = None

    def held(self) -> dict[str, tuple[Decimal, Decimal]]:
        """What the broker says the account holds: free and locked, points left out."""
        return {
            each.currency: (each.free, each.locked)
            for each in self.broker.balances()
            if each.currency != "P"
        }


def fresh_keys() -> Keys:
    """Keys that no account had before."""
    return Keys(f"whispered-access-key-{next(_numbers):019d}", SECRET)


def url_of(exchange: ExchangeName, sim: Simulator) -> str:
    """Where a simulated exchange takes signed questions."""
    return sim.url if exchange is ExchangeName.UPBIT else sim.bithumb_url


def signed_broker(
    exchange: ExchangeName, url: str, keys: Keys, http: HttpClient | None = None
) -> Broker:
    """A broker in a hurry: no pacing, short patience."""
    memory = Memory(Pacer(_FAST, max_wait_s=0))
    http = http or HttpClient(url, read_timeout=0.4, sleep=lambda _: None)
    if exchange is ExchangeName.UPBIT:
        return UpbitBroker(keys, http, memory, Pacer(_FAST, max_wait_s=0))
    return BithumbBroker(keys, http, memory)


def signed_venue(
    exchange: ExchangeName, sim: Simulator, balances: dict[str, str], **about: object
) -> Venue:
    """A fresh account at a simulated exchange; `about` as Simulator.add_account."""
    keys = fresh_keys()
    about = {"fee": FEE} | about
    sim.add_account(exchange.value, keys.access, keys.secret, balances, **about)  # type: ignore[arg-type]
    sim.set_price(MARKET, PRICE)
    return Venue(
        broker=signed_broker(exchange, url_of(exchange, sim), keys),
        set_price=lambda price: sim.set_price(MARKET, price),
        count_orders=lambda: len(sim.orders(keys.access)),
        keys=keys,
    )


def paper_venue(balances: dict[str, str]) -> Venue:
    """A fresh paper account, without slippage, so that the sums are those of the exchanges."""
    book = MemoryBook(
        {each: Balance(each, Decimal(free), Decimal(0)) for each, free in balances.items()}
    )
    prices: dict[str, Decimal | None] = {MARKET: PRICE}
    terms = PaperTerms(FEE, slippage=Decimal(0))
    return Venue(
        broker=PaperBroker(
            ExchangeName.UPBIT, book, prices.get, lambda _: [Offer(PRICE, Decimal(100))], terms
        ),
        set_price=lambda price: prices.update({MARKET: price}),
        count_orders=lambda: len(book.orders),
    )
