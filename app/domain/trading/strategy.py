"""What a strategy is: it plans in the morning, decides at each price, and does nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from app.domain.runs import OrderReason
from app.domain.trading.bounds import check_bounds
from app.domain.trading.days import ONE_DAY, Day
from app.domain.trading.ticks import Ticks

HIGHEST_STOP_PCT = Decimal(50)
_PERCENT_DECIMALS = 2
ONE_PERCENT = Decimal("0.01")


class Waiting(StrEnum):
    """Why a strategy does nothing at the moment."""

    NO_PLAN = "no_plan"
    NO_SIGNAL = "no_signal"
    BELOW_TARGET = "below_target"
    HOLDS = "holds"
    TRADED_TODAY = "traded_today"


@dataclass(frozen=True, slots=True)
class Morning:
    """All that is known when a trading day opens: its first price, and days that have ended.

    `finished` is oldest first. Nothing that ended later may be in it.
    """

    day: date
    open: Decimal
    finished: Sequence[Day]

    def __post_init__(self) -> None:
        if self.finished and self.finished[-1].day >= self.day:
            raise ValueError(f"{self.finished[-1].day} hasn't ended when {self.day} opens")

    @property
    def yesterday(self) -> Day | None:
        """The day right before; None where nothing was traded then."""
        last = self.finished[-1] if self.finished else None
        return last if last is not None and last.day == self.day - ONE_DAY else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a strategy means to do on one day: buy above `target` (None: don't buy), or leave."""

    day: date
    target: Decimal | None = None
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What was bought of a coin: the average price paid, without fees, and on which trading day."""

    bought_at: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class Moment:
    """One price on one trading day. `traded` says that the coin was bought on this day before."""

    day: date
    last: Decimal
    held: Held | None = None
    traded: bool = False


@dataclass(frozen=True, slots=True)
class EnterAt:
    """Buy now. `target` is the price at which it became due."""

    target: Decimal


@dataclass(frozen=True, slots=True)
class Exit:
    """Sell now all that was bought. `due` is the price at which it became due."""

    reason: OrderReason
    due: Decimal


@dataclass(frozen=True, slots=True)
class Hold:
    """Do nothing, and why."""

    why: Waiting


Decision = EnterAt | Exit | Hold
HOLD = {why: Hold(why) for why in Waiting}


class Strategy(Protocol):
    """Settings that decide. Pure: the same morning and the same moment give the same answer."""

    @property
    def days_needed(self) -> int:
        """How many finished days a plan looks at."""

    def plan(self, morning: Morning) -> Plan | None:
        """What to do on this day; None when the days before it don't tell."""

    def decide(self, plan: Plan | None, moment: Moment) -> Decision:
        """What to do at this price. A plan of another day counts as none."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One coin of one bot: its strategy, the plan of the day, and what the bot holds of it."""

    bot_id: int
    market: str
    strategy: Strategy
    plan: Plan | None
    held: Held | None = None
    traded: bool = False


def decide_all(
    watches: Iterable[Watch], prices: Mapping[str, Decimal], day: date
) -> list[tuple[Watch, EnterAt | Exit]]:
    """What is to be done now, for all coins of all bots by one day; a coin without price waits.

    The day is given once: no coin's new day can make another coin miss its own.
    """
    due: list[tuple[Watch, EnterAt | Exit]] = []
    for watch in watches:
        last = prices.get(watch.market)
        if last is None:
            continue
        moment = Moment(day, last, watch.held, watch.traded)
        decision = watch.strategy.decide(watch.plan, moment)
        if not isinstance(decision, Hold):
            due.append((watch, decision))
    return due


@dataclass(frozen=True, slots=True)
class StopLoss:
    """Sell when the price is `pct` percent or more below what was paid; at exactly `pct` already.

    The level is rounded up to a price step, as every asking price is.
    """

    pct: Decimal
    ticks: Ticks = field(default_factory=Ticks)

    def __post_init__(self) -> None:
        check_bounds(
            "stop_loss",
            self.pct,
            low=ONE_PERCENT,
            high=HIGHEST_STOP_PCT,
            decimals=_PERCENT_DECIMALS,
        )

    def level(self, held: Held) -> Decimal:
        """The price at or below which to sell."""
        return self.ticks.up(held.bought_at * (100 - self.pct) / 100, held.day)

    def check(self, held: Held, last: Decimal) -> Exit | None:
        """The sale, where the price is low enough."""
        level = self.level(held)
        return Exit(OrderReason.STOP_LOSS, level) if last <= level else None


def check_days_count(field: str, count: int, *, high: int, low: int = 1) -> None:
    """Raise InvalidInput unless a number of days is within its bounds."""
    check_bounds(field, Decimal(count), low=Decimal(low), high=Decimal(high), decimals=0)


def mean_close(days: Sequence[Day], count: int) -> Decimal | None:
    """The mean of the last `count` closes; None while there are fewer days."""
    if len(days) < count:
        return None
    return sum((one.close for one in days[-count:]), Decimal(0)) / count
