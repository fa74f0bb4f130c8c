"""Order books: what is for sale in a market, as both exchanges tell everybody."""

from collections.abc import Sequence

from app.domain.exchanges import Offer
from app.exchanges.base import UnknownMarket
from app.exchanges.http import Gate, HttpClient
from app.exchanges.intents import is_market
from app.exchanges.private import as_rows, read, told
from app.exchanges.wire import BadField, Row, read_amount

_PATH = "/v1/orderbook"


class OrderBooks:
    """The order books of one exchange; no key is needed. Safe to share between threads."""

    def __init__(self, http: HttpClient, gate: Gate) -> None:
        self._http = http
        self._gate = gate

    def asks(self, market: str) -> list[Offer]:
        """As `Broker.asks`; Unavailable where a single step of the book can't be read."""
        if not is_market(market):
            raise UnknownMarket(f"not a market: {market!r:.40}")
        reply = self._http.fetch(_PATH, {"markets": market}, self._gate)
        rows = as_rows(told(reply, _PATH), _PATH)
        return read(lambda: read_asks(rows, market), _PATH)


def read_asks(rows: Sequence[Row], market: str) -> list[Offer]:
    """The offers of a market, the cheapest first; BadField where its book isn't there.

    Bithumb leaves emptied steps in its book, and both fill up a short side with zeros.
    """
    own = next((row for row in rows if row.get("market") == market), {})
    units = own.get("orderbook_units")
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise BadField("no order book of the market")
    return sorted(
        (_offer(unit) for unit in units if read_amount(unit, "ask_size")),
        key=lambda one: one.price,
    )


def _offer(unit: Row) -> Offer:
    price = read_amount(unit, "ask_price")
    if not price:
        raise BadField("coins are offered for nothing")
    return Offer(price, read_amount(unit, "ask_size"))
