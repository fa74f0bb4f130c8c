"""Base rates of all coins, durations, directions and ranges at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.domain.base_rates import WINDOW_DAYS, end_day
from app.domain.votes import MAX_RANGE_PCT, Direction, Duration

#: Prices up to here, in counts of 1e-8 won, can be multiplied by a hundred in 64 bits.
_LARGEST = 2**63 // 100 - 1
#: Coins counted together: what they need at a time is lent again and again, and never given back to
#: the system, from which it would cost more than all that is calculated in it.
_BLOCK = 50
_RANGES = MAX_RANGE_PCT + 1
#: What a window reached is counted by whole percentages of its start: 0 to 99 fell, 100 to 399
#: rose by less than 300, 400 by that or more.
_MOST = 100 + MAX_RANGE_PCT
_STRETCHES = 20
_CEILING = np.float32(_MOST / 100 + 0.005)
# A quotient of 32-bit floats times a hundred errs by less than five parts in 2**24. Where a little
# less and a little more (eight parts) are of one whole percentage, so is the truth between them.
_A_LITTLE_LESS, _A_LITTLE_MORE = np.float32(100 * (1 - 2**-21)), np.float32(100 * (1 + 2**-21))

Closes = NDArray[np.int64]
Counts = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Table:
    """How many windows each coin has per duration, and how many of them reached each range.

    `windows` is by duration and coin; `hits` by duration, direction, range and coin, ranges
    counted from 0 (which means nothing) to 300. A year of windows fits in 16 bits.
    """

    windows: Counts
    hits: Counts


def table_of_closes(closes: Iterable[tuple[int, int, int]], *, coins: int, last_day: date) -> Table:
    """The table from closes told one by one: of which of the 365 days, whose, in 1e-8 won."""
    year = np.zeros((WINDOW_DAYS, coins), np.int64)
    for day, coin, close in closes:
        year[day, coin] = close
    return base_rate_table(year, last_day)


def base_rate_table(closes: Closes, last_day: date) -> Table:
    """The base rates by the rule of `domain.base_rates.moves`, for each column of `closes`.

    A row holds the closes of a day in counts of 1e-8 won, one per coin, the last row of `last_day`;
    0 is a day without a trade. ValueError unless there are 365 days.
    """
    days, coins = closes.shape
    if days != WINDOW_DAYS:
        raise ValueError(f"{days} days instead of {WINDOW_DAYS}")
    traded = closes > 0
    windows = np.empty((len(Duration), coins), np.int16)
    below = np.empty((len(Duration), _MOST, coins), np.int16)
    hits = np.zeros((len(Duration), len(Direction), _RANGES, coins), np.int16)
    every_end = [_ends(last_day, duration) for duration in Duration]
    for number, ends in enumerate(every_end):
        np.sum(traded[: len(ends)] & traded[ends], axis=0, out=windows[number])
    for first in range(0, coins, _BLOCK):
        some = slice(first, first + _BLOCK)
        _count_block(closes[:, some], every_end, below[..., some])
    _sum_up(below)
    starts = np.array([len(ends) for ends in every_end], np.int16)[:, None]
    np.subtract(starts[..., None], below[:, 99:], out=hits[:, 0])
    np.subtract(below[:, 99::-1], (starts - windows)[:, None], out=hits[:, 1, :100])
    return Table(windows, hits)


def _count_block(closes: Closes, every_end: Iterable[NDArray[np.int64]], found: Counts) -> None:
    """Fill `found` for a few coins: how many windows of each duration reached each percentage.

    One that begins or ends with a halt counts at 0.
    """
    coins = closes.shape[1]
    exact = closes if closes.max(initial=0) <= _LARGEST else closes.astype(object)
    last = closes.astype(np.float32)
    first = np.where(last > 0, last, np.float32(np.inf))
    for number, ends in enumerate(every_end):
        grown = last[ends]
        grown /= first[: len(ends)]
        places = _reached(grown, exact, ends)
        places *= coins
        places += np.arange(coins, dtype=np.int32)
        counts = np.bincount(places.ravel(), minlength=(_MOST + 1) * coins)
        found[number] = counts[: _MOST * coins].reshape(_MOST, coins)


def _sum_up(counts: Counts) -> None:
    """Add to each percentage all below it: within stretches, then from stretch to stretch.

    A tenth of the time that numpy takes to accumulate along an axis.
    """
    stretches = counts.reshape(len(counts), _STRETCHES, _MOST // _STRETCHES, -1)
    for place in range(1, stretches.shape[2]):
        stretches[:, :, place] += stretches[:, :, place - 1]
    for place in range(1, _STRETCHES):
        stretches[:, place] += stretches[:, place - 1, -1:]


@lru_cache(maxsize=8)
def _ends(last_day: date, duration: Duration) -> NDArray[np.int64]:
    """On which of the 365 days the window of each day ends; none for those that go on."""
    first_day = last_day - timedelta(days=WINDOW_DAYS - 1)
    ends = [
        (end_day(first_day + timedelta(days=place), duration) - first_day).days
        for place in range(WINDOW_DAYS)
    ]
    return np.array([end for end in ends if end < WINDOW_DAYS])


def _reached(
    grown: NDArray[np.float32], closes: Closes | NDArray[np.object_], ends: NDArray[np.int64]
) -> NDArray[np.int32]:
    """How many whole percent of its start each window reached, by what one won became in it.

    What rose is rounded down; so is what fell, to one less where nothing was to be rounded. So a
    fall of r percent is a place below 100 - r. `grown` is overwritten. Where floats can't tell, as
    at every exact percentage, `closes` do: in 64 bits, or as integers without end.
    """
    np.minimum(grown, _CEILING, out=grown)
    reached = (grown * _A_LITTLE_LESS).astype(np.int32)
    grown *= _A_LITTLE_MORE
    unclear = np.flatnonzero(reached != grown.astype(np.int32))
    begins, coins = np.divmod(unclear, grown.shape[1])
    start, end = closes[begins, coins], closes[ends[begins], coins]
    reached.ravel()[unclear] = (100 * end - (end < start)) // start
    return reached
