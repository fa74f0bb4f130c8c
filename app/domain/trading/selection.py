"""The choice of k: a grid of exact numbers, judged on days that were over before it is used."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import prod

from app.domain.errors import Conflict, InvalidInput
from app.domain.trading.bounds import check_bounds
from app.domain.trading.breakout import HIGHEST_K, K_DECIMALS, LOWEST_K, VolatilityBreakout
from app.domain.trading.costs import Costs
from app.domain.trading.days import Day, check_days
from app.domain.trading.replay import Opening, Trade, replay
from app.domain.trading.strategy import Morning, StopLoss, check_days_count

LARGEST_GRID = 100
LONGEST_WINDOW = 1000
USUAL_GRID = tuple(Decimal(tenths) / 10 for tenths in range(1, 10))
#: Two scores that differ by less than this share are a tie: the arrays of the search count in
#: binary, the reference in decimals, and where both trade alike both must choose alike.
TIE = Decimal("1e-9")


class TooFewDays(Conflict):
    """The history is too short for the window: it has `had` days that count, `needed` are."""

    def __init__(self, *, needed: int, had: int) -> None:
        super().__init__("history_too_short", needed=needed, had=had)


def make_grid(first: Decimal, last: Decimal, step: Decimal) -> tuple[Decimal, ...]:
    """Exact values from `first` to `last`, both included where the step meets them.

    Raises InvalidInput for a step that isn't positive, or for a grid that `check_grid` refuses.
    """
    check_bounds("grid_step", step, low=LOWEST_K, high=HIGHEST_K, decimals=K_DECIMALS)
    count = max(0, int((last - first) // step) + 1) if last >= first else 0
    if count > LARGEST_GRID:
        raise InvalidInput("grid", "grid_size", limit=LARGEST_GRID)
    grid = tuple(first + place * step for place in range(count))
    check_grid(grid)
    return grid


def check_grid(grid: Sequence[Decimal]) -> None:
    """Raise InvalidInput unless the grid has 1 to 100 values that ascend and can all be a k."""
    if not 1 <= len(grid) <= LARGEST_GRID:
        raise InvalidInput("grid", "grid_size", limit=LARGEST_GRID)
    for k in grid:
        check_bounds("grid", k, low=LOWEST_K, high=HIGHEST_K, decimals=K_DECIMALS)
    if any(before >= after for before, after in pairwise(grid)):
        raise InvalidInput("grid", "grid_out_of_order")


@dataclass(frozen=True, slots=True)
class Search:
    """How k is looked for. Raises InvalidInput for settings that can't be.

    The best of `grid` over the last `window` days is used for the next `use_for` days, then chosen
    anew. Only days that count are counted: those with a candle of the day before them, and with
    days enough for the mean. `stop_loss_pct` and `mean_days` are the strategy's.
    """

    costs: Costs
    window: int = 30
    use_for: int = 1
    grid: tuple[Decimal, ...] = field(default=USUAL_GRID)
    mean_days: int | None = None
    stop_loss_pct: Decimal | None = None

    def __post_init__(self) -> None:
        check_grid(self.grid)
        check_days_count("window", self.window, high=LONGEST_WINDOW)
        check_days_count("use_for", self.use_for, high=LONGEST_WINDOW)
        self.strategy(self.grid[0])

    def strategy(self, k: Decimal) -> VolatilityBreakout:
        """The breakout that trades with this k."""
        ticks = self.costs.ticks
        stop = None if self.stop_loss_pct is None else StopLoss(self.stop_loss_pct, ticks)
        return VolatilityBreakout(k, ticks, self.mean_days, stop)


def best_place(scores: Sequence[Decimal]) -> int:
    """Where the highest score stands; of those that tie the first, so that the smallest k wins."""
    enough = max(scores) * (1 - TIE)
    return next(place for place, score in enumerate(scores) if score >= enough)


def days_that_count(days: Sequence[Day], search: Search) -> list[int]:
    """The places of the days on which the strategy has a plan at all."""
    strategy = search.strategy(search.grid[0])
    return [
        place
        for place, day in enumerate(days)
        if strategy.plan(Morning(day.day, day.open, days[:place])) is not None
    ]


def choose_k(days: Sequence[Day], search: Search, running: Opening | None = None) -> Decimal:
    """The k for the day after `days`, judged on the last `window` of them that count.

    All of them must have ended; `running` is the open at which the last position was sold.
    Raises TooFewDays, and BadHistory for days that can't be.
    """
    check_days(days)
    window = [days[place].day for place in days_that_count(days, search)][-search.window :]
    if len(window) < search.window:
        raise TooFewDays(needed=search.window, had=len(window))
    scores = [
        prod((growth.get(day, Decimal(1)) for day in window), start=Decimal(1))
        for growth in (_growths(days, search, k, running) for k in search.grid)
    ]
    return search.grid[best_place(scores)]


def walk_forward(
    days: Sequence[Day], search: Search, running: Opening | None = None
) -> tuple[dict[date, Decimal], list[Trade]]:
    """Which k was used on which day, and the trades made with it: nothing knows a later day.

    The first day is the one after the first window. Raises TooFewDays when there is none.
    """
    check_days(days)
    counted = days_that_count(days, search)
    if len(counted) <= search.window:
        raise TooFewDays(needed=search.window + 1, had=len(counted))
    used: dict[date, Decimal] = {}
    for turn, place in enumerate(counted[search.window :]):
        today = days[place]
        if turn % search.use_for == 0:
            k = choose_k(days[:place], search, Opening(today.day, today.open))
        used[today.day] = k
    trades = replay(
        days,
        lambda morning: search.strategy(used[morning.day]) if morning.day in used else None,
        search.costs,
        running,
    )
    return used, trades


def _growths(
    days: Sequence[Day], search: Search, k: Decimal, running: Opening | None
) -> dict[date, Decimal]:
    strategy = search.strategy(k)
    return {
        trade.day: trade.growth for trade in replay(days, lambda _: strategy, search.costs, running)
    }
