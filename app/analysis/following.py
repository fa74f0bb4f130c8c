"""A strategy lived through a history as it is: nothing is chosen, so nothing flatters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from app.analysis.backtest import BookedTrade, Line
from app.analysis.steps import Floats
from app.domain.trading import (
    Costs,
    Day,
    Doubt,
    Evidence,
    MovingAverageCrossing,
    TooFewDays,
    Trade,
    doubts,
    replay,
)

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What came of a strategy and of holding, over the days on which it could decide."""

    line: Line
    holding: Line
    trades: tuple[BookedTrade, ...]
    doubts: tuple[Doubt, ...]


def follow(
    days: Sequence[Day],
    strategy: MovingAverageCrossing,
    costs: Costs,
    capital: Decimal,
    *,
    min_total: Decimal,
) -> Followed:
    """Live through all days. Raises TooFewDays when there is none on which it could decide.

    The curve counts what is held at each day's close as if it were sold there, costs paid.
    """
    needed = strategy.days_needed
    if len(days) <= needed:
        raise TooFewDays(needed=needed + 1, had=len(days))
    trades = replay(days, lambda _morning: strategy, costs)
    judged = days[needed:]
    ordinals = np.array([one.day.toordinal() for one in judged], dtype=np.int64)
    curve = _curve(judged, trades, costs)
    hits = sum(one.growth > 1 for one in trades)
    line = Line.of(ordinals, curve, len(trades), hits)
    bought = costs.bought_at(judged[0].open, judged[0].day)
    held = [float(costs.growth(bought, costs.sold_at(one.close, one.day))) for one in judged]
    holding = Line.of(ordinals, np.array(held), 1, int(held[-1] > 1))
    missing = int(ordinals[-1]) - days[0].day.toordinal() + 1 - len(days)
    return Followed(
        line=line,
        holding=holding,
        trades=tuple(_booked(trades, costs, capital)),
        doubts=doubts(
            Evidence(
                growth_out=line.growth,
                trades_out=len(trades),
                holding=holding.growth,
                missing_days=missing,
                least=capital * Decimal(str(curve.min())),
                min_total=min_total,
            )
        ),
    )


def _curve(days: Sequence[Day], trades: Sequence[Trade], costs: Costs) -> Floats:
    """What one won had become by the close of each day."""
    values, money, turn = [], _ONE, 0
    for one in days:
        while turn < len(trades) and trades[turn].sold_on <= one.day and trades[turn].reason:
            money *= trades[turn].growth
            turn += 1
        is_held = turn < len(trades) and trades[turn].day <= one.day
        worth = money
        if is_held:
            worth *= costs.growth(trades[turn].bought_at, costs.sold_at(one.close, one.day))
        values.append(float(worth))
    return np.array(values)


def _booked(trades: Sequence[Trade], costs: Costs, capital: Decimal) -> Iterator[BookedTrade]:
    """The trades in won, each with what the one before left."""
    money = capital
    for one in trades:
        yield BookedTrade(
            day=one.day,
            k=None,
            target=one.target,
            bought_at=one.bought_at,
            sold_on=one.sold_on,
            sold_at=one.sold_at,
            reason=one.reason,
            fee=costs.fees(money, one.bought_at, one.sold_at),
            growth=one.growth,
        )
        money *= one.growth
