"""An exchange's own days, and the daily candles by which strategies judge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from app.domain.exchanges import ExchangeName
from app.domain.market import Candle

ONE_DAY = timedelta(days=1)
#: How far each exchange's day is ahead of UTC: it begins at 09:00 in Korea, or at 00:00.
_AHEAD = {ExchangeName.UPBIT: timedelta(0), ExchangeName.BITHUMB: timedelta(hours=9)}


class BadHistory(ValueError):
    """Days that can't be: out of order, twice the same, or a range that doesn't hold."""


@dataclass(frozen=True, slots=True)
class Day:
    """One daily candle by the exchange's own day."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    @property
    def range(self) -> Decimal:
        """From the lowest to the highest price."""
        return self.high - self.low


def trading_day(moment: datetime, exchange: ExchangeName) -> date:
    """The exchange's day at this moment; at the boundary itself that is the new one."""
    return (moment + _AHEAD[exchange]).astimezone(UTC).date()


def day_start(day: date, exchange: ExchangeName) -> datetime:
    """When a day of the exchange begins, as aware UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - _AHEAD[exchange]


def as_days(candles: Iterable[Candle], exchange: ExchangeName) -> tuple[Day, ...]:
    """Daily candles, oldest first, as days of the exchange; BadHistory for any that isn't one.

    Days without a candle are left out: nothing was traded then.
    """
    days = tuple(_day(one, exchange) for one in candles)
    check_days(days)
    return days


def check_days(days: Sequence[Day]) -> None:
    """Raise BadHistory unless the days ascend and each range holds."""
    for before, after in pairwise(days):
        if before.day >= after.day:
            raise BadHistory(f"{after.day} after {before.day}")
    for one in days:
        if not 0 < one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high:
            raise BadHistory(f"the range of {one.day} doesn't hold")


def finished_before(days: Sequence[Day], today: date) -> tuple[Day, ...]:
    """The days that ended before `today` began: the running one has decided nothing yet."""
    return tuple(one for one in days if one.day < today)


def _day(candle: Candle, exchange: ExchangeName) -> Day:
    day = trading_day(candle.opened_at, exchange)
    if day_start(day, exchange) != candle.opened_at:
        raise BadHistory(f"no day of {exchange} begins at {candle.opened_at}")
    return Day(day, candle.open, candle.high, candle.low, candle.close)
