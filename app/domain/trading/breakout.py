"""Volatility breakout: buy what breaks out of yesterday's range, sell it when the day ends."""

from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.runs import OrderReason
from app.domain.trading.bounds import check_bounds
from app.domain.trading.strategy import (
    HOLD,
    Decision,
    EnterAt,
    Exit,
    Moment,
    Morning,
    Plan,
    StopLoss,
    Waiting,
    check_days_count,
    mean_close,
)
from app.domain.trading.ticks import Ticks

LOWEST_K, HIGHEST_K = Decimal("0.001"), Decimal(5)
K_DECIMALS = 3
MOST_MEAN_DAYS = 200


@dataclass(frozen=True, slots=True)
class VolatilityBreakout:
    """Buy when the last price is above today's open + `k` × yesterday's range; once a day.

    With `mean_days` the price must be above the mean of so many closes, too. Both are rounded down
    to a price step, as every bid is. What was bought is sold at the first price of any later day,
    however late that is seen, or at the stop. Without a candle of the day before there is no range,
    and nothing is bought. Raises InvalidInput for settings that can't be.
    """

    k: Decimal
    ticks: Ticks = field(default_factory=Ticks)
    mean_days: int | None = None
    stop: StopLoss | None = None

    def __post_init__(self) -> None:
        check_bounds("k", self.k, low=LOWEST_K, high=HIGHEST_K, decimals=K_DECIMALS)
        if self.mean_days is not None:
            check_days_count("mean_days", self.mean_days, high=MOST_MEAN_DAYS)

    @property
    def days_needed(self) -> int:
        """Yesterday, or as many days as the mean wants."""
        return self.mean_days or 1

    def plan(self, morning: Morning) -> Plan | None:
        """Today's target; None without yesterday, or without days enough for the mean."""
        yesterday = morning.yesterday
        mean = mean_close(morning.finished, self.days_needed)
        if yesterday is None or mean is None:
            return None
        target = self.ticks.down(morning.open + self.k * yesterday.range, morning.day)
        if self.mean_days is not None:
            target = max(target, self.ticks.down(mean, morning.day))
        return Plan(morning.day, target)

    def decide(self, plan: Plan | None, moment: Moment) -> Decision:
        """Sell what is of an earlier day or has fallen to the stop; buy above the target."""
        if moment.held is not None:
            if moment.held.day < moment.day:
                return Exit(OrderReason.DAY_END, moment.last)
            stopped = self.stop.check(moment.held, moment.last) if self.stop else None
            return stopped or HOLD[Waiting.HOLDS]
        if moment.traded:
            return HOLD[Waiting.TRADED_TODAY]
        if plan is None or plan.target is None or plan.day != moment.day:
            return HOLD[Waiting.NO_PLAN]
        if moment.last > plan.target:
            return EnterAt(plan.target)
        return HOLD[Waiting.BELOW_TARGET]
