"""Base rates of all coins, durations, directions and ranges at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.domain.base_rates import WINDOW_DAYS, Moves, end_day, moves
from app.domain.votes import MAX_RANGE_PCT, Direction, Duration

#: Prices up to here, in counts of 1e-8 won, can be multiplied by a hundred in 64 bits.
_LARGEST = 2**63 // 100 - 1
#: Coins counted together: what they need at a time then stays near the processor.
_BLOCK = 40
_RANGES = MAX_RANGE_PCT + 1
# What a window reached is counted at a place of its own: falls of 100 to 0, then rises, then those
# that don't count.
_ZERO = 100
_NOWHERE = _ZERO + _RANGES
_PLACES = _NOWHERE + 1


@dataclass(frozen=True, slots=True)
class Table:
    """How many windows each coin has per duration, and how many of them reached each range.

    `windows` is by duration and coin; `hits` by duration, direction, coin and range, ranges
    counted from 0 (which means nothing) to 300. A year of windows fits in 16 bits.
    """

    windows: NDArray[np.int16]
    hits: NDArray[np.int16]


def table_of_closes(closes: Iterable[tuple[int, int, int]], *, coins: int, last_day: date) -> Table:
    """The table from closes told one by one: whose, of which of the 365 days, in 1e-8 won."""
    years = np.zeros((coins, WINDOW_DAYS), np.int64)
    for coin, place, close in closes:
        years[coin, place] = close
    return base_rate_table(years, last_day)


def base_rate_table(closes: NDArray[np.int64], last_day: date) -> Table:
    """The base rates by the rule of `domain.base_rates.moves`, for each row of `closes`.

    A row holds a coin's closes in counts of 1e-8 won, one per day, the last one of `last_day`; 0 is
    a day without a trade. ValueError unless there are 365 days.
    """
    if closes.shape[1] != WINDOW_DAYS:
        raise ValueError(f"{closes.shape[1]} days instead of {WINDOW_DAYS}")
    windows = np.zeros((len(Duration), len(closes)), np.int16)
    hits = np.zeros((len(Duration), len(Direction), len(closes), _RANGES), np.int16)
    for first in range(0, len(closes), _BLOCK):
        coins = slice(first, first + _BLOCK)
        _count_block(closes[coins], last_day, windows[:, coins], hits[:, :, coins])
    table = Table(windows, hits)
    for coin in np.flatnonzero(closes.max(axis=1, initial=0) > _LARGEST):
        _count_exactly(table, int(coin), closes[coin], last_day)
    return table


def _count_block(
    closes: NDArray[np.int64],
    last_day: date,
    windows: NDArray[np.int16],
    hits: NDArray[np.int16],
) -> None:
    """Fill `windows` and `hits` for a few coins."""
    prices, idle = np.clip(closes, 1, _LARGEST), closes <= 0  # a divisor is never 0
    for number, duration in enumerate(Duration):
        begins, ends = _places(last_day, duration)
        counts = _counted(prices[:, begins], prices[:, ends], idle[:, begins] | idle[:, ends])
        risen, fallen = hits[number]
        np.cumsum(counts[:, _ZERO:_NOWHERE][:, ::-1], axis=1, out=risen[:, ::-1])
        np.cumsum(counts[:, : _ZERO + 1], axis=1, out=fallen[:, _ZERO::-1])
        windows[number] = begins.stop - counts[:, _NOWHERE]


@lru_cache(maxsize=8)
def _places(last_day: date, duration: Duration) -> tuple[slice, slice | NDArray[np.int64]]:
    """Where the windows of a year begin and end; a slice is much cheaper to look at."""
    first_day = last_day - timedelta(days=WINDOW_DAYS - 1)
    all_ends = [
        (end_day(first_day + timedelta(days=place), duration) - first_day).days
        for place in range(WINDOW_DAYS)
    ]
    ends = [end for end in all_ends if end < WINDOW_DAYS]
    is_even = ends == list(range(ends[0], WINDOW_DAYS))
    return slice(0, len(ends)), slice(ends[0], WINDOW_DAYS) if is_even else np.array(ends)


def _counted(
    start: NDArray[np.int64], end: NDArray[np.int64], idle: NDArray[np.bool_]
) -> NDArray[np.int16]:
    """How many windows of each coin reached each place, by whole percentages.

    A rise is rounded down and the rest of a fall up, so that neither reaches more than it did.
    """
    coins = len(start)
    offset = (np.arange(coins) * _PLACES)[:, None]
    fallen = (end - start) >> 63  # -1 for a fall, else 0
    reached = end * 100
    reached += fallen
    reached //= start
    np.minimum(reached, _ZERO + MAX_RANGE_PCT, out=reached)
    reached -= fallen
    np.copyto(reached, _NOWHERE, where=idle)
    reached += offset
    found = np.bincount(reached.ravel(), minlength=coins * _PLACES)
    return found.reshape(coins, _PLACES).astype(np.int16)


def _count_exactly(table: Table, coin: int, closes: NDArray[np.int64], last_day: date) -> None:
    """Count a coin whose prices are too large for 64 bits by the rule itself."""
    days = {
        last_day - timedelta(days=WINDOW_DAYS - 1 - place): int(close)
        for place, close in enumerate(closes)
        if close
    }
    for number, duration in enumerate(Duration):
        found = moves(days, duration, last_day)
        if found is not None:
            for way, direction in enumerate(Direction):
                table.hits[number, way, coin] = _reached(found, direction)


def _reached(found: Moves, direction: Direction) -> list[int]:
    return [found.rate(direction, range_pct).hits for range_pct in range(_RANGES)]
