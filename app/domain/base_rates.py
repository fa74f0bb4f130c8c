"""Base rates: how often, in the last year, a coin moved as far as a question asks."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from app.domain.candles import finished_until
from app.domain.market import CandleUnit
from app.domain.votes import Direction, Duration, schedule

#: One window begins at the close of each of the last so many finished days.
WINDOW_DAYS = 365
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BaseRate:
    """In `hits` of `windows` the price moved far enough; from the first start to the last end."""

    hits: int
    windows: int
    since: date
    until: date

    @property
    def share(self) -> Decimal:
        """The rate as a part of one, to four decimals."""
        return share(self.hits, self.windows)

    @property
    def pct(self) -> Decimal:
        """The rate in percent, to two decimals."""
        return self.share * 100


@dataclass(frozen=True, slots=True)
class Moves:
    """How far the price moved in each window: the largest whole percentage reached, ascending.

    A move the other way is below zero.
    """

    rises: tuple[int, ...]
    falls: tuple[int, ...]
    since: date
    until: date

    def rate(self, direction: Direction, range_pct: int) -> BaseRate:
        """In how many windows the price reached `range_pct` in this direction."""
        reached = self.rises if direction is Direction.UP else self.falls
        hits = len(reached) - bisect_left(reached, range_pct)
        return BaseRate(hits, len(reached), self.since, self.until)


def share(hits: int, windows: int) -> Decimal:
    """`hits` as a part of all windows, to four decimals."""
    return round(Decimal(hits) / windows, 4)


def last_finished(now: datetime) -> date:
    """The newest day whose candle is final; days begin at 00:00 UTC, which is 09:00 in Korea."""
    return finished_until(now, CandleUnit.DAY).date() - _DAY


def moves(closes: Mapping[date, int], duration: Duration, last_day: date) -> Moves | None:
    """What became of each window of the last 365 finished days; None where there is none.

    `closes` are prices in counts of 1e-8 won by day. A window runs from the close of its day for as
    long as a vote would, and counts when both days are finished and something was traded on both:
    without a trade in its last 24 hours a vote isn't decided either.
    """
    found = [
        (start, end)
        for start in (last_day - _DAY * back for back in range(WINDOW_DAYS - 1, -1, -1))
        if start in closes and (end := end_day(start, duration)) <= last_day and end in closes
    ]
    if not found:
        return None
    pairs = [(closes[start], closes[end]) for start, end in found]
    return Moves(
        rises=tuple(sorted(risen_pct(first, last) for first, last in pairs)),
        falls=tuple(sorted(fallen_pct(first, last) for first, last in pairs)),
        since=found[0][0],
        until=found[-1][1],
    )


def end_day(start: date, duration: Duration) -> date:
    """The day at whose close a vote falls due that was made at the close of `start`."""
    closed_at = datetime.combine(start, time(), UTC) + _DAY
    return schedule(duration, closed_at).tracked_at.date() - _DAY


def risen_pct(start: int, end: int) -> int:
    """The largest whole r for which a rise of at least r % was reached, as votes are decided."""
    return 100 * end // start - 100


def fallen_pct(start: int, end: int) -> int:
    """The largest whole r for which a fall of at least r % was reached, as votes are decided."""
    return 100 + -100 * end // start
