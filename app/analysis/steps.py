"""Price steps over arrays: the tables of domain.trading in a coin's own unit of price.

Prices are whole counts of that unit, held in floats. Below 2**53 such floats are exact, and the
floor of a quotient of two of them is the true floor: the quotient misses the next whole number by
more than rounding can add. So nothing in here is rounded but what is meant to be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.domain.money import to_units
from app.domain.trading import Ticks
from app.domain.trading.ticks import KRW_TABLES

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_SINCE = np.array([since.toordinal() for since, _ in KRW_TABLES])


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of steps: from `starts` on the `steps` hold; counts of 1e-8 won, or of a unit."""

    starts: Floats
    steps: Floats

    def place(self, price: Floats, per: float = 1.0) -> Places:
        """Which step holds at `price` / `per`."""
        return np.searchsorted(self.starts * per, price, side="right") - 1

    def in_units(self, unit: int) -> "Grid":
        """The same table counted in another unit."""
        return Grid(self.starts / unit, self.steps / unit)


@lru_cache(maxsize=64)
def grids(ticks: Ticks) -> tuple[Grid, ...]:
    """The tables of all times, in counts of 1e-8 won; a step that is given holds at all times."""
    if ticks.given is not None:
        return (Grid(np.zeros(1), np.array([float(to_units(ticks.given))])),) * len(KRW_TABLES)
    return tuple(
        Grid(*(np.array([float(to_units(one)) for one in column]) for column in table))
        for _, table in KRW_TABLES
    )


def eras(days: NDArray[np.int64]) -> Places:
    """Which table is in force on each day."""
    return np.searchsorted(_SINCE, days, side="right") - 1


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one coin in its own unit, and rounding by them.

    Prices come as `numer` / `per`, so that they needn't be rounded before. Rows are days, and each
    has the table of its `era`.
    """

    grids: tuple[Grid, ...]

    def step(self, numer: Floats, per: float, era: Places) -> Floats:
        """The step that holds at each price."""
        steps = np.empty_like(numer)
        for rows, grid in self._by_era(era):
            steps[rows] = grid.steps[grid.place(numer[rows], per)]
        return steps

    def around(self, price: Floats, era: Places) -> tuple[Floats, Floats]:
        """The step that holds at each price, and where the next one begins (infinite at last)."""
        steps, ends = np.empty_like(price), np.empty_like(price)
        for rows, grid in self._by_era(era):
            place = grid.place(price[rows])
            steps[rows] = grid.steps[place]
            ends[rows] = np.append(grid.starts, np.inf)[place + 1]
        return steps, ends

    def _by_era(self, era: Places) -> Iterator[tuple[slice, Grid]]:
        """The rows of each table; days ascend, so they lie side by side."""
        start = 0
        while start < len(era):
            end = int(np.searchsorted(era, era[start], side="right"))
            yield slice(start, end), self.grids[era[start]]
            start = end

    def down(self, numer: Floats, per: float, era: Places) -> Floats:
        """The next tradable price at or below; never less than one step."""
        step = self.step(numer, per, era)
        return np.maximum(np.floor(numer / (step * per)), 1.0) * step

    def up(self, numer: Floats, per: float, era: Places) -> Floats:
        """The next tradable price at or above."""
        step = self.step(numer, per, era)
        return np.ceil(numer / (step * per)) * step
