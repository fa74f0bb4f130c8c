"""An account at Upbit: what is Upbit's own in asking, ordering and cancelling."""

import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from app.clock import utcnow
from app.domain.exchanges import ExchangeName, Keys, OrderIntent
from app.exchanges.base import InsufficientFunds, Rejected
from app.exchanges.http import HttpClient
from app.exchanges.intents import order_fields
from app.exchanges.orderbook import OrderBooks
from app.exchanges.pacing import Pacer
from app.exchanges.private import PrivateApi, as_rows, read, told
from app.exchanges.refusals import Refused
from app.exchanges.signed import PROBE_MARKET, Memory, SignedBroker, has_right
from app.exchanges.signing import HS512, Signer, pairs
from app.exchanges.wire import Row, read_amount_or_none

log = logging.getLogger(__name__)

#: Per key and second Upbit takes 30 questions, 12 orders and 8 orders on trial.
PACE = {"default": 20.0, "order": 8.0, "order-test": 4.0}
#: Per address and second 10 questions about order books, whosever they are.
PUBLIC_PACE = {"orderbook": 8.0}
_ON_TRIAL = {"market": PROBE_MARKET, "side": "bid", "ord_type": "price", "price": "10000"}
_LOCKED = "open_api_withdraw_locked"


def account_memory() -> Memory:
    """What to keep of one key: Upbit counts each key's calls by itself."""
    return Memory(Pacer(PACE))


class UpbitBroker(SignedBroker):
    """As `base.Broker`. `public` paces what Upbit counts per address, for all accounts together."""

    exchange = ExchangeName.UPBIT
    _id_name = "identifier"

    def __init__(
        self,
        keys: Keys,
        http: HttpClient,
        memory: Memory,
        public: Pacer,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self._http = http
        self._public = public.gate("orderbook")
        api = PrivateApi(http, Signer(keys, HS512))
        super().__init__(api, OrderBooks(http, self._public), memory, keys, now)
        self._trials = memory.pacer.gate("order-test")

    def cancel(self, client_id: str) -> None:
        """Ask to cancel. The answer still says `wait`, so it is not looked at.

        An order that is over, or was never there, is refused in several ways; none of them matters
        here, since `order` tells what became of it.
        """
        try:
            self._api.delete("/v1/order", self._reads, pairs({self._id_name: client_id}))
        except Rejected as error:
            log.info("cancel_refused exchange=upbit client_id=%s reason=%s", client_id, error)

    def _send(self, body: Mapping[str, str]) -> object:
        return self._api.post("/v1/orders", self._orders, body)

    def _body(self, intent: OrderIntent) -> dict[str, str]:
        return order_fields(intent, "ord_type") | {self._id_name: intent.client_id}

    def _open_rows(self) -> list[Row]:
        return self._pages("/v1/orders/open", {"states": ["wait", "watch"]})

    def _may_trade(self) -> bool | None:
        """By an order on trial, which is checked and thrown away."""
        try:
            return has_right(lambda: self._api.post("/v1/orders/test", self._trials, _ON_TRIAL))
        except InsufficientFunds:
            return True

    def _may_withdraw(self) -> bool | None:
        """By calling off a withdrawal that isn't there: that needs the right, and does nothing."""
        nobody = pairs({"uuid": str(uuid.uuid4())})
        try:
            return has_right(lambda: self._api.delete("/v1/withdraws/coin", self._reads, nobody))
        except Refused as error:
            return True if error.name == _LOCKED or error.name.endswith("not_found") else None

    def _tick(self, market: str) -> Decimal | None:
        """The step of today's price; None where the exchange doesn't name one."""
        path = "/v1/orderbook/instruments"
        reply = self._http.fetch(path, {"markets": market}, self._public)
        rows = as_rows(told(reply, path), path)
        own = next((row for row in rows if row.get("market") == market), {})
        return read(lambda: read_amount_or_none(own, "tick_size"), path) or None
