"""An account at Bithumb: Upbit's paths and fields, and what they mean otherwise here."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from app.clock import utcnow
from app.domain.exchanges import ExchangeName, Keys, OrderIntent
from app.exchanges.base import Rejected
from app.exchanges.http import HttpClient
from app.exchanges.intents import order_fields
from app.exchanges.orderbook import OrderBooks
from app.exchanges.pacing import Pacer
from app.exchanges.private import PrivateApi
from app.exchanges.refusals import NoSuchOrder
from app.exchanges.signed import Memory, SignedBroker, has_right
from app.exchanges.signing import HS256, Signer, pairs
from app.exchanges.wire import Row

log = logging.getLogger(__name__)

#: Per address and second Bithumb takes 140 questions, 150 about order books, and used to take 10
#: orders, from all keys together. Beyond that it wants no more calls for ten minutes, so the pauses
#: are long, too.
PACE = {"default": 30.0, "order": 6.0, "orderbook": 30.0}
PAUSE_S = 40.0
#: In the form of Bithumb's own numbers, and nobody's.
_NO_ORDER = "C0000000000000000000"


def shared_pacer() -> Pacer:
    """The pace of all accounts together: Bithumb counts the calls of an address."""
    return Pacer(PACE, pause_s=PAUSE_S)


class BithumbBroker(SignedBroker):
    """As `base.Broker`. Signed with the time of day: the clocks may not differ by much."""

    exchange = ExchangeName.BITHUMB
    _id_name = "client_order_id"

    def __init__(
        self,
        keys: Keys,
        http: HttpClient,
        memory: Memory,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        books = OrderBooks(http, memory.pacer.gate("orderbook"))
        super().__init__(PrivateApi(http, Signer(keys, HS256, now)), books, memory, keys, now)

    def cancel(self, client_id: str) -> None:
        """Ask to cancel, by the exchange's own number: it is the one that every version takes."""
        found = self.order(client_id)
        if found is None or found.state.is_final:
            return
        try:
            self._api.delete("/v2/order", self._orders, pairs({"order_id": found.exchange_id}))
        except Rejected as error:
            log.info("cancel_refused exchange=bithumb client_id=%s reason=%s", client_id, error)

    def _send(self, body: Mapping[str, str]) -> object:
        return self._api.post("/v2/orders", self._orders, body)

    def _body(self, intent: OrderIntent) -> dict[str, str]:
        return order_fields(intent, "order_type") | {self._id_name: intent.client_id}

    def _open_rows(self) -> list[Row]:
        return [
            row
            for state in ("wait", "watch")
            for row in self._pages("/v1/orders", {"state": state})
        ]

    def _may_trade(self) -> bool | None:
        """By cancelling an order that doesn't exist: that needs the right, and does nothing."""
        try:
            return has_right(
                lambda: self._api.delete("/v2/order", self._orders, pairs({"order_id": _NO_ORDER}))
            )
        except NoSuchOrder:
            return True

    def _may_withdraw(self) -> bool | None:
        """Nothing that Bithumb offers would tell without asking for a withdrawal in earnest."""
        return None
