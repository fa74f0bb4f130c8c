"""A coin's daily candles as arrays of whole numbers: days since the year 1, prices in 1e-8 won."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.domain.money import to_units
from app.domain.trading import BadHistory, Day

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Days in order; holes are days without trades. Raises BadHistory for days that can't be."""

    days: Whole
    open: Whole
    high: Whole
    low: Whole
    close: Whole

    def __post_init__(self) -> None:
        if np.any(np.diff(self.days) <= 0):
            raise BadHistory("days out of order")
        holds = (
            (self.low > 0)
            & (self.low <= np.minimum(self.open, self.close))
            & (self.high >= np.maximum(self.open, self.close))
        )
        if not holds.all():
            raise BadHistory(f"the range of day {self.days[~holds][0]} doesn't hold")

    def __len__(self) -> int:
        return len(self.days)

    @classmethod
    def of(cls, days: Sequence[Day]) -> "History":
        """The same days as arrays; prices that are finer than 1e-8 raise ArithmeticError."""
        return cls.from_rows([(one.day.toordinal(), *map(to_units, _prices(one))) for one in days])

    @classmethod
    def from_rows(cls, rows: ArrayLike) -> "History":
        """From rows of day, open, high, low, close, as the candles' table keeps them."""
        table = np.asarray(rows, dtype=np.int64).reshape(-1, 5)
        return cls(*np.ascontiguousarray(table.T))


def _prices(day: Day) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return day.open, day.high, day.low, day.close
