"""The search for the best k over many coins: all days and all k at once, coin by coin."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from app.analysis.coin import Coin, Ks, check_exact, make_ready
from app.analysis.growth import growths
from app.analysis.history import History
from app.analysis.scratch import Flags, Scratch
from app.analysis.steps import Floats, Places
from app.domain.trading import BadHistory, Opening, Search, TooFewDays
from app.domain.trading.selection import TIE


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What a search found for one coin.

    All is told of the same days: those after the first window, on which a choice can be used.
    `growth` says for each k what one won became, `trades` how often it traded. `chosen` is the
    place of the k used on each day, `walked` what one won became on it. `best` is the place of the
    k that was best: in sample, and its figure flatters, since it was chosen by the days it is
    judged on. `next_k` is what the newest days choose for the day after them.
    """

    coin: Coin
    growth: Floats
    trades: Places
    best: int
    chosen: Places
    walked: Floats
    next_k: Decimal


def search_coin(
    history: History,
    search: Search,
    running: Opening | None = None,
    scratch: Scratch | None = None,
) -> Searched:
    """Search one coin. Raises TooFewDays when no day is left to use a choice on."""
    scratch = scratch or Scratch()
    coin, ks = make_ready(history, search, running), Ks.of(search.grid)
    count, window = len(coin.days), search.window
    if count <= window:
        raise TooFewDays(needed=window + 1, had=count)
    check_exact(coin, ks, search)
    growth, made = growths(coin, ks, search, scratch)
    whole = np.multiply.reduce(growth[window:], axis=0)
    newest = np.multiply.reduce(growth[-window:], axis=0)
    best, next_place = choose(np.stack([whole, newest]), scratch)
    choices = choose(rolling(growth[:-1], window, search.use_for, scratch), scratch)
    chosen = np.repeat(choices, search.use_for)[: count - window]
    return Searched(
        coin=coin,
        growth=whole,
        trades=_trades(made[window:]),
        best=int(best),
        chosen=chosen,
        walked=growth[np.arange(window, count), chosen],
        next_k=search.grid[next_place],
    )


def search_all(
    histories: Iterable[History], search: Search
) -> Iterator[Searched | TooFewDays | BadHistory]:
    """Search coin by coin in order, so that who waits can see how far it is, and stop.

    A coin that can't be searched is told by its error, and keeps no other from being searched.
    """
    scratch = Scratch()
    for history in histories:
        try:
            yield search_coin(history, search, scratch=scratch)
        except (TooFewDays, BadHistory) as problem:
            yield problem


def rolling(growth: Floats, window: int, every: int, scratch: Scratch) -> Floats:
    """The product over each `window` rows in a row; only each `every`th of them, from the first.

    Put together from products over 1, 2, 4, 8 … rows: few passes, and no error that grows with the
    number of days, as a running product has.
    """
    rows, columns = growth.shape
    parts, power, length, start = [], growth, 1, 0
    while True:
        if window & length:
            parts.append(power[start : start + rows - window + 1 : every])
            start += length
        if 2 * length > window:
            break
        longer = scratch.floats(f"power {length}", len(power) - length, columns)
        np.multiply(power[:-length], power[length:], out=longer)
        power, length = longer, 2 * length
    if len(parts) == 1:
        return parts[0]
    product = scratch.floats("product", *parts[0].shape)
    np.multiply(parts[0], parts[1], out=product)
    for part in parts[2:]:
        product *= part
    return product


def choose(scores: Floats, scratch: Scratch) -> Places:
    """For each row the place of the highest score; of those that tie the first."""
    rows = np.arange(len(scores))
    enough = scores[rows, scores.argmax(axis=1)] * (1 - float(TIE))
    ties = scratch.flags("ties", *scores.shape)
    np.greater_equal(scores, enough[:, None], out=ties)
    places: Places = ties.argmax(axis=1)
    return places


def _trades(made: Flags) -> Places:
    """How many days traded at each k. Who trades at a k trades at all smaller ones that day."""
    columns = made.shape[1]
    traded = np.where(made[:, -1], columns, made.argmin(axis=1))
    return np.bincount(traded, minlength=columns + 1)[:0:-1].cumsum()[::-1]
