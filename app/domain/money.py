"""Exact prices: a Decimal with at most eight decimals, and its integer form."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation

PRICE_DECIMALS = 8
PRICE_SCALE = 10**PRICE_DECIMALS
#: SQLite and PostgreSQL keep a price as a signed 64-bit count of 1e-8 won.
MAX_PRICE = Decimal(2**63 - 1) / PRICE_SCALE

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])
#: What Decimal would take beyond this (spaces, underscores, digits of other scripts) is no notation
#: of an exchange.
_NOTATION = re.compile(r"[+-]?\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,4})?", re.ASCII)


class BadPrice(ValueError):
    """A number that can't be a price: not finite, not positive, too fine or too large."""


def price(value: object) -> Decimal:
    """Return `value` as an exact positive price, or raise BadPrice.

    Takes Decimal, int and str in every notation of the wire (`1.3E-7`, `162876000.00000000`, long
    scales); never a float or a bool, which have lost their digits or their meaning.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise BadPrice(f"not an exact number: {value!r:.80}")
    if isinstance(value, str) and not _NOTATION.fullmatch(value):
        raise BadPrice(f"not a number: {value!r:.80}")
    number = Decimal(value)
    if not number.is_finite() or number <= 0:
        raise BadPrice(f"not a positive number: {number!s:.80}")
    if number > MAX_PRICE:
        raise BadPrice(f"larger than any price can be: {number!s:.80}")
    try:
        return _normal(number.quantize(Decimal(1).scaleb(-PRICE_DECIMALS), context=_EXACT))
    except ArithmeticError as error:
        raise BadPrice(f"finer than 1e-8: {number!s:.80}") from error


def to_units(value: Decimal) -> int:
    """The price as a count of 1e-8 won; ArithmeticError for what `price` would call too fine."""
    return int(value.scaleb(PRICE_DECIMALS, context=_EXACT).to_integral_exact(context=_EXACT))


def from_units(units: int) -> Decimal:
    """The price that a count of 1e-8 won stands for, without idle zeros."""
    return _normal(Decimal(units).scaleb(-PRICE_DECIMALS, context=_EXACT))


def _normal(number: Decimal) -> Decimal:
    trimmed = number.normalize(_EXACT)
    return trimmed if trimmed.as_tuple().exponent <= 0 else trimmed.quantize(Decimal(1))  # type: ignore[operator]
