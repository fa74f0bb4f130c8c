"""Rows that don't tell the truth: what each value fault does to an honest row."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal

from app.simulator.faults import DEFAULT_CODE, Fault
from app.simulator.rows import KST, at_ms
from app.simulator.wire import Literal, Row

PRICES = (
    "opening_price",
    "high_price",
    "low_price",
    "trade_price",
    "prev_closing_price",
    "change_price",
    "signed_change_price",
    "highest_52_week_price",
    "lowest_52_week_price",
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WRONG: dict[str, Callable[[object], object]] = {
    "string": lambda value: Literal(f'"{value}"'),
    "text": lambda value: "soon",
    "null": lambda value: None,
    "object": lambda value: {"value": value},
    "array": lambda value: [value],
    "bool": lambda value: True,
}


def bend(rows: Iterable[Row], faults: Iterable[Fault]) -> list[Row]:
    """The rows after all value faults (given latest first), each on top of those before it.

    Rows that no fault names come through untouched.
    """
    bent = list(rows)
    for fault in reversed(list(faults)):
        change = _CHANGES.get(fault.mode)
        if change is not None:
            changed = (change(dict(row), fault) if _named(row, fault) else row for row in bent)
            bent = [row for row in changed if row is not None]
    return bent


def _named(row: Row, fault: Fault) -> bool:
    if fault.mode == "skew":  # one clock for all
        return True
    return bool(fault.options.get("all")) or row.get("market", row.get("code")) == _code(fault)


def _code(fault: Fault) -> object:
    return fault.options.get("code", DEFAULT_CODE)


def _field(fault: Fault) -> str:
    return str(fault.options.get("field", "trade_price"))


def _number(value: object) -> Decimal | None:
    known = isinstance(value, (Decimal, int)) and not isinstance(value, bool)
    if not known and not (isinstance(value, Literal) and _NUMBER.fullmatch(value)):
        return None
    return Decimal(str(value))


def _missing(row: Row, fault: Fault) -> Row | None:
    del row, fault
    return None


def _changed(row: Row, name: str, to: Callable[[Decimal], object]) -> Row:
    number = _number(row.get(name))
    return row if number is None else row | {name: to(number)}


def _nan(row: Row, fault: Fault) -> Row:
    return _changed(row, _field(fault), lambda number: Literal("NaN"))


def _zero(row: Row, fault: Fault) -> Row:
    return _changed(row, _field(fault), lambda number: Decimal(0))


def _negative(row: Row, fault: Fault) -> Row:
    return _changed(row, _field(fault), lambda number: -abs(number))


def _wrong_type(row: Row, fault: Fault) -> Row:
    return _changed(row, _field(fault), _WRONG[str(fault.options.get("value", "string"))])


def _jump(row: Row, fault: Fault) -> Row:
    # all prices together, so that the row still agrees with itself and only its past convicts it
    factor = Decimal(str(fault.options.get("factor", 10)))
    names = (_field(fault),) if "field" in fault.options else PRICES
    for name in names:
        row = _changed(row, name, lambda number: number * factor)
    return row


def _skew(row: Row, fault: Fault) -> Row:
    """Stamps and the dates that agree with them; candles keep their places."""
    if "trade_timestamp" not in row:
        return row
    shift = round(float(str(fault.options.get("seconds", 600))) * 1000)
    stamps = {name: int(str(row[name])) + shift for name in ("trade_timestamp", "timestamp")}
    moment = at_ms(stamps["trade_timestamp"])
    times = {
        f"trade_{part}{zone}": (moment + ahead).strftime(_like(str(row[f"trade_{part}{zone}"])))
        for zone, ahead in (("", timedelta()), ("_kst", KST))
        for part in ("date", "time")
        if f"trade_{part}{zone}" in row
    }
    return row | stamps | times


def _like(text: str) -> str:
    """The pattern of a date or time, by its look."""
    if ":" in text:
        return "%H:%M:%S"
    return {10: "%Y-%m-%d", 8: "%Y%m%d"}.get(len(text), "%H%M%S")


def _thin(row: Row, fault: Fault) -> Row:
    """An order book of which a share is left."""
    units, share = row.get("orderbook_units"), Decimal(str(fault.options.get("share", 0)))
    if not isinstance(units, list):
        return row
    left = [unit | {"ask_size": unit["ask_size"] * share} for unit in units]
    return row | {"orderbook_units": left}


_CHANGES: dict[str, Callable[[Row, Fault], Row | None]] = {
    "missing": _missing,
    "nan": _nan,
    "zero": _zero,
    "negative": _negative,
    "wrong_type": _wrong_type,
    "jump": _jump,
    "skew": _skew,
    "thin": _thin,
}
