"""Upbit's words: `uuid`, `identifier`, `ord_type`, 201 for an order that was taken."""

import uuid
from decimal import Decimal

from app.simulator.desk.account import CANCELLED, DONE, OPEN, WAITING, Order
from app.simulator.desk.amounts import text
from app.simulator.desk.asking import count, needed, one, wish_of
from app.simulator.desk.dialect import (
    MAX_TOTAL,
    MIN_TOTAL,
    ORDER,
    Asked,
    Dialect,
    Route,
    Said,
    listed,
    rows,
)
from app.simulator.desk.refused import Refused
from app.simulator.desk.rows import Row, as_open, chance_row, key_row, order_row, pocket_row
from app.simulator.desk.rows import trade_rows as trades_of

_OPEN = (OPEN, WAITING)
_CLOSED = (DONE, CANCELLED)
_TYPES = {
    "bid": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "price"],
    "ask": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "market"],
}


def _row(order: Order) -> Row:
    return order_row(order, number_name="uuid", kind_name="ord_type", name_name="identifier")


def _listed_row(order: Order) -> Row:
    return {**_row(order), "executed_funds": text(order.executed_funds)}


def _whole_row(order: Order) -> Row:
    return {**_row(order), "trades": trades_of(order, order.trades)}


def _accounts(asked: Asked) -> Said:
    purse = asked.account.purse
    return 200, [pocket_row(currency, purse[currency]) for currency in purse]


def _keys(asked: Asked) -> Said:
    return 200, [key_row(asked.account)]


def _chance(asked: Asked) -> Said:
    market = needed(asked.fields, "market")
    if market not in asked.market_names():
        raise Refused(400, "notfoundmarket", f"다음 마켓에 없는 종목입니다: {market[:30]}")
    least = {"min_total": text(MIN_TOTAL)}
    return 200, chance_row(
        asked.account, market, {"bid": least, "ask": least}, _TYPES, text(MAX_TOTAL)
    )


def _place(asked: Asked) -> Said:
    order = asked.take(asked.account, wish_of(asked.fields, "ord_type", "identifier"))
    return 201, _row(order)


def _try_out(asked: Asked) -> Said:
    wish = wish_of(asked.fields, "ord_type", "identifier")
    asked.check(asked.account, wish)
    return 200, {"market": wish.market, "side": wish.side, "ord_type": wish.kind, "state": OPEN}


def _find(asked: Asked) -> Order:
    number, name = one(asked.fields, "uuid"), one(asked.fields, "identifier")
    if not number and not name:
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    return asked.account.find(number, name)


def _order(asked: Asked) -> Said:
    return 200, _whole_row(_find(asked))


def _cancel(asked: Asked) -> Said:
    order = _find(asked)
    if not order.is_open:
        raise Refused(400, "bad_request", "잘못된 요청")
    row = as_open(_row(order))
    asked.account.close(order, CANCELLED)
    return 200, row


def _open_list(asked: Asked) -> Said:
    return _list(asked, _OPEN, (OPEN,), 100)


def _closed_list(asked: Asked) -> Said:
    return _list(asked, _CLOSED, _CLOSED, 1_000)


def _list(asked: Asked, known: tuple[str, ...], default: tuple[str, ...], most: int) -> Said:
    fields = asked.fields
    if "state" in fields and "states" in fields:
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    wanted = fields.get("states") or fields.get("state") or default
    if not set(wanted) <= set(known):
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    market = one(fields, "market")
    orders = [
        order
        for order in asked.account.orders
        if order.state in wanted and market in (None, order.market)
    ]
    page, limit = count(fields, "page", 1, 10_000), count(fields, "limit", 100, most)
    return rows(listed(orders, page, limit), _listed_row)


def _by_number(asked: Asked) -> Said:
    numbers, names = asked.fields.get("uuids", []), asked.fields.get("identifiers", [])
    if bool(numbers) == bool(names):
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    orders = [
        order for order in asked.account.orders if order.ident in numbers or order.name in names
    ]
    return rows(listed(orders, 1, 100), _listed_row)


def _no_withdrawal(asked: Asked) -> Said:
    needed(asked.fields, "uuid")
    raise Refused(404, "withdraw_not_found")


UPBIT = Dialect(
    name="upbit",
    algorithms=frozenset({"HS256", "HS512"}),
    has_time=False,
    fee=Decimal("0.0005"),
    limits={"default": 30, "order": 12, "order-test": 8},
    routes={
        ("GET", "/v1/accounts"): Route(_accounts, "view"),
        ("GET", "/v1/api_keys"): Route(_keys, None),
        ("GET", "/v1/orders/chance"): Route(_chance, "orders"),
        ("POST", "/v1/orders"): Route(_place, "trade", "order", ORDER),
        ("POST", "/v1/orders/test"): Route(_try_out, "trade", "order-test"),
        ("GET", "/v1/order"): Route(_order, "orders"),
        ("DELETE", "/v1/order"): Route(_cancel, "trade", group=ORDER),
        ("GET", "/v1/orders/open"): Route(_open_list, "orders"),
        ("GET", "/v1/orders/closed"): Route(_closed_list, "orders"),
        ("GET", "/v1/orders/uuids"): Route(_by_number, "orders"),
        ("DELETE", "/v1/withdraws/coin"): Route(_no_withdrawal, "withdraw"),
    },
    id_pattern=r".{1,64}",
    new_number=lambda _: str(uuid.uuid4()),
    names={},
)
