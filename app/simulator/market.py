"""One market of the invented exchange: its trades, summed over any range of time."""

import heapq
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from app.simulator.split import Block
from app.simulator.ticks import UNIT, on_tick
from app.simulator.tree import MINUTE_MS, SPANS, Trade, Tree

MOST_EVENTS = 1_000
DAY_MS = 86_400_000


class Event(NamedTuple):
    """A trade made by hand; when `pinned`, all later trades have its price until the next event."""

    ms: int
    units: int | None
    pinned: bool


class Deal(NamedTuple):
    """One trade as the market reports it: price and volume in counts of 1e-8."""

    ms: int
    units: int
    volume: int


@dataclass(slots=True)
class Tally:
    """What was traded in a range: prices and volume in counts of 1e-8, turnover in the quote."""

    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    turnover: float = 0.0

    def add(self, part: "Tally") -> None:
        """Append a later range."""
        self.high, self.low = max(self.high, part.high), min(self.low, part.low)
        self.close = part.close
        self.volume += part.volume
        self.turnover += part.turnover


@dataclass(slots=True, eq=False)
class Market:
    """A listed pair. Times are epoch milliseconds, ends exclusive."""

    code: str
    korean: str
    english: str
    base: float
    tree: Tree
    listed_ms: int
    warning: bool = False
    cautions: frozenset[str] = frozenset()
    listed: bool = True
    events: tuple[Event, ...] = field(default=())

    @property
    def quote(self) -> str:
        """The currency that prices are in."""
        return self.code.split("-")[0]

    def units(self, log_price: float) -> int:
        """The tradable price, in counts of 1e-8, nearest to a point of the path."""
        return on_tick(self.quote, self.base * math.exp(log_price))

    def at_price(self, units: int, ms: int, *, pinned: bool) -> None:
        """Trade once at `units`; pinned, every later trade happens at that price too."""
        self._add(Event(ms, units, pinned))

    def release(self, ms: int) -> None:
        """From this moment on prices follow their own path again."""
        self._add(Event(ms, None, False))

    def _add(self, event: Event) -> None:
        by_time = sorted((*self.events, event), key=lambda each: each.ms)
        self.events = tuple(by_time[-MOST_EVENTS:])

    def last(self, before_ms: int) -> Deal | None:
        """The last trade before a moment, or None before the first."""
        made = self._event(before_ms, by_hand=True)
        trade = self.tree.last(before_ms)
        if made and made.units is not None and (trade is None or trade.ms < made.ms):
            return Deal(made.ms, made.units, UNIT)
        if trade is None or trade.ms < self.listed_ms:
            return None
        ruling = self._event(trade.ms + 1)
        pinned = ruling.units if ruling and ruling.pinned else None
        return Deal(trade.ms, pinned or self.units(trade.price), trade.volume)

    def latest_event(self, before_ms: int) -> Event | None:
        """The last thing done by hand before a moment."""
        return self._event(before_ms)

    def _event(self, before_ms: int, *, by_hand: bool = False) -> Event | None:
        place = bisect_left(self.events, before_ms, key=lambda event: event.ms)
        earlier = reversed(self.events[:place])
        return next((event for event in earlier if event.units is not None or not by_hand), None)

    def tally(self, start_ms: int, end_ms: int) -> Tally | None:
        """Everything traded in [start, end), or None."""
        total: Tally | None = None
        for part in self._tallies(max(start_ms, self.listed_ms), end_ms):
            if total is None:
                total = part
            else:
                total.add(part)
        return total

    def starts_back(self, level: int, before_ms: int) -> Iterator[int]:
        """Starts of the blocks of a level in which somebody may have traded, newest first."""
        span = SPANS[level] * MINUTE_MS
        by_hand = [event.ms // span * span for event in self.events if event.units is not None]
        path = self.tree.starts_back(level, before_ms, self.listed_ms)
        later = [start for start in reversed(by_hand) if start < before_ms]
        return heapq.merge(later, path, reverse=True)

    def first_day(self, units: int, days: range, *, high: bool) -> int:
        """The first of `days` that reached a price (as its high, or its low)."""

        def reaches(block: Block) -> bool:
            edge = self.units(block.high if high else block.low)
            return edge >= units if high else edge <= units

        made = [event.ms // DAY_MS for event in self.events if event.units == units]
        inside = [day for day in made if day in days]
        return inside[0] if inside else self.tree.find_day(reaches, days) or days.start

    def _tallies(self, start: int, end: int) -> Iterator[Tally]:
        event = self._event(start)
        for later in [each for each in self.events if start <= each.ms < end]:
            yield from self._path(start, later.ms, event)
            if later.units is not None:
                yield _single(later.units, UNIT)
            start, event = later.ms, later
        yield from self._path(start, end, event)

    def _path(self, start: int, end: int, event: Event | None) -> Iterator[Tally]:
        pieces = self.tree.pieces(start, end) if start < end else ()
        if event is not None and event.pinned and event.units is not None:
            for piece in pieces:
                yield _single(event.units, piece.volume)
            return
        for piece in pieces:
            yield self._tally(piece)

    def _tally(self, piece: Block | Trade) -> Tally:
        if isinstance(piece, Trade):
            return _single(self.units(piece.price), piece.volume)
        middle = (piece.open + piece.high + piece.low + piece.close) / 4
        turnover = self.base * math.exp(middle) * piece.volume / UNIT
        first, high, low, last = map(self.units, piece[:4])
        return Tally(first, high, low, last, piece.volume, turnover)


def _single(units: int, volume: int) -> Tally:
    return Tally(units, units, units, units, volume, units * volume / UNIT**2)
