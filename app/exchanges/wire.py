"""Reading what an exchange sent: exact JSON, and fields that must be what they claim to be."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

from app.domain.kst import KST
from app.domain.money import price
from app.exchanges.base import Unavailable

Row = Mapping[str, Any]

#: Longer integers than this mean nothing to us, and `int()` takes quadratic time over them.
_LONGEST_INT = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: No coin traded before 2009; a stamp outside these years is a fault of unit or of mind.
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
#: Amounts of an account come in quotes, with up to some 23 digits; more is nobody's money.
_AMOUNT = re.compile(r"\d{1,20}(\.\d{0,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_LARGEST_AMOUNT = Decimal(10) ** 20
_FINEST = -40
_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00", re.ASCII)


class BadField(ValueError):
    """A field is missing, or isn't of the kind that it must be."""


def decode(text: str) -> object:
    """Return what `text` holds, numbers exact as in `decode_list`; raise Unavailable if not JSON.

    The message quotes nothing: an account's answer may hold its key.
    """
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"not JSON: {type(error).__name__}") from None


def decode_list(text: str) -> list[object]:
    """Return the array that `text` holds, numbers exact; raise Unavailable if it holds none.

    Fractions become Decimal, integers stay int. `NaN`, `Infinity` and numbers beyond all bounds
    become values that no price can have, so that they spoil their own row and not the answer.
    """
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"not JSON: {type(error).__name__}: {text[:80]!r}") from error
    if not isinstance(found, list):
        raise Unavailable(f"not a list: {text[:80]!r}")
    return found


def decode_rows(text: str) -> list[tuple[object, str]]:
    """Like `decode_list`, each element with the very text that the exchange sent for it."""
    values = decode_list(text)
    starts = [text.index("[") + 1]
    for _ in values:
        starts.append(_end_of_element(text, starts[-1]))
    raws = (text[start : end - 1].strip() for start, end in pairwise(starts))
    return list(zip(values, raws, strict=True))


def _end_of_element(text: str, start: int) -> int:
    """The place after the comma or bracket that ends the element beginning at `start`."""
    begin = _SPACE.match(text, start).end()  # type: ignore[union-attr]  # matches nothing, too
    _, end = _DECODER.raw_decode(text, begin)
    return _SPACE.match(text, end).end() + 1  # type: ignore[union-attr]


def read_text(row: Row, key: str, longest: int) -> str:
    """The words in a field: one line, no invisible signs, cut to `longest`; else BadField."""
    value = _present(row, key)
    if not isinstance(value, str):
        raise BadField(f"{key} is not text")
    visible = "".join(sign for sign in value if sign.isprintable() or sign.isspace())
    words = " ".join(visible.split())[:longest].rstrip()
    if not words:
        raise BadField(f"{key} is empty")
    return words


def read_price(row: Row, key: str) -> Decimal:
    """The exact price in a field; raises BadField or BadPrice. A number in quotes is refused."""
    value = _present(row, key)
    if isinstance(value, str):
        raise BadField(f"{key} is text, not a number")
    return price(value)


def read_amount(row: Row, key: str) -> Decimal:
    """The exact amount in a field, zero or more, written as a number or in quotes; else BadField.

    Fees and balances may be finer than a price, and are kept to the last digit.
    """
    value = _present(row, key)
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise BadField(f"{key} is not an amount")
    number = Decimal(value)
    if not number.is_finite() or not 0 <= number < _LARGEST_AMOUNT:
        raise BadField(f"{key} is not an amount")
    if cast(int, number.as_tuple().exponent) < _FINEST:
        raise BadField(f"{key} is finer than any amount")
    return number


def read_amount_or_none(row: Row, key: str) -> Decimal | None:
    """As `read_amount`; None where the field is missing or null."""
    return None if row.get(key) is None else read_amount(row, key)


def read_figure(row: Row, key: str) -> float | None:
    """A figure that decides nothing, as a float; None where it is missing or useless."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    number = Decimal(value)
    return float(number) if number.is_finite() and number.adjusted() < _LONGEST_INT else None


def read_instant(row: Row, key: str) -> datetime:
    """The moment that a field tells in milliseconds since 1970, as aware UTC; else BadField."""
    value = _present(row, key)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 10**15:
        value = int(value) if value == int(value) else value
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadField(f"{key} is not a count of milliseconds")
    if not 0 < value < 10**15:
        raise BadField(f"{key} is out of all time")
    return _in_our_time(_EPOCH + timedelta(milliseconds=value), key)


def read_minute(row: Row, key: str) -> datetime:
    """The start of a whole minute written `2026-01-31T13:47:00` (UTC), aware; else BadField."""
    value = _present(row, key)
    if not isinstance(value, str) or not _MINUTE.fullmatch(value):
        raise BadField(f"{key} is not the start of a minute")
    try:
        return _in_our_time(datetime.fromisoformat(value).replace(tzinfo=UTC), key)
    except ValueError as error:
        raise BadField(f"{key} is no date") from error


def read_time(row: Row, key: str) -> datetime:
    """The moment written `2026-01-31T13:47:00+09:00`, as aware UTC; else BadField.

    Both exchanges mean Korean time where they leave the zone out.
    """
    value = _present(row, key)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadField(f"{key} is no time") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=KST)
    try:
        return _in_our_time(aware.astimezone(UTC), key)
    except OverflowError as error:
        raise BadField(f"{key} is out of all time") from error


def _in_our_time(moment: datetime, key: str) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise BadField(f"{key} is out of all time")
    return moment


def _present(row: Row, key: str) -> Any:
    value = row.get(key)
    if value is None:
        raise BadField(f"{key} is missing")
    return value


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond what Decimal can hold
        return Decimal("NaN")


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else Decimal(text)


_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_float=_fraction, parse_int=_whole, parse_constant=Decimal)
