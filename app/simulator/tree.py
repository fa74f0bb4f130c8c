"""The price path of one market: candles drawn from the largest down, each split into its parts.

A block is drawn first as a whole (open, high, low, close, minutes with a trade, volume); its parts
are drawn inside it, from a hash of seed, market, level and place. So any moment is reached in eight
steps, nothing is stored, and every candle agrees with the smaller ones inside it.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

#: Length in minutes of a block on each level: 512, 64, 8 and 1 days, then parts of the day.
SPANS = (737_280, 92_160, 11_520, 1_440, 240, 60, 15, 5, 1)
FANS = tuple(whole // part for whole, part in pairwise(SPANS))
DAY = SPANS.index(1_440)
LEAF = len(SPANS) - 1
MINUTE_MS = 60_000
MOST_TRADES = 16
_EPOCH_DAYS = SPANS[0] // SPANS[DAY]

_DRAWS = struct.Struct("<32H")
_PLACE = struct.Struct("<bq")
_WHOLE = 65_536


class Block(NamedTuple):
    """One candle: logarithms of the price against the market's base, and what was traded."""

    open: float
    high: float
    low: float
    close: float
    minutes: int
    volume: int


class Trade(NamedTuple):
    """One trade: epoch milliseconds, logarithm of the price, volume in counts of 1e-8."""

    ms: int
    price: float
    volume: int


@dataclass(frozen=True, slots=True)
class Character:
    """How a market behaves: `swing` bounds the logarithm, `activity` is the share of busy minutes,
    `volume` the 1e-8 counts of coin that change hands in a day, `trades` the most in a minute."""

    swing: float
    activity: float
    volume: int
    trades: int = 4


def draws(key: bytes, level: int, index: int) -> tuple[int, ...]:
    """32 numbers of 0..65535 that belong to one place in one market for ever."""
    place = _PLACE.pack(level, index)
    return _DRAWS.unpack(hashlib.blake2b(place, key=key, digest_size=64).digest())


class Tree:
    """All trades of one market, past and future. Times are epoch milliseconds, ends exclusive."""

    def __init__(self, key: bytes, character: Character, cache: int = 64) -> None:
        self._key = key
        self._character = character
        self._parts: Callable[[int, int], tuple[Block | None, ...]] = lru_cache(cache)(self._split)

    def block(self, level: int, index: int) -> Block | None:
        """The block at a place, or None where nobody traded."""
        if level == 0:
            return self._root(index)
        above, place = divmod(index, FANS[level - 1])
        return self._parts(level - 1, above)[place]

    def trades(self, minute: int) -> list[Trade]:
        """The trades of one minute, oldest first."""
        leaf = self.block(LEAF, minute)
        return [] if leaf is None else self._trades(leaf, minute)

    def last(self, before_ms: int, level: int = 0, index: int | None = None) -> Trade | None:
        """The last trade before a moment: in the block named, or (default) in all the past."""
        if index is not None:
            return self._last_in(before_ms, level, index)
        epoch = (before_ms - 1) // (SPANS[0] * MINUTE_MS)
        return self._last_in(before_ms, 0, epoch) or self._last_in(before_ms, 0, epoch - 1)

    def pieces(self, start_ms: int, end_ms: int) -> Iterator[Block | Trade]:
        """What was traded in a range, oldest first, as whole blocks where they fit, else trades."""
        span = SPANS[0] * MINUTE_MS
        for epoch in range(start_ms // span, -(-end_ms // span)):
            yield from self._pieces(0, epoch, start_ms, end_ms)

    def starts_back(self, level: int, before_ms: int, floor_ms: int) -> Iterator[int]:
        """Starts (ms) of the traded blocks of a level that begin before a moment, newest first."""
        span = SPANS[0] * MINUTE_MS
        for epoch in range((before_ms - 1) // span, floor_ms // span - 1, -1):
            yield from self._starts(level, 0, epoch, before_ms, floor_ms)

    def find_day(
        self, holds: Callable[[Block], bool], days: range, level: int = 0, index: int | None = None
    ) -> int | None:
        """The first of `days` whose block passes. A block must pass if any part of it does."""
        if index is None:
            epochs = range(days.start // _EPOCH_DAYS, (days.stop - 1) // _EPOCH_DAYS + 1)
            found = (self.find_day(holds, days, 0, epoch) for epoch in epochs)
            return next((day for day in found if day is not None), None)
        block, length = self.block(level, index), SPANS[level] // SPANS[DAY]
        outside = index * length >= days.stop or (index + 1) * length <= days.start
        if block is None or outside or not holds(block):
            return None
        if level == DAY:
            return index
        below = range(index * FANS[level], (index + 1) * FANS[level])
        found = (self.find_day(holds, days, level + 1, child) for child in below)
        return next((day for day in found if day is not None), None)

    def _root(self, index: int) -> Block:
        swing, roll = self._character.swing, draws(self._key, 0, index)
        start = swing * 0.6 * (roll[0] / 32_768 - 1)
        end = swing * 0.6 * (draws(self._key, 0, index + 1)[0] / 32_768 - 1)
        high, low = max(start, end), min(start, end)
        high += (swing - high) * (0.2 + 0.7 * roll[1] / _WHOLE)
        low -= (swing + low) * (0.2 + 0.7 * roll[2] / _WHOLE)
        busy = self._character.activity * SPANS[0] * (0.9 + 0.1 * roll[3] / _WHOLE)
        minutes = max(1, min(SPANS[0], round(busy)))
        volume = max(self._character.volume * 512, 100 * minutes)
        return Block(start, high, low, end, minutes, volume)

    def _split(self, level: int, index: int) -> tuple[Block | None, ...]:
        block = self.block(level, index)
        if block is None:
            return (None,) * FANS[level]
        roll = draws(self._key, -1 - level, index)
        return _parts(block, FANS[level], SPANS[level + 1], roll)

    def _trades(self, leaf: Block, minute: int) -> list[Trade]:
        roll = draws(self._key, LEAF, minute)
        stations = _stations(leaf, rising_first=bool(roll[0] & 1))
        prices = _filled(stations, max(len(stations), self._character.trades))
        slot, share = MINUTE_MS // len(prices), leaf.volume // len(prices)
        volumes = [leaf.volume - share * (len(prices) - 1), *[share] * (len(prices) - 1)]
        starts = range(minute * MINUTE_MS, (minute + 1) * MINUTE_MS, slot)
        return [
            Trade(start + number % slot, price, volume)
            for start, number, price, volume in zip(starts, roll[1:], prices, volumes, strict=False)
        ]

    def _last_in(self, before_ms: int, level: int, index: int) -> Trade | None:
        if level == LEAF:
            earlier = [trade for trade in self.trades(index) if trade.ms < before_ms]
            return earlier[-1] if earlier else None
        fan, span = FANS[level], SPANS[level + 1] * MINUTE_MS
        newest = min(index * fan + fan - 1, (before_ms - 1) // span)
        for child in range(newest, index * fan - 1, -1):
            if self.block(level + 1, child) is not None:
                found = self._last_in(before_ms, level + 1, child)
                if found is not None:
                    return found
        return None

    def _pieces(self, level: int, index: int, start: int, end: int) -> Iterator[Block | Trade]:
        block, span = self.block(level, index), SPANS[level] * MINUTE_MS
        if block is None:
            return
        if start <= index * span and (index + 1) * span <= end:
            yield block
        elif level == LEAF:
            yield from (trade for trade in self.trades(index) if start <= trade.ms < end)
        else:
            fan, below = FANS[level], SPANS[level + 1] * MINUTE_MS
            first, last = max(index * fan, start // below), -(-end // below)
            for child in range(first, min(index * fan + fan, last)):
                yield from self._pieces(level + 1, child, start, end)

    def _starts(
        self, wanted: int, level: int, index: int, before: int, floor: int
    ) -> Iterator[int]:
        span = SPANS[level] * MINUTE_MS
        outside = index * span >= before or (index + 1) * span <= floor
        if outside or self.block(level, index) is None:
            return
        if level == wanted:
            yield index * span
            return
        fan = FANS[level]
        for child in range(index * fan + fan - 1, index * fan - 1, -1):
            yield from self._starts(wanted, level + 1, child, before, floor)


def _parts(block: Block, fan: int, span: int, roll: tuple[int, ...]) -> tuple[Block | None, ...]:
    minutes = _share_minutes(block.minutes, fan, span, roll)
    active = [place for place in range(fan) if minutes[place]]
    parts: list[Block | None] = [None] * fan
    if len(active) == 1:
        parts[active[0]] = block
        return tuple(parts)
    volumes = _share_volume(block, [minutes[place] for place in active], [roll[p] for p in active])
    edges = _edges(block, [roll[8 + place] for place in active])
    jitter = [(roll[16 + place], roll[24 + place]) for place in active]
    prices = _prices(block, edges, jitter)
    for place, volume, shape in zip(active, volumes, prices, strict=True):
        parts[place] = Block(*shape, minutes[place], volume)
    return tuple(parts)


def _share_minutes(total: int, fan: int, span: int, roll: tuple[int, ...]) -> list[int]:
    shares, left, weight_left = [], total, sum(roll[:fan]) + 26_000 * fan
    for place in range(fan):
        weight = 26_000 + roll[place]
        expected = left * weight / weight_left + (roll[8 + place] * 7 % _WHOLE) / _WHOLE
        least = left - span * (fan - place - 1)
        share = max(0, least, min(int(expected), span, left))
        shares.append(share)
        left, weight_left = left - share, weight_left - weight
    return shares


def _share_volume(block: Block, minutes: list[int], roll: list[int]) -> list[int]:
    # every trade of every minute must get at least one count of 1e-8
    spare = block.volume - MOST_TRADES * block.minutes
    weights = [count * (26_000 + number) for count, number in zip(minutes, roll, strict=True)]
    total = sum(weights)
    volumes = [
        MOST_TRADES * count + spare * weight // total
        for count, weight in zip(minutes, weights, strict=True)
    ]
    volumes[-1] += block.volume - sum(volumes)
    return volumes


def _edges(block: Block, roll: list[int]) -> list[float]:
    """Prices at the borders between the parts: a random walk bent to end at the close."""
    count, reach = len(roll), block.high - block.low
    scale = 1.08 * reach / count**0.5
    walk, position = [], 0.0
    for number in roll:
        position += scale * (number / 32_768 - 1)
        walk.append(position)
    bend = (position - (block.close - block.open)) / count
    edges = [block.open + step - bend * (place + 1) for place, step in enumerate(walk)]
    inner = [min(block.high, max(block.low, edge)) for edge in edges[:-1]]
    _reach_out(block, inner, upward=bool(roll[0] & 1))
    return [block.open, *inner, block.close]


def _reach_out(block: Block, inner: list[float], *, upward: bool) -> None:
    # Draws the borders towards high and low, so that an extreme is a hill and not a needle.
    slack = 0.1 * (block.high - block.low)
    top, bottom = inner.index(max(inner)), inner.index(min(inner))
    if block.high - max(block.open, block.close) > slack and (top != bottom or upward):
        inner[top] += 0.7 * (block.high - inner[top])
    if min(block.open, block.close) - block.low > slack and (top != bottom or not upward):
        inner[bottom] -= 0.7 * (inner[bottom] - block.low)


Shape = tuple[float, float, float, float]


def _prices(block: Block, edges: list[float], roll: list[tuple[int, int]]) -> list[Shape]:
    count = len(roll)
    scale = 0.35 * (block.high - block.low) / count**0.5
    shapes = []
    for place, (up, down) in enumerate(roll):
        gap = scale * 0.2 * ((up ^ down) / 32_768 - 1) if place else 0.0
        start = min(block.high, max(block.low, edges[place] + gap))
        end = edges[place + 1]
        high = min(block.high, max(start, end) + scale * up / _WHOLE)
        low = max(block.low, min(start, end) - scale * down / _WHOLE)
        shapes.append((start, high, low, end))
    _hold_extremes(block, shapes)
    return shapes


def _hold_extremes(block: Block, shapes: list[Shape]) -> None:
    # one part must reach the whole block's high, and one its low
    top = max(range(len(shapes)), key=lambda place: shapes[place][1])
    start, _, low, end = shapes[top]
    shapes[top] = (start, block.high, low, end)
    bottom = min(range(len(shapes)), key=lambda place: shapes[place][2])
    start, high, _, end = shapes[bottom]
    shapes[bottom] = (start, high, block.low, end)


def _filled(stations: list[float], count: int) -> list[float]:
    """`count` prices that pass through all stations in order."""
    if len(stations) == 1:
        return stations
    legs = len(stations) - 1
    prices = []
    for leg, (start, end) in enumerate(pairwise(stations)):
        steps = (count - 1) // legs + (leg < (count - 1) % legs)
        prices += [start + (end - start) * step / steps for step in range(steps)]
    return [*prices, stations[-1]]


def _stations(leaf: Block, *, rising_first: bool) -> list[float]:
    extremes = []
    if leaf.high > max(leaf.open, leaf.close):
        extremes.append(leaf.high)
    if leaf.low < min(leaf.open, leaf.close):
        extremes.append(leaf.low)
    between = extremes if rising_first else extremes[::-1]
    ends = [leaf.close] if between or leaf.close != leaf.open else []
    return [leaf.open, *between, *ends]
