"""Markets without memory: the same days in another order."""

import numpy as np

from app.analysis.history import History, Whole
from app.analysis.steps import Floats, Places, Steps, eras, grids
from app.domain.trading import Ticks


def shuffled(history: History, ticks: Ticks, chance: np.random.Generator) -> History:
    """A history of the same days' moves in another order, from the same first open.

    What happens within a day (high, low and close against its open) stays together; what happens
    overnight is shuffled for itself. So each market rises or falls as much as the true one, and
    what is gone is what yesterday could tell of today. Prices lie on the steps of their day.
    """
    order, nights = chance.permutation(len(history)), chance.permutation(len(history) - 1)
    opens = history.open.astype(np.float64)
    high, low, close = ((one / opens)[order] for one in (history.high, history.low, history.close))
    overnight = (opens[1:] / history.close[:-1])[nights]
    starts = np.cumprod(np.concatenate([[opens[0]], close[:-1] * overnight]))
    steps, era = Steps(grids(ticks)), eras(history.days)
    prices = (_tradable(starts * part, steps, era) for part in (1.0, high, low, close))
    return History(history.days, *prices)


def _tradable(price: Floats, steps: Steps, era: Places) -> Whole:
    step = steps.step(price, 1.0, era)
    return (np.maximum(np.round(price / step), 1.0) * step).astype(np.int64)
