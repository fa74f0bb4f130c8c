"""The limits of a bot, checked last before an order is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import InvalidInput
from app.domain.trading.bounds import check_bounds

_LARGEST = Decimal(10) ** 12
_LONGEST_REST = timedelta(days=7)


class Refusal(StrEnum):
    """Which limit an entry would break."""

    PER_ORDER = "per_order"
    PER_DAY = "per_day"
    DAILY_LOSS = "daily_loss"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bot may do at most; None sets no limit. Raises InvalidInput for what can't be.

    `per_order` and `per_day` are won spent on purchases, without fees, by the exchange's day.
    `daily_loss_pct` is of what the bot was worth when the day began; at exactly that loss it stops
    buying. After a sale the coin rests for `rest`. Sales are never refused: they lower the risk.
    """

    per_order: Decimal | None = None
    per_day: Decimal | None = None
    daily_loss_pct: Decimal | None = None
    rest: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        for name, value in (("per_order", self.per_order), ("per_day", self.per_day)):
            if value is not None:
                check_bounds(name, value, low=Decimal(1), high=_LARGEST, decimals=0)
        if self.daily_loss_pct is not None:
            low, high = Decimal("0.01"), Decimal(100)
            check_bounds("daily_loss", self.daily_loss_pct, low=low, high=high, decimals=2)
        if not timedelta(0) <= self.rest <= _LONGEST_REST:
            hours = str(_LONGEST_REST // timedelta(hours=1))
            raise InvalidInput("rest", "setting_out_of_bounds", low="0", high=hours)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a bot stands: spent on the exchange's day so far, and worth at its start and now.

    `spent` counts every intent of the day whose fate isn't known to be nothing.
    """

    spent: Decimal
    worth_at_start: Decimal
    worth: Decimal
    sold_at: datetime | None = None


def refuse_entry(
    funds: Decimal, *, limits: Limits, standing: Standing, now: datetime
) -> Refusal | None:
    """The limit that a purchase for so many won would break; None lets it pass."""
    if limits.per_order is not None and funds > limits.per_order:
        return Refusal.PER_ORDER
    if limits.per_day is not None and standing.spent + funds > limits.per_day:
        return Refusal.PER_DAY
    if limits.daily_loss_pct is not None and _lost_too_much(standing, limits.daily_loss_pct):
        return Refusal.DAILY_LOSS
    if standing.sold_at is not None and now < standing.sold_at + limits.rest:
        return Refusal.RESTING
    return None


def _lost_too_much(standing: Standing, pct: Decimal) -> bool:
    lost = standing.worth_at_start - standing.worth
    return lost > 0 and lost * 100 >= standing.worth_at_start * pct
