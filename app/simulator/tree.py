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

from app.simulator.split import WHOLE, Block, filled, parts, stations

#: Length in minutes of a block on each level: 512, 64, 8 and 1 days, then parts of the day.
SPANS = (737_280, 92_160, 11_520, 1_440, 240, 60, 15, 5, 1)
FANS = tuple(whole // part for whole, part in pairwise(SPANS))
DAY = SPANS.index(1_440)
LEAF = len(SPANS) - 1
MINUTE_MS = 60_000
_EPOCH_DAYS = SPANS[0] // SPANS[DAY]

_DRAWS = struct.Struct("<32H")
_PLACE = struct.Struct("<bq")


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
        high += (swing - high) * (0.2 + 0.7 * roll[1] / WHOLE)
        low -= (swing + low) * (0.2 + 0.7 * roll[2] / WHOLE)
        busy = self._character.activity * SPANS[0] * (0.9 + 0.1 * roll[3] / WHOLE)
        minutes = max(1, min(SPANS[0], round(busy)))
        volume = max(self._character.volume * 512, 100 * minutes)
        return Block(start, high, low, end, minutes, volume)

    def _split(self, level: int, index: int) -> tuple[Block | None, ...]:
        block = self.block(level, index)
        if block is None:
            return (None,) * FANS[level]
        roll = draws(self._key, -1 - level, index)
        return parts(block, FANS[level], SPANS[level + 1], roll)

    def _trades(self, leaf: Block, minute: int) -> list[Trade]:
        roll = draws(self._key, LEAF, minute)
        corners = stations(leaf, rising_first=bool(roll[0] & 1))
        prices = filled(corners, max(len(corners), self._character.trades))
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
