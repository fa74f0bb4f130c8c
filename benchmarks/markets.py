"""Made-up markets: daily candles of a random walk, on the price steps of an exchange."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from app.analysis.coin import make_ready
from app.analysis.history import History
from app.analysis.steps import Floats, Steps, eras, grids
from app.domain.trading import Costs, Search, Ticks, make_grid

#: From this day on one table of steps holds.
FIRST = date(2025, 7, 31).toordinal()
CHEAPEST, DEAREST = 5.0, 1e8
FEE, SLIPPAGE = Decimal("0.0005"), Decimal("0.001")
GRID = make_grid(Decimal("0.01"), Decimal(1), Decimal("0.01"))
SEARCH = Search(Costs(FEE, FEE, SLIPPAGE), window=30, use_for=1, grid=GRID)
#: What both fees leave of a purchase and a sale at one price.
KEPT = float((1 - FEE) / (1 + FEE))


def make_markets(coins: int, days: int) -> list[History]:
    """So many coins, the same ones each time."""
    chance = np.random.default_rng(20)
    prices = np.exp(chance.uniform(np.log(CHEAPEST), np.log(DEAREST), coins))
    return [_walk(float(price), days, chance) for price in prices]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A coin as a peer gets it: whole counts of the coin's own unit, and the table of steps.

    One row for each day that counts; `range` is of the day before, `sold` what a sale brings on the
    next morning. So a peer needs only its own kind of arithmetic to come to the same trades.
    """

    days: Floats
    open: Floats
    high: Floats
    range: Floats
    sold: Floats
    starts: Floats
    steps: Floats

    @classmethod
    def of(cls, history: History) -> "Sheet":
        """The days that count, made ready as for our own search."""
        coin = make_ready(history, SEARCH)
        grid = coin.steps.grids[-1]
        return cls(coin.days, coin.open, coin.high, coin.range, coin.sold, grid.starts, grid.steps)

    def step(self, price: Floats) -> Floats:
        """The price step at each price."""
        return self.steps[np.searchsorted(self.starts, price, side="right") - 1]


def _walk(start: float, count: int, chance: np.random.Generator) -> History:
    days = np.arange(FIRST, FIRST + count)
    close = start * np.exp(np.cumsum(chance.normal(0, 0.03, count)))
    opens = np.concatenate([[start], close[:-1]])
    high = np.maximum(opens, close) * np.exp(np.abs(chance.normal(0, 0.02, count)))
    low = np.minimum(opens, close) * np.exp(-np.abs(chance.normal(0, 0.02, count)))
    steps, era = Steps(grids(Ticks())), eras(days)
    return History(
        days,
        *(
            steps.down(price * 1e8, 1.0, era).astype(np.int64)
            for price in (opens, high, low, close)
        ),
    )
