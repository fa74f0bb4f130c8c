"""What both exchanges say of accounts and orders: rows with the same fields, more or less."""

import re
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext

from app.domain.exchanges import Balance, Fill, MarketRules, OrderReport, OrderState
from app.exchanges.wire import (
    BadField,
    Row,
    read_amount,
    read_amount_or_none,
    read_text,
    read_time,
)

#: Enough digits for a sum of products of amounts, so that nothing here is ever rounded unasked.
_EXACT = Context(prec=100)
_FEE_STEP = Decimal("0.00000001")
_ZERO = Decimal(0)
_LONGEST_ID = 64
_CURRENCY = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_STATES = {
    "wait": OrderState.OPEN,
    "watch": OrderState.OPEN,
    "done": OrderState.FILLED,
    "cancel": OrderState.CANCELLED,
}
_ACTIVE = ("active", None)


class NoFunds(BadField):
    """The row tells how much was executed, but not for how much: ask for the order alone."""


def read_balances(rows: Sequence[Row]) -> list[Balance]:
    """Every currency once; BadField when one can't be read, for half an account is a wrong one."""
    found: dict[str, Balance] = {}
    for row in rows:
        currency = read_text(row, "currency", 20)
        if not _CURRENCY.fullmatch(currency) or currency in found:
            raise BadField("currency is no code, or comes twice")
        found[currency] = Balance(
            currency=currency,
            free=read_amount(row, "balance"),
            locked=read_amount(row, "locked"),
            avg_buy_price=read_amount_or_none(row, "avg_buy_price") or None,
        )
    return list(found.values())


def read_rules(row: Row, market: str, tick: Decimal | None) -> MarketRules:
    """The answer to orders/chance; BadField when it is about another market or lacks a figure."""
    about = _object(row, "market")
    if about.get("id") != market:
        raise BadField("the chance of another market")
    bid, ask = _object(about, "bid"), _object(about, "ask")
    return MarketRules(
        market=market,
        bid_fee=_share(row, "bid_fee"),
        ask_fee=_share(row, "ask_fee"),
        min_total=max(read_amount(bid, "min_total"), read_amount(ask, "min_total")),
        max_total=read_amount_or_none(about, "max_total"),
        tick=tick or _price_unit(bid, ask),
        is_open=about.get("state") in _ACTIVE,
    )


def read_order(row: Row, client_id: str | None = None) -> OrderReport:
    """An order's row in an answer to placing, asking or listing.

    `client_id` is the one that was asked for: an answer about another order is a BadField. NoFunds
    where only the order itself can tell what was spent. Amounts that contradict the trades beside
    them are a BadField, too: the exchange is still writing them down.
    """
    named = row.get("identifier") or row.get("client_order_id")
    if client_id is not None and named not in (None, client_id):
        raise BadField("another order was answered")
    volume = read_amount_or_none(row, "executed_volume") or _ZERO
    trades = row.get("trades") or ()
    with localcontext(_EXACT):
        funds = _executed_funds(row, volume, trades)
        paid = read_amount_or_none(row, "paid_fee") or _ZERO
        return OrderReport(
            client_id=client_id or (named if isinstance(named, str) else ""),
            exchange_id=read_text(row, "uuid" if "uuid" in row else "order_id", _LONGEST_ID),
            state=_state(row),
            executed_volume=volume,
            executed_funds=funds,
            paid_fee=paid,
            fills=_fills(trades, paid),
        )


def _state(row: Row) -> OrderState:
    """What became of it; UNKNOWN for a state that we never heard of.

    A fresh order's answer at Bithumb names none: it was taken. `prevented` tells that a part was
    cut off to keep the person from trading with themselves; it is over when nothing is left.
    """
    told = row.get("state", "wait")
    if told == "prevented" and read_amount_or_none(row, "remaining_volume") == 0:
        return OrderState.CANCELLED
    return _STATES.get(told, OrderState.UNKNOWN) if isinstance(told, str) else OrderState.UNKNOWN


def _executed_funds(row: Row, volume: Decimal, trades: Sequence[object]) -> Decimal:
    told = read_amount_or_none(row, "executed_funds")
    if told is not None:
        return told
    if not volume:
        return _ZERO
    if not trades:
        raise NoFunds("executed_funds is missing")
    traded = [_trade(each) for each in trades]
    if sum(read_amount(each, "volume") for each in traded) != volume:
        raise BadField("the trades don't add up to what was executed")
    return sum((_funds(each) for each in traded), _ZERO)


def _fills(trades: Sequence[object], paid: Decimal) -> tuple[Fill, ...]:
    rows = [_trade(each) for each in trades]
    fees = _shared_fee([_funds(row) for row in rows], paid)
    return tuple(
        Fill(
            ident=read_text(row, "uuid", _LONGEST_ID),
            price=read_amount(row, "price"),
            volume=read_amount(row, "volume"),
            funds=_funds(row),
            fee=fee,
            at=read_time(row, "created_at") if row.get("created_at") else None,
        )
        for row, fee in zip(rows, fees, strict=True)
    )


def _shared_fee(funds: list[Decimal], paid: Decimal) -> list[Decimal]:
    """The order's fee, shared among its trades by what they moved: the sum is `paid` to the digit.

    Where the fee is a plain share of the funds, each trade's part is exact and stays what it is
    when further trades follow; else the last trade takes what rounding leaves.
    """
    total = sum(funds, _ZERO)
    if not total:
        return [_ZERO] * len(funds)
    rate = (paid / total).quantize(_FEE_STEP)
    if rate * total == paid:
        return [each * rate for each in funds]
    fees = [(each * paid / total).quantize(_FEE_STEP, rounding="ROUND_FLOOR") for each in funds]
    return [*fees[:-1], paid - sum(fees[:-1], _ZERO)]


def _funds(row: Row) -> Decimal:
    told = read_amount_or_none(row, "funds")
    return read_amount(row, "price") * read_amount(row, "volume") if told is None else told


def _trade(value: object) -> Row:
    if not isinstance(value, dict):
        raise BadField("a trade is not an object")
    return value


def _object(row: Row, key: str) -> Row:
    value = row.get(key)
    if not isinstance(value, dict):
        raise BadField(f"{key} is not an object")
    return value


def _share(row: Row, key: str) -> Decimal:
    share = read_amount(row, key)
    if share >= 1:
        raise BadField(f"{key} is no share")
    return share


def _price_unit(bid: Row, ask: Row) -> Decimal | None:
    """The coarser of both sides' price steps, where the exchange names them (Bithumb does)."""
    units = [read_amount_or_none(side, "price_unit") for side in (bid, ask)]
    return max((unit for unit in units if unit), default=None)
