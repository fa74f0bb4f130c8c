"""Rows of the signed side as both exchanges write them: every amount is text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from app.domain.kst import to_kst
from app.simulator.desk.account import BID, LIMIT, OPEN, Account, Order, Pocket, Trade
from app.simulator.desk.amounts import text

Row = dict[str, object]


def pocket_row(currency: str, pocket: Pocket) -> Row:
    """One currency of an account."""
    return {
        "currency": currency,
        "balance": text(pocket.free),
        "locked": text(pocket.locked),
        "avg_buy_price": text(pocket.avg_buy_price),
        "avg_buy_price_modified": False,
        "unit_currency": "KRW",
    }


def key_row(account: Account) -> Row:
    """A key, and how long it holds."""
    return {
        "access_key": account.access_key,
        "expire_at": to_kst(account.expires_at).isoformat(timespec="seconds"),
    }


def order_row(order: Order, *, number_name: str, kind_name: str, name_name: str) -> Row:
    """An order without its trades; price and volume are missing where it has none."""
    row: Row = {
        "market": order.market,
        number_name: order.ident,
        "side": order.side,
        kind_name: order.kind,
        "price": None if order.price is None else text(order.price),
        "state": order.state,
        "created_at": _stamp(order.at),
        "volume": None if order.volume is None else text(order.volume),
        "remaining_volume": None if order.volume is None else text(order.remaining),
        "executed_volume": text(order.executed_volume),
        "reserved_fee": text(_reserved(order)),
        "remaining_fee": text(max(Decimal(0), _reserved(order) - order.paid_fee)),
        "paid_fee": text(order.paid_fee),
        "locked": text(order.locked),
        "prevented_volume": "0",
        "prevented_locked": "0",
        "trades_count": len(order.trades),
        "time_in_force": order.in_force,
        name_name: order.name,
    }
    return {name: value for name, value in row.items() if value is not None}


def trade_rows(order: Order, trades: Iterable[Trade]) -> list[Row]:
    """The trades of an order."""
    return [
        {
            "market": order.market,
            "uuid": trade.ident,
            "price": text(trade.price),
            "volume": text(trade.volume),
            "funds": text(trade.funds),
            "trend": "up",
            "created_at": _stamp(trade.at, "microseconds"),
            "side": order.side,
        }
        for trade in trades
    ]


def chance_row(
    account: Account,
    market: str,
    sides: Mapping[str, Mapping[str, object]],
    types: Mapping[str, list[str]],
    most: str,
) -> Row:
    """What may be ordered in a market, at which fee, with what."""
    quote, base = market.split("-")
    return {
        "bid_fee": text(account.fee),
        "ask_fee": text(account.fee),
        "maker_bid_fee": text(account.fee),
        "maker_ask_fee": text(account.fee),
        "market": {
            "id": market,
            "name": f"{base}/{quote}",
            "order_types": [LIMIT],
            "order_sides": ["ask", "bid"],
            "bid_types": types["bid"],
            "ask_types": types["ask"],
            "bid": {"currency": quote, **sides["bid"]},
            "ask": {"currency": base, **sides["ask"]},
            "max_total": most,
            "state": "active",
        },
        "bid_account": pocket_row(quote, account.pocket(quote)),
        "ask_account": pocket_row(base, account.pocket(base)),
    }


def as_open(row: Row) -> Row:
    """The row of an order that is being cancelled: the answer still says that it waits."""
    return {**row, "state": OPEN}


def _reserved(order: Order) -> Decimal:
    """The fee set aside when the order was taken; a sale pays out of what it earns."""
    if order.side != BID or order.price is None:
        return Decimal(0)
    return order.price * (Decimal(1) if order.volume is None else order.volume) * order.fee


def _stamp(moment: datetime, precision: str = "seconds") -> str:
    return to_kst(moment).isoformat(timespec=precision)
