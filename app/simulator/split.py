"""How one candle is drawn into smaller ones: arithmetic alone."""

from itertools import pairwise
from typing import NamedTuple

WHOLE = 65_536  # draws are numbers below this
MOST_TRADES = 16


class Block(NamedTuple):
    """One candle: logarithms of the price against the market's base, and what was traded."""

    open: float
    high: float
    low: float
    close: float
    minutes: int
    volume: int


def parts(block: Block, fan: int, span: int, roll: tuple[int, ...]) -> tuple[Block | None, ...]:
    """The `fan` parts of a block, each `span` minutes long, None where nobody traded.

    Together they are the block: same open, high, low, close, minutes, volume. `roll`: 32 draws.
    """
    minutes = _share_minutes(block.minutes, fan, span, roll)
    active = [place for place in range(fan) if minutes[place]]
    made: list[Block | None] = [None] * fan
    if len(active) == 1:
        made[active[0]] = block
        return tuple(made)
    volumes = _share_volume(block, [minutes[place] for place in active], [roll[p] for p in active])
    edges = _edges(block, [roll[8 + place] for place in active])
    jitter = [(roll[16 + place], roll[24 + place]) for place in active]
    prices = _prices(block, edges, jitter)
    for place, volume, shape in zip(active, volumes, prices, strict=True):
        made[place] = Block(*shape, minutes[place], volume)
    return tuple(made)


def _share_minutes(total: int, fan: int, span: int, roll: tuple[int, ...]) -> list[int]:
    shares, left, weight_left = [], total, sum(roll[:fan]) + 26_000 * fan
    for place in range(fan):
        weight = 26_000 + roll[place]
        expected = left * weight / weight_left + (roll[8 + place] * 7 % WHOLE) / WHOLE
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
    scale = 0.45 * (block.high - block.low) / count**0.5
    shapes = []
    for place, (up, down) in enumerate(roll):
        gap = scale * 0.15 * ((up ^ down) / 32_768 - 1) if place else 0.0
        start = min(block.high, max(block.low, edges[place] + gap))
        end = edges[place + 1]
        high = min(block.high, max(start, end) + scale * up / WHOLE)
        low = max(block.low, min(start, end) - scale * down / WHOLE)
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


def filled(corners: list[float], count: int) -> list[float]:
    """`count` prices that pass through all corners in order."""
    if len(corners) == 1:
        return corners
    legs = len(corners) - 1
    prices = []
    for leg, (start, end) in enumerate(pairwise(corners)):
        steps = (count - 1) // legs + (leg < (count - 1) % legs)
        prices += [start + (end - start) * step / steps for step in range(steps)]
    return [*prices, corners[-1]]


def stations(leaf: Block, *, rising_first: bool) -> list[float]:
    """The prices a minute must pass through: open, high and low in either order, close."""
    extremes = []
    if leaf.high > max(leaf.open, leaf.close):
        extremes.append(leaf.high)
    if leaf.low < min(leaf.open, leaf.close):
        extremes.append(leaf.low)
    between = extremes if rising_first else extremes[::-1]
    ends = [leaf.close] if between or leaf.close != leaf.open else []
    return [leaf.open, *between, *ends]
