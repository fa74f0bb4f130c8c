"""Bithumb's words: Upbit's for the most part, in its own sense; orders are placed in version 2."""

from decimal import Decimal

from app.simulator.desk.account import CANCELLED, DONE, OPEN, WAITING, Order, Pocket
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
from app.simulator.desk.rows import (
    Row,
    as_open,
    chance_row,
    key_row,
    order_row,
    pocket_row,
    trade_rows,
)

_TYPES = {"bid": ["limit", "price"], "ask": ["limit", "market"]}
_STATES = (OPEN, WAITING, DONE, CANCELLED)
#: Points for shopping stand among the currencies of every account.
_POINTS = "P"


def _row(order: Order) -> Row:
    return order_row(order, number_name="uuid", kind_name="ord_type", name_name="client_order_id")


def _whole_row(order: Order) -> Row:
    return {**_row(order), "trades": trade_rows(order, order.trades)}


def _receipt(order: Order, number_name: str, kind_name: str) -> Row:
    """All that is told of an order when it comes in: no state, no amounts."""
    row = order_row(
        order, number_name=number_name, kind_name=kind_name, name_name="client_order_id"
    )
    told = ("market", number_name, "side", kind_name, "created_at", "client_order_id")
    return {name: row[name] for name in told if name in row}


def _accounts(asked: Asked) -> Said:
    purse = {_POINTS: Pocket()} | asked.account.purse
    return 200, [pocket_row(currency, pocket) for currency, pocket in purse.items()]


def _keys(asked: Asked) -> Said:
    return 200, [key_row(asked.account)]


def _chance(asked: Asked) -> Said:
    market = needed(asked.fields, "market")
    if market not in asked.market_names():
        raise Refused(400, "notfoundmarket")
    about = {"min_total": text(MIN_TOTAL), "price_unit": text(asked.tick(market))}
    return 200, chance_row(
        asked.account, market, {"bid": about, "ask": about}, _TYPES, text(MAX_TOTAL)
    )


def _place(asked: Asked) -> Said:
    order = asked.take(asked.account, wish_of(asked.fields, "order_type", "client_order_id"))
    return 200, _receipt(order, "order_id", "order_type")


def _place_as_before(asked: Asked) -> Said:
    order = asked.take(asked.account, wish_of(asked.fields, "ord_type", "no_such_field"))
    return 201, _receipt(order, "uuid", "ord_type")


def _find(asked: Asked, number_name: str) -> Order:
    number, name = one(asked.fields, number_name), one(asked.fields, "client_order_id")
    if not number and not name:
        raise Refused(400, "invalid_parameter")
    return asked.account.find(number, name)


def _order(asked: Asked) -> Said:
    return 200, _whole_row(_find(asked, "uuid"))


def _cancel(asked: Asked) -> Said:
    order = _cancelled(asked, _find(asked, "order_id"))
    return 200, _receipt(order, "order_id", "order_type")


def _cancel_as_before(asked: Asked) -> Said:
    return 200, as_open(_row(_cancelled(asked, _find(asked, "uuid"))))


def _cancelled(asked: Asked, order: Order) -> Order:
    if not order.is_open:
        raise Refused(404, "order_not_found", "주문을 찾지 못했습니다.")
    asked.account.close(order, CANCELLED)
    return order


def _list(asked: Asked) -> Said:
    fields = asked.fields
    wanted = fields.get("states") or fields.get("state") or [OPEN]
    if not set(wanted) <= set(_STATES):
        raise Refused(400, "invalid_parameter")
    market, numbers = one(fields, "market"), fields.get("uuids")
    orders = [
        order
        for order in asked.account.orders
        if (order.ident in numbers if numbers else order.state in wanted)
        and market in (None, order.market)
    ]
    page, limit = count(fields, "page", 1, 10_000), count(fields, "limit", 100, 100)
    return rows(listed(orders, page, limit), _row)


BITHUMB = Dialect(
    name="bithumb",
    algorithms=frozenset({"HS256"}),
    has_time=True,
    fee=Decimal("0.0025"),
    limits={"default": 140, "order": 20},
    routes={
        ("GET", "/v1/accounts"): Route(_accounts, "view"),
        ("GET", "/v1/api_keys"): Route(_keys, None),
        ("GET", "/v1/orders/chance"): Route(_chance, "orders"),
        ("POST", "/v2/orders"): Route(_place, "trade", "order", ORDER),
        ("POST", "/v1/orders"): Route(_place_as_before, "trade", "order", ORDER),
        ("GET", "/v1/order"): Route(_order, "orders"),
        ("GET", "/v1/orders"): Route(_list, "orders"),
        ("DELETE", "/v2/order"): Route(_cancel, "trade", "order", ORDER),
        ("DELETE", "/v1/order"): Route(_cancel_as_before, "trade", "order", ORDER),
    },
    id_pattern=r"[A-Za-z0-9_-]{1,36}",
    new_number=lambda count: f"C0101{count:015d}",
    names={
        "invalid_access_key": (401, "jwt_verification"),
        "expired_access_key": (401, "jwt_verification"),
        "no_authorization_ip": (401, "NotAllowIP"),
        "out_of_scope": (401, "out_of_scope"),
        "under_min_total_bid": (400, "under_price_limit_bid"),
        "under_min_total_ask": (400, "under_price_limit_ask"),
        "over_krw_funds_bid": (400, "invalid_parameter"),
        "off_tick_bid": (400, "invalid_price_bid"),
        "off_tick_ask": (400, "invalid_price_ask"),
        "notfoundmarket": (400, "currency does not have a valid value"),
        "duplicated_identifier": (400, "duplicated_client_order_id"),
    },
)
