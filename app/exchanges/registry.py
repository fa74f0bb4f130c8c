"""The exchanges at which accounts can be linked, and what all calls to one of them share."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from app.clock import utcnow
from app.domain.exchanges import ExchangeName, Keys
from app.exchanges import bithumb_broker, upbit_broker
from app.exchanges.base import Broker
from app.exchanges.bithumb_broker import BithumbBroker
from app.exchanges.http import HttpClient
from app.exchanges.orderbook import OrderBooks
from app.exchanges.pacing import Pacer
from app.exchanges.signed import Memory
from app.exchanges.upbit_broker import UpbitBroker

MOST_REMEMBERED = 1_000


class Registry:
    """Makes brokers. Safe to share between threads; no socket is opened before the first call.

    A broker is made for each use and thrown away, so that keys don't linger. What must outlive it
    (how fast an account may be asked, its markets' rules) is remembered here, under a digest of
    the access key.
    """

    def __init__(
        self,
        *,
        upbit_url: str,
        bithumb_url: str,
        user_agent: str = "whaling",
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self._upbit = HttpClient(upbit_url, user_agent=user_agent)
        self._bithumb = HttpClient(bithumb_url, user_agent=user_agent)
        self._now = now
        self._public = Pacer(upbit_broker.PUBLIC_PACE)
        self._at_bithumb = bithumb_broker.shared_pacer()
        self._memories: OrderedDict[bytes, Memory] = OrderedDict()
        self._lock = threading.Lock()

    def broker(self, exchange: ExchangeName, keys: Keys) -> Broker:
        """The broker of one account."""
        memory = self._memory(exchange, keys)
        if exchange is ExchangeName.UPBIT:
            return UpbitBroker(keys, self._upbit, memory, self._public, self._now)
        return BithumbBroker(keys, self._bithumb, memory, self._now)

    def order_books(self, exchange: ExchangeName) -> OrderBooks:
        """The order books of an exchange, paced together with those that its brokers ask for."""
        if exchange is ExchangeName.UPBIT:
            return OrderBooks(self._upbit, self._public.gate("orderbook"))
        return OrderBooks(self._bithumb, self._at_bithumb.gate("orderbook"))

    def close(self) -> None:
        """Let go of the open lines."""
        self._upbit.close()
        self._bithumb.close()

    def _memory(self, exchange: ExchangeName, keys: Keys) -> Memory:
        name = f"{exchange} {keys.access}".encode(errors="replace")
        digest = hashlib.sha256(name).digest()
        with self._lock:
            memory = self._memories.setdefault(digest, self._fresh(exchange))
            self._memories.move_to_end(digest)
            if len(self._memories) > MOST_REMEMBERED:
                self._memories.popitem(last=False)
        return memory

    def _fresh(self, exchange: ExchangeName) -> Memory:
        if exchange is ExchangeName.UPBIT:
            return upbit_broker.account_memory()
        return Memory(self._at_bithumb)
