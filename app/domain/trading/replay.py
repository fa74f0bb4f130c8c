"""The reference backtest: a strategy lives through days, price by price, slowly and exactly.

Of a day only four prices are known, and they are taken in the order open, high, low, close. So a
low counts as after the purchase, whether it was or not: a stop is never spared by good luck.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from app.domain.runs import OrderReason
from app.domain.trading.costs import Costs
from app.domain.trading.days import Day
from app.domain.trading.strategy import EnterAt, Exit, Held, Moment, Morning, Plan, Strategy

#: The strategy of a day, chosen from what was known when it opened; None: nothing is bought.
Chooser = Callable[[Morning], Strategy | None]


@dataclass(frozen=True, slots=True)
class Opening:
    """The first price of a day that isn't over yet."""

    day: date
    open: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """One purchase and its sale. `reason` None: not sold yet, valued at the last close.

    `growth` is what one won became, all costs paid; `strategy` is the one that bought.
    """

    day: date
    target: Decimal
    bought_at: Decimal
    sold_on: date
    sold_at: Decimal
    reason: OrderReason | None
    growth: Decimal
    strategy: Strategy


def replay(
    days: Sequence[Day], choose: Chooser, costs: Costs, running: Opening | None = None
) -> list[Trade]:
    """All trades over finished days, oldest first; `running` is the open of the day after them.

    Purchases are made when the price passes their target, sales when it passes the price at which
    they are due; a day that opens beyond it trades at its open. Costs go against the trader.
    """
    walk = _Walk(costs)
    for index, day in enumerate(days):
        walk.live_through(day, choose(Morning(day.day, day.open, days[:index])), days[:index])
    if running is not None:
        walk.open_only(running, choose(Morning(running.day, running.open, days)), days)
    if days:
        walk.value_at(days[-1])
    return walk.trades


@dataclass(frozen=True, slots=True)
class _Bought:
    held: Held
    target: Decimal
    by: Strategy


class _Walk:
    """One pass over the days: what is held, and what was traded."""

    def __init__(self, costs: Costs) -> None:
        self.trades: list[Trade] = []
        self._costs = costs
        self._bought: _Bought | None = None
        self._last_entry: date | None = None

    def live_through(self, day: Day, chosen: Strategy | None, finished: Sequence[Day]) -> None:
        """The four prices of a day."""
        strategy = self._in_charge(chosen)
        if strategy is None:
            return
        plan = chosen.plan(Morning(day.day, day.open, finished)) if chosen else None
        self._see(day.day, day.open, day.open, strategy, plan)
        if self._bought is None:  # sold or never bought: the same price may be one to buy at
            self._see(day.day, day.open, day.open, strategy, plan)
        for before, price in pairwise((day.open, day.high, day.low, day.close)):
            self._see(day.day, price, before, strategy, plan)

    def open_only(self, day: Opening, chosen: Strategy | None, finished: Sequence[Day]) -> None:
        """The first price of a day, at which positions may be sold; nothing is bought any more."""
        strategy = self._in_charge(chosen)
        if strategy is not None and self._bought is not None:
            plan = strategy.plan(Morning(day.day, day.open, finished))
            self._see(day.day, day.open, day.open, strategy, plan)

    def value_at(self, day: Day) -> None:
        """Count what is still held as if it were sold at the last close."""
        if self._bought is not None:
            self._sell(self._bought, day.day, day.close, None)

    def _in_charge(self, chosen: Strategy | None) -> Strategy | None:
        """Who decides on a day: the strategy chosen for it, else the one that has bought."""
        return chosen or (self._bought.by if self._bought else None)

    def _see(
        self, day: date, last: Decimal, before: Decimal, strategy: Strategy, plan: Plan | None
    ) -> None:
        held = self._bought.held if self._bought else None
        decision = strategy.decide(plan, Moment(day, last, held, traded=self._last_entry == day))
        if isinstance(decision, EnterAt):
            paid = self._costs.bought_at(max(before, decision.target), day)
            self._bought = _Bought(Held(paid, day), decision.target, strategy)
            self._last_entry = day
        elif isinstance(decision, Exit) and self._bought is not None:
            self._sell(self._bought, day, min(before, decision.due), decision.reason)

    def _sell(self, bought: _Bought, day: date, price: Decimal, reason: OrderReason | None) -> None:
        sold = self._costs.sold_at(price, day)
        growth = self._costs.growth(bought.held.bought_at, sold)
        self.trades.append(
            Trade(
                day=bought.held.day,
                target=bought.target,
                bought_at=bought.held.bought_at,
                sold_on=day,
                sold_at=sold,
                reason=reason,
                growth=growth,
                strategy=bought.by,
            )
        )
        self._bought = None
