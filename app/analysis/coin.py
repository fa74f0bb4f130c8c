"""One coin made ready: what every trade needs that doesn't depend on k, day by day."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from app.analysis.history import History, Whole
from app.analysis.steps import Floats, Grid, Places, Steps, eras, grids
from app.domain.money import to_units
from app.domain.trading import BadHistory, Opening, Search

_EXACT_BELOW = 2.0**53
#: Numerators are kept so far below that limit that even a sum of rounded parts can't err.
_MARGIN = 16


class TooFine(BadHistory):
    """Prices with more digits than floats hold exactly; no market is quoted so."""


@dataclass(frozen=True, slots=True)
class Share:
    """An exact share as a fraction of whole numbers."""

    numer: float
    denom: float

    @classmethod
    def of(cls, share: Decimal) -> "Share":
        """The share in lowest terms."""
        numer, denom = share.as_integer_ratio()
        return cls(float(numer), float(denom))


@dataclass(frozen=True, slots=True)
class Ks:
    """A grid of k as whole numerators over one denominator."""

    numers: Floats
    denom: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, grid: tuple[Decimal, ...]) -> "Ks":
        """The same values."""
        denom = lcm(*(k.as_integer_ratio()[1] for k in grid))
        return cls(np.array([float(k * denom) for k in grid]), float(denom))


@dataclass(frozen=True, slots=True, eq=False)
class Coin:
    """The days that count, one row each; prices in whole counts of `unit` (of 1e-8 won).

    `step` is the price step that holds at the open, `end` where the next one begins. `mean` is what
    the mean of closes asks for, rounded down to a step; None where nobody asks for one. `sold` is
    what a sale on the next morning brings, `next_day` that morning's day; `is_open` says that there
    was no such morning yet.
    """

    unit: int
    steps: Steps
    days: Whole
    era: Places
    open: Floats
    high: Floats
    low: Floats
    range: Floats
    step: Floats
    end: Floats
    mean: Floats | None
    sold: Floats
    next_day: Whole
    is_open: NDArray[np.bool_]


def make_ready(history: History, search: Search, running: Opening | None = None) -> Coin:
    """The days of a history that count under these settings; there may be none.

    Raises TooFine for prices beyond what can be counted exactly, and BadHistory for a running day
    that isn't after all others.
    """
    if running is not None and len(history) and running.day.toordinal() <= history.days[-1]:
        raise BadHistory(f"{running.day} isn't after the finished days")
    by_time = grids(search.costs.ticks)
    unit = _unit(history, search, by_time, running)
    steps = Steps(tuple(grid.in_units(unit) for grid in by_time))
    rows = _rows(history, search)
    prices = {
        name: (getattr(history, name) // unit).astype(np.float64)
        for name in ("open", "high", "low", "close")
    }
    next_day, next_price, is_open = _mornings(history, prices, running, unit)
    next_day, next_price, is_open = next_day[rows], next_price[rows], is_open[rows]
    slip, first = Share.of(search.costs.slippage), prices["open"][rows]
    era = eras(history.days[rows])
    step, end = steps.around(first, era)
    return Coin(
        unit=unit,
        steps=steps,
        days=history.days[rows],
        era=era,
        open=first,
        high=prices["high"][rows],
        low=prices["low"][rows],
        range=(prices["high"] - prices["low"])[rows - 1],
        step=step,
        end=end,
        mean=_means(prices["close"], rows, search.mean_days, steps, era),
        sold=steps.down(next_price * (slip.denom - slip.numer), slip.denom, eras(next_day)),
        next_day=next_day,
        is_open=is_open,
    )


def check_exact(coin: Coin, ks: Ks, search: Search) -> None:
    """Raise TooFine where a numerator could lose digits."""
    slip, mean_days = Share.of(search.costs.slippage), search.mean_days or 1
    stop = Share.of((search.stop_loss_pct or Decimal(0)) / 100)
    highest = max(coin.high.max(initial=0), coin.sold.max(initial=0))
    target = highest + coin.range.max(initial=0) * ks.numers[-1] / ks.denom
    largest = 2 * target * max(ks.denom, 2 * slip.denom, stop.denom, mean_days)
    if largest * _MARGIN >= _EXACT_BELOW:
        raise TooFine(f"{largest:g} counts of {coin.unit}e-8 won")


def _rows(history: History, search: Search) -> Places:
    """The places of days with a day right before them, and days enough for the mean."""
    rows = np.flatnonzero(np.diff(history.days) == 1) + 1
    return rows[rows >= (search.mean_days or 1)]


def _unit(
    history: History, search: Search, by_time: tuple[Grid, ...], running: Opening | None
) -> int:
    """The largest unit of which all prices, and all steps they can meet, are whole counts."""
    if not len(history):
        return 1
    columns = [history.open, history.high, history.low, history.close]
    if running is not None:
        columns.append(np.array([to_units(running.open)]))
    kept = (1 - search.costs.slippage) * (100 - (search.stop_loss_pct or 0)) / 200
    lowest = np.array([min(int(column.min()) for column in columns) * float(kept)])
    met = [int(grid.steps[max(grid.place(lowest)[0], 0)]) for grid in by_time]
    unit = gcd(*met)
    if any((column % unit).any() for column in columns):  # off the steps: old days, other tables
        unit = gcd(unit, *(int(np.gcd.reduce(column)) for column in columns))
    return unit


def _mornings(
    history: History, prices: dict[str, Floats], running: Opening | None, unit: int
) -> tuple[Whole, Floats, NDArray[np.bool_]]:
    """For each day: when and at which price what was bought on it can be sold.

    At the next open. After the last day that is the running day's; without one the position isn't
    sold yet, and is valued at the close.
    """
    if running is None:
        day, price = history.days[-1:], prices["close"][-1:]
    else:
        day = np.array([running.day.toordinal()])
        price = np.array([to_units(running.open) / unit])
    is_open = np.zeros(len(history), dtype=np.bool_)
    is_open[-1:] = running is None
    return (
        np.concatenate([history.days[1:], day])[: len(history)],
        np.concatenate([prices["open"][1:], price])[: len(history)],
        is_open,
    )


def _means(
    closes: Floats, rows: Places, count: int | None, steps: Steps, era: Places
) -> Floats | None:
    """For each row the mean of the closes before it, rounded down to a step."""
    if count is None:
        return None
    sums = np.concatenate([[0.0], np.cumsum(closes)])
    if sums[-1] * _MARGIN >= _EXACT_BELOW:
        raise TooFine(f"{sums[-1]:g} as the sum of all closes")
    return steps.down(sums[rows] - sums[rows - count], float(count), era)
