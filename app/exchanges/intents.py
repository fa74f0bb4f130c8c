"""Orders in words: what every broker checks before it takes or sends anything."""

import re
from decimal import Decimal

from app.domain.exchanges import OrderIntent, OrderKind, Side
from app.exchanges.base import OrderRefused

VOLUME_DECIMALS = 8
_TOO_MUCH = Decimal(10) ** 15
_MARKET = re.compile(r"[A-Z]{2,5}-[A-Z0-9]{1,20}", re.ASCII)
#: What both exchanges take, and nothing that would mean something in a query.
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII)


def is_market(market: str) -> bool:
    """Whether this can be the code of a market."""
    return bool(_MARKET.fullmatch(market))


def order_fields(intent: OrderIntent, kind_name: str) -> dict[str, str]:
    """Market, side, kind, price and volume as both exchanges want them, numbers as plain text.

    `kind_name` is what the exchange calls the kind.

    OrderRefused where the intent can't be said, or would say something else in a query.
    """
    if not (is_market(intent.market) and _CLIENT_ID.fullmatch(intent.client_id)):
        raise OrderRefused("bad_name", "market or client_id holds what no exchange takes")
    buys, limited = intent.side is Side.BUY, intent.kind is OrderKind.LIMIT
    kind = "limit" if limited else "price" if buys else "market"
    price = intent.price if limited else intent.funds if buys else None
    volume = intent.volume if limited or not buys else None
    fields = {"market": intent.market, "side": "bid" if buys else "ask", kind_name: kind}
    if limited or buys:
        fields["price"] = _plain(price)
    if limited or not buys:
        fields["volume"] = _plain(volume)
    return fields


def _plain(amount: Decimal | None) -> str:
    if amount is None or not amount.is_finite() or not 0 < amount < _TOO_MUCH:
        raise OrderRefused("bad_amount", "an amount is missing, or isn't one")
    if amount != round(amount, VOLUME_DECIMALS):
        raise OrderRefused("bad_amount", "finer than eight decimals")
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
