"""Moving-average crossing: buy when the short mean rises above the long one, sell when it falls."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.runs import OrderReason
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

MOST_LONG_DAYS = 200


@dataclass(frozen=True, slots=True)
class MovingAverageCrossing:
    """Buy on the day after the `short` mean of closes has risen above the `long` one.

    Means that are equal count as not above. What was bought is kept over days, and sold at the
    first price of a day before which the short mean is not above, or at the stop. The long mean
    must be of more days than the short one. Raises InvalidInput for settings that can't be.
    """

    short: int
    long: int
    stop: StopLoss | None = None

    def __post_init__(self) -> None:
        check_days_count("long", self.long, low=2, high=MOST_LONG_DAYS)
        check_days_count("short", self.short, high=MOST_LONG_DAYS)
        if self.short >= self.long:
            raise InvalidInput("short", "means_out_of_order")

    @property
    def days_needed(self) -> int:
        """The long mean, and one day more to see the crossing."""
        return self.long + 1

    def plan(self, morning: Morning) -> Plan | None:
        """Whether the means have crossed; None without yesterday or without days enough."""
        if morning.yesterday is None or len(morning.finished) < self.days_needed:
            return None
        above = self._is_above(morning, 0)
        crossed = above and not self._is_above(morning, 1)
        return Plan(morning.day, target=Decimal(0) if crossed else None, leaves=not above)

    def decide(self, plan: Plan | None, moment: Moment) -> Decision:
        """Sell when the plan says so or at the stop; buy at once on the day of a crossing."""
        today = plan if plan is not None and plan.day == moment.day else None
        if moment.held is not None:
            if today is not None and today.leaves:
                return Exit(OrderReason.SIGNAL, moment.last)
            stopped = self.stop.check(moment.held, moment.last) if self.stop else None
            return stopped or HOLD[Waiting.HOLDS]
        if moment.traded:
            return HOLD[Waiting.TRADED_TODAY]
        if today is None:
            return HOLD[Waiting.NO_PLAN]
        if today.target is not None and moment.last > today.target:
            return EnterAt(moment.last)
        return HOLD[Waiting.NO_SIGNAL]

    def _is_above(self, morning: Morning, ago: int) -> bool:
        days = morning.finished[: len(morning.finished) - ago]
        short, long = mean_close(days, self.short), mean_close(days, self.long)
        return short is not None and long is not None and short > long
