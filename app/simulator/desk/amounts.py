"""Exact money: sums of products of amounts, never rounded unasked, and how they are written."""

from contextlib import AbstractContextManager
from decimal import ROUND_FLOOR, Context, Decimal, localcontext

ZERO = Decimal(0)
STEP = Decimal("0.00000001")
_CONTEXT = Context(prec=120)


def exactly() -> AbstractContextManager[Context]:
    """Within it no sum or product of amounts loses a digit."""
    return localcontext(_CONTEXT)


def floor8(amount: Decimal) -> Decimal:
    """The amount cut to eight decimals, as the exchanges cut volumes."""
    return amount.quantize(STEP, rounding=ROUND_FLOOR)


def text(amount: Decimal) -> str:
    """The amount as the exchanges write it: plain, without idle zeros."""
    plain = f"{amount:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"
