"""Price steps: the grid on which each quote currency trades, in counts of 1e-8."""

from bisect import bisect_right
from decimal import Decimal

UNIT = 10**8
MOST_UNITS = 2**63 - 1

_KRW = (
    ("0", "0.00000001"),
    ("0.00001", "0.0000001"),
    ("0.0001", "0.000001"),
    ("0.001", "0.00001"),
    ("0.01", "0.0001"),
    ("0.1", "0.001"),
    ("1", "0.01"),
    ("10", "0.1"),
    ("100", "1"),
    ("5000", "5"),
    ("10000", "10"),
    ("50000", "50"),
    ("100000", "100"),
    ("500000", "500"),
    ("1000000", "1000"),
)
_USDT = (
    ("0", "0.00000001"),
    ("0.0001", "0.000001"),
    ("0.01", "0.00001"),
    ("1", "0.001"),
    ("10", "0.01"),
)
_BTC = (("0", "0.00000001"),)


def _grid(rows: tuple[tuple[str, str], ...]) -> tuple[list[int], list[int]]:
    return [to_units(start) for start, _ in rows], [to_units(step) for _, step in rows]


def to_units(value: object) -> int:
    """The count of 1e-8 in a price given as text or number; ValueError if it isn't one."""
    try:
        scaled = Decimal(str(value)) * UNIT
    except ArithmeticError as error:
        raise ValueError(f"not a price: {value!r:.40}") from error
    if not scaled.is_finite() or not 0 <= scaled <= MOST_UNITS:
        raise ValueError(f"not a price: {value!r:.40}")
    if scaled != scaled.to_integral_value():
        raise ValueError(f"finer than 1e-8: {value!s:.40}")
    return int(scaled)


def from_units(units: int) -> Decimal:
    """The price that a count of 1e-8 stands for."""
    return Decimal(units).scaleb(-8)


_GRIDS = {"KRW": _grid(_KRW), "USDT": _grid(_USDT), "BTC": _grid(_BTC)}


def tick(quote: str, units: int) -> int:
    """The price step, in counts of 1e-8, that holds at a price of `units`."""
    starts, steps = _GRIDS[quote]
    return steps[bisect_right(starts, units) - 1]


def on_tick(quote: str, value: float) -> int:
    """The nearest tradable price to `value`, in counts of 1e-8; never below one step.

    Rounding is monotone, also across the edges of the table, so a high stays a high.
    """
    starts, steps = _GRIDS[quote]
    scaled = value * UNIT
    step = steps[bisect_right(starts, scaled) - 1]
    return max(1, round(scaled / step)) * step
