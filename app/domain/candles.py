"""Candles: when one is over, how longer ones are put together, and what is still to be asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from app.domain.market import Candle, CandleUnit
from app.domain.votes import CANDLE_SETTLES_IN

#: The lengths of candles that are shown, in minutes.
FRAMES = (1, 15, 60, 240, 1440, 10080)
#: The exchange gives at most so many candles in one answer.
LARGEST_PAGE = 200
_WEEK = FRAMES[-1]
# A Monday, so that weeks begin where the exchange begins them; all shorter frames fit as well.
_ORIGIN = datetime(1970, 1, 5, tzinfo=UTC)


def stored_unit(frame: int) -> CandleUnit:
    """The unit from which candles of `frame` minutes are made; ValueError for an unknown frame."""
    if frame not in FRAMES:
        raise ValueError(f"no frame of {frame} minutes")
    return max(unit for unit in CandleUnit if frame % unit == 0)


def frame_start(moment: datetime, frame: int) -> datetime:
    """When the candle of `frame` minutes that holds this moment began: UTC, weeks from Monday."""
    length = timedelta(minutes=frame)
    return _ORIGIN + (moment - _ORIGIN) // length * length


def finished_until(now: datetime, unit: CandleUnit) -> datetime:
    """Candles that opened before this are over and final; the one that opens at it still forms.

    A candle is final five seconds after its end.
    """
    return frame_start(now - CANDLE_SETTLES_IN, unit)


def put_together(candles: Iterable[Candle], frame: int) -> list[Candle]:
    """Longer candles from shorter ones, oldest first; where nothing was traded there is none."""
    groups = groupby(candles, key=lambda one: frame_start(one.opened_at, frame))
    return [joined(start, list(parts)) for start, parts in groups]


def joined(start: datetime, parts: Sequence[Candle]) -> Candle:
    """The candle from `start` on that these shorter ones, oldest first, make together."""
    return Candle(
        market=parts[0].market,
        opened_at=start,
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=sum(part.volume for part in parts),
        turnover=sum(part.turnover for part in parts),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A stretch of time in which every candle is known; the end is exclusive.

    `reaches_start` means that there is nothing older. `newest` is when the last of the candles
    opened.
    """

    since: datetime
    until: datetime
    reaches_start: bool = False
    newest: datetime | None = None

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether all candles of a stretch are known."""
        return end <= self.until and (self.since <= start or self.reaches_start)

    def learns(self, page: "Known") -> "Known":
        """What is known after an answer that tells all of `page`.

        Both together where they touch. Else the newer one alone, so that there is never a hole.
        That nothing is older is asked again each Monday: one false answer isn't for ever.
        """
        if page.since > self.until or self.since > page.until:
            return page if page.until > self.until else self
        is_new_week = frame_start(page.until, _WEEK) > self.until
        return Known(
            since=min(self.since, page.since),
            until=max(self.until, page.until),
            reaches_start=page.reaches_start or (self.reaches_start and not is_new_week),
            newest=max((one.newest for one in (self, page) if one.newest), default=None),
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the exchange: the last `count` candles that opened before `until`.

    With `since` no more than `count` can have opened between both, so that the answer tells all of
    that stretch. Without it the answer tells all back to its oldest candle.
    """

    until: datetime
    count: int
    since: datetime | None = None


def next_ask(
    known: Known | None, *, unit: CandleUnit, wanted_from: datetime, end: datetime
) -> Ask | None:
    """What to ask next to know all candles from `wanted_from` to `end`; None when all is known.

    The newest first, then forward where the knowledge ends, then back in time. Knowledge that ends
    before `wanted_from` is of no use and begins anew.
    """
    if known is None or known.until < wanted_from:
        return Ask(end, _page(wanted_from, end, unit))
    if known.until < end:
        since = _known_neighbour(known, unit)
        until = min(end, since + LARGEST_PAGE * unit.length)
        return Ask(until, _page(since, until, unit), since)
    if wanted_from < known.since and not known.reaches_start:
        return Ask(known.since, _page(wanted_from, known.since, unit))
    return None


def calls_left(
    known: Known | None, *, unit: CandleUnit, wanted_from: datetime, end: datetime
) -> int:
    """How many questions it takes at most to know all candles from `wanted_from` to `end`."""
    if known is None or known.until < wanted_from:
        return _pages(wanted_from, end, unit)
    ahead = _pages(_known_neighbour(known, unit), end, unit) if known.until < end else 0
    return ahead + (0 if known.reaches_start else _pages(wanted_from, known.since, unit))


def _known_neighbour(known: Known, unit: CandleUnit) -> datetime:
    """Where to begin going forward: at a candle that we know.

    What the exchange corrected comes to light so, and an answer that lacks it is a false one; an
    empty answer couldn't be told from a time without trades.
    """
    before = known.until - unit.length
    reach = known.until - (LARGEST_PAGE - 1) * unit.length
    return known.newest if known.newest is not None and known.newest >= reach else before


def _page(since: datetime, until: datetime, unit: CandleUnit) -> int:
    return max(1, min(LARGEST_PAGE, -((since - until) // unit.length)))


def _pages(since: datetime, until: datetime, unit: CandleUnit) -> int:
    return max(0, -((since - until) // (LARGEST_PAGE * unit.length)))
