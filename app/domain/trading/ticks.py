"""Price steps: what an exchange takes as a price, today and in the past."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

#: A table says from which price on which step holds.
Table = tuple[tuple[Decimal, ...], tuple[Decimal, ...]]


def _table(*rows: tuple[str, str]) -> Table:
    return tuple(Decimal(start) for start, _ in rows), tuple(Decimal(step) for _, step in rows)


#: Upbit's tables for won, each with the first day on which it holds. What single coins had of their
#: own for some months of 2024 and 2025 is left out: where it matters, the exchange names the step.
KRW_TABLES: tuple[tuple[date, Table], ...] = (
    (
        date.min,
        _table(
            ("0", "0.0001"), ("0.1", "0.001"), ("1", "0.01"), ("10", "0.1"), ("100", "1"),
            ("1000", "5"), ("10000", "10"), ("100000", "50"), ("500000", "100"),
            ("1000000", "500"), ("2000000", "1000"),
        ),
    ),
    (
        date(2024, 1, 29),
        _table(
            ("0", "0.00000001"), ("0.0001", "0.0000001"), ("0.001", "0.000001"),
            ("0.01", "0.00001"), ("0.1", "0.0001"), ("1", "0.001"), ("10", "0.01"),
            ("100", "0.1"), ("1000", "1"), ("10000", "10"), ("100000", "50"), ("500000", "100"),
            ("1000000", "500"), ("2000000", "1000"),
        ),
    ),
    (
        date(2025, 7, 31),
        _table(
            ("0", "0.00000001"), ("0.00001", "0.0000001"), ("0.0001", "0.000001"),
            ("0.001", "0.00001"), ("0.01", "0.0001"), ("0.1", "0.001"), ("1", "0.01"),
            ("10", "0.1"), ("100", "1"), ("5000", "5"), ("10000", "10"), ("50000", "50"),
            ("100000", "100"), ("500000", "500"), ("1000000", "1000"),
        ),
    ),
)  # fmt: skip
_SINCE = tuple(since for since, _ in KRW_TABLES)


def table_on(day: date) -> Table:
    """The table in force on a day."""
    return KRW_TABLES[bisect_right(_SINCE, day) - 1][1]


@dataclass(frozen=True, slots=True)
class Ticks:
    """The price steps of one market: the one `given` by the exchange, else the table of the day.

    Prices that we send are rounded, prices that we receive never: those may be off today's grid.
    """

    given: Decimal | None = None

    def __post_init__(self) -> None:
        if self.given is not None and self.given <= 0:
            raise ValueError(f"no price step: {self.given}")

    def step(self, price: Decimal, on: date) -> Decimal:
        """The step that holds at a price on a day."""
        if self.given is not None:
            return self.given
        starts, steps = table_on(on)
        return steps[bisect_right(starts, price) - 1]

    def down(self, price: Decimal, on: date) -> Decimal:
        """The next tradable price at or below: for bids. Never less than one step."""
        step = self.step(price, on)
        return max(step, price // step * step)

    def up(self, price: Decimal, on: date) -> Decimal:
        """The next tradable price at or above: for asks."""
        step = self.step(price, on)
        whole, rest = divmod(price, step)
        return (whole + 1 if rest else whole) * step
