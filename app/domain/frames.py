"""The frames of a chart: how long its candles are, what they are made of, when one opens."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum

from app.domain.market import CandleUnit

#: A Monday at 00:00 UTC. Every frame divides a week, so its candles are counted from here.
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class Frame(IntEnum):
    """The lengths of candles on a chart, in minutes; the exchange's own ones among them."""

    MINUTE = 1
    QUARTER = 15
    HOUR = 60
    FOUR_HOURS = 240
    DAY = 1440
    WEEK = 10080

    @property
    def code(self) -> str:
        """As addresses say it: `1m`, `15m`, `1h`, `4h`, `1d`, `1w`."""
        return _CODES[self]

    @property
    def length(self) -> timedelta:
        """How long a candle lasts."""
        return timedelta(minutes=self.value)

    @property
    def unit(self) -> CandleUnit:
        """Which stored candles one of this frame is put together from."""
        return max(unit for unit in CandleUnit if unit <= self)

    def opening(self, moment: datetime) -> datetime:
        """When the candle that holds this moment opened, in UTC; weeks begin on Monday."""
        return moment.astimezone(UTC) - (moment - _MONDAY) % self.length


_CODES = {
    Frame.MINUTE: "1m",
    Frame.QUARTER: "15m",
    Frame.HOUR: "1h",
    Frame.FOUR_HOURS: "4h",
    Frame.DAY: "1d",
    Frame.WEEK: "1w",
}
#: The frames by the word for each in an address.
FRAMES = {code: frame for frame, code in _CODES.items()}
