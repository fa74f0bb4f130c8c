"""One coin's backtest: every trade, the curve of the money, and how far to believe it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from app.analysis.coin import Coin, Ks, Share, check_exact, make_ready
from app.analysis.growth import Trades, kept, trades_at
from app.analysis.history import History, Whole
from app.analysis.k_search import Searched, search_coin
from app.analysis.scratch import Scratch
from app.analysis.shuffle import shuffled
from app.analysis.steps import Floats, Places
from app.domain.money import from_units
from app.domain.runs import OrderReason
from app.domain.trading import Doubt, Evidence, Opening, Search, doubts

#: So many shuffled markets tell a chance of 1 in 201 at best.
SHUFFLES = 200
#: Told how many of how many steps are done; what it raises ends the work.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BookedTrade:
    """One trade in won: `fee` is for both ways, `growth` what one won became.

    `reason` None: not sold yet, valued at the last close. `k` None: the strategy has none.
    """

    day: date
    k: Decimal | None
    target: Decimal
    bought_at: Decimal
    sold_on: date
    sold_at: Decimal
    reason: OrderReason | None
    fee: Decimal
    growth: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One way to trade over some days.

    `curve` says what one won had become when each day's position was sold. `drawdown` is the
    largest fall from a height, as a share of it. A hit is a trade that gained, costs paid.
    """

    days: Whole
    curve: Floats
    growth: float
    drawdown: float
    trades: int
    hits: int

    @classmethod
    def of(cls, days: Whole, curve: Floats, trades: int, hits: int) -> "Line":
        """The line of a curve; its end and its largest fall are the curve's."""
        heights = np.maximum(np.maximum.accumulate(curve), 1.0)
        return cls(
            days=days,
            curve=curve,
            growth=float(curve[-1]) if len(curve) else 1.0,
            drawdown=float((1 - curve / heights).max(initial=0.0)),
            trades=trades,
            hits=hits,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """The trades of a coin over some days, with k given or chosen, and their line.

    `rows` are the coin's days, `places` the place of k in the grid on each of them.
    """

    coin: Coin
    search: Search
    rows: Places
    places: Places
    cells: Trades
    line: Line

    def trades(self, capital: Decimal) -> Iterator[BookedTrade]:
        """All trades, oldest first; each spends what `capital` has become by then."""
        costs, coin, money = self.search.costs, self.coin, capital
        for place in np.flatnonzero(self.cells.made):
            row = self.rows[place]
            target, bought, sold = (
                from_units(int(column[place]) * coin.unit)
                for column in (self.cells.target, self.cells.bought, self.cells.sold)
            )
            growth = costs.growth(bought, sold)
            stopped = bool(self.cells.stopped[place])
            sold_on = coin.days[row] if stopped else coin.next_day[row]
            yield BookedTrade(
                day=date.fromordinal(int(coin.days[row])),
                k=self.search.grid[self.places[place]],
                target=target,
                bought_at=bought,
                sold_on=date.fromordinal(int(sold_on)),
                sold_at=sold,
                reason=_reason(stopped=stopped, is_open=bool(coin.is_open[row])),
                fee=costs.fees(money, bought, sold),
                growth=growth,
            )
            money *= growth


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A backtest that one can believe, or see why not: three lines over the same days.

    `in_sample` trades with the k that was best over these very days, `out_of_sample` with what was
    chosen before each of them, `holding` bought on the first and waited. `p_value` is the share of
    shuffled markets in which choosing k did as well; None when none was tried.
    """

    searched: Searched
    in_sample: Tested
    out_of_sample: Tested
    holding: Line
    p_value: float | None
    doubts: tuple[Doubt, ...]


def with_k(history: History, search: Search, k: Decimal, running: Opening | None = None) -> Tested:
    """All trades over the days that count, with one k of the grid; nothing is chosen."""
    coin = make_ready(history, search, running)
    check_exact(coin, Ks.of(search.grid), search)
    return _tested(
        coin, search, np.arange(len(coin.days)), np.full(len(coin.days), search.grid.index(k))
    )


def judge(
    history: History,
    search: Search,
    *,
    capital: Decimal,
    min_total: Decimal,
    running: Opening | None = None,
    shuffles: int = SHUFFLES,
    seed: int = 1,
    progress: Progress = lambda done, total: None,
) -> Judged:
    """Search k, walk forward, compare with holding and with shuffled markets.

    The same seed gives the same shuffles. Raises TooFewDays when no day is left out of sample.
    """
    found = search_coin(history, search, running)
    coin, rows = found.coin, np.arange(search.window, len(found.coin.days))
    in_sample = _tested(coin, search, rows, np.full(len(rows), found.best))
    out_of_sample = _tested(coin, search, rows, found.chosen)
    holding = _holding(coin, search, rows)
    p_value = None
    if shuffles:
        p_value = _p_value(history, search, out_of_sample.line.growth, shuffles, seed, progress)
    missing = int(history.days[-1] - history.days[0]) + 1 - len(history)
    return Judged(
        searched=found,
        in_sample=in_sample,
        out_of_sample=out_of_sample,
        holding=holding,
        p_value=p_value,
        doubts=doubts(
            Evidence(
                growth_in=in_sample.line.growth,
                growth_out=out_of_sample.line.growth,
                trades_out=out_of_sample.line.trades,
                holding=holding.growth,
                missing_days=missing,
                least=capital * Decimal(str(out_of_sample.line.curve.min())),
                min_total=min_total,
                p_value=p_value,
            )
        ),
    )


def _reason(*, stopped: bool, is_open: bool) -> OrderReason | None:
    if stopped:
        return OrderReason.STOP_LOSS
    return None if is_open else OrderReason.DAY_END


def _tested(coin: Coin, search: Search, rows: Places, places: Places) -> Tested:
    ks = Ks.of(search.grid)
    cells = trades_at(coin, rows, ks.numers[places], ks.denom, search)
    curve = np.cumprod(cells.growth, dtype=np.float64)
    hits = int((cells.made & (cells.growth > 1)).sum())
    line = Line.of(coin.days[rows], curve, int(cells.made.sum()), hits)
    return Tested(coin, search, rows, places, cells, line)


def _holding(coin: Coin, search: Search, rows: Places) -> Line:
    """Bought at the first open with the same costs, and counted as sold on each next morning."""
    slip, era = Share.of(search.costs.slippage), coin.era[rows[:1]]
    first = coin.open[rows[:1]] * (slip.denom + slip.numer)
    bought = coin.steps.up(first, slip.denom, era)
    curve: Floats = np.divide(kept(search) * coin.sold[rows], bought)
    return Line.of(coin.days[rows], curve, 1, int(curve[-1] > 1))


def _p_value(
    history: History, search: Search, growth: float, shuffles: int, seed: int, progress: Progress
) -> float:
    """How often a market without memory rewards the same choosing as well; never quite 0."""
    chance, scratch, as_good = np.random.default_rng(seed), Scratch(), 0
    for turn in range(shuffles):
        market = shuffled(history, search.costs.ticks, chance)
        found = search_coin(market, search, scratch=scratch)
        as_good += float(np.prod(found.walked)) >= growth
        progress(turn + 1, shuffles)
    return (1 + as_good) / (1 + shuffles)
