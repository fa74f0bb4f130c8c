"""Candles as a drawing: percent coordinates and attributes, so that text never scales."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from flask import Flask
from markupsafe import Markup, escape

from app.domain.market import Candle
from app.web.art import drawing, fine
from app.web.filters import won

PRICES, VOLUMES = 300, 70

_GAP, _FOOT = 14, 38
_FLOOR = PRICES + _GAP + VOLUMES
_WIDTH = 1000
_BODY = Decimal("0.64")
_HUNDRED = Decimal(100)
_LEVELS = 8
_TAG_SPACE = 18
#: How high a spot is, and over how many candles beside its own it may reach.
_SPOT, _NEAR = 18, 2
_TOP_SPOT = Decimal(_SPOT) / 2


@dataclass(frozen=True, slots=True)
class Spot:
    """A numbered place on the chart: where a vote was asked, or where its result came out."""

    label: str
    at: datetime
    price: Decimal
    is_result: bool = False


def candle_chart(
    candles: Sequence[Candle],
    labels: Sequence[str],
    forming: Candle | None = None,
    spots: Sequence[Spot] = (),
    volume_label: str = "",
) -> Markup:
    """Candles side by side, their volumes below, the last price as a tag in the axis.

    At least one candle, finished or forming, oldest first. `labels` are spread along the foot. The
    forming one is hollow. Spots stand over the candle of their time; older ones are left out.
    """
    shown = [*candles, forming] if forming else [*candles]
    scale = _Scale(shown)
    last = shown[-1].close
    here = scale.down(last)
    steps = list(levels(scale.low, scale.high))
    return drawing(
        f'<svg height="{_FLOOR + _FOOT}" aria-hidden="true">'
        f"{''.join(_grid(scale.down(step)) for step in steps)}"
        f'<line class="startline" x1="0" x2="100%" y1="{here}" y2="{here}"/>'
        f'<svg height="{_FLOOR}" viewBox="0 0 {_WIDTH} {_FLOOR}" preserveAspectRatio="none">'
        f"{_bars(candles, forming, scale)}</svg>"
        f"{''.join(_spots(shown, spots, scale))}{_foot(labels)}</svg>"
        f"{_axis(steps, last, scale, volume_label)}"
    )


def levels(low: Decimal, high: Decimal) -> Iterator[Decimal]:
    """Round prices between two ends, eight at most: 1, 2 or 5 with zeros apart."""
    rough = (high - low) / _LEVELS
    magnitude = Decimal(1).scaleb(rough.adjusted())
    step = next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= rough)
    level = (low / step).to_integral_value("ROUND_CEILING") * step
    while level <= high:
        yield level
        level += step


def init_app(app: Flask) -> None:
    """Give the drawing to the templates."""
    app.jinja_env.globals["candle_chart"] = candle_chart


class _Scale:
    """Prices as heights; a little room above the highest and below the lowest."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        high = max(candle.high for candle in candles)
        low = min(candle.low for candle in candles)
        room = (high - low) / 16 or high / 100
        self.high, self.low = high + room, max(low - room, Decimal(0))
        self.slot = Decimal(_WIDTH) / len(candles)
        self.loudest = max(candle.volume for candle in candles)

    def down(self, price: Decimal) -> Decimal:
        """How far below the top a price stands."""
        return fine((self.high - price) * PRICES / (self.high - self.low))

    def middle(self, place: int) -> Decimal:
        """Where the candle at this place stands, in percent of the width."""
        return fine(self.slot * (place + Decimal("0.5")) * _HUNDRED / _WIDTH)


def _grid(y: Decimal) -> str:
    return f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'


def _bars(candles: Sequence[Candle], forming: Candle | None, scale: _Scale) -> str:
    """One path per kind instead of three elements per candle: wicks, bodies, volumes."""
    paths = {"up": ["", "", ""], "down": ["", "", ""]}
    for place, candle in enumerate(candles):
        for number, text in enumerate(_outline(candle, place, scale)):
            paths[_way(candle)][number] += text
    drawn = "".join(
        f'<path class="{way} {part}" d="{text}"/>'
        for way, texts in paths.items()
        for part, text in zip(("wick", "body", "vol"), texts, strict=True)
        if text
    )
    if forming is None:
        return drawn
    wick, body, _volume = _outline(forming, len(candles), scale)
    way = _way(forming)
    return f'{drawn}<path class="{way} wick" d="{wick}"/><path class="{way} hollow" d="{body}"/>'


def _way(candle: Candle) -> str:
    return "up" if candle.close >= candle.open else "down"


def _outline(candle: Candle, place: int, scale: _Scale) -> tuple[str, str, str]:
    left = fine(scale.slot * (place + (1 - _BODY) / 2))
    wide, middle = fine(scale.slot * _BODY), fine(scale.slot * (place + Decimal("0.5")))
    top, bottom = sorted((scale.down(candle.open), scale.down(candle.close)))
    loud = fine(Decimal(str(VOLUMES * candle.volume / (scale.loudest or 1))))
    return (
        f"M{middle} {scale.down(candle.high)}V{scale.down(candle.low)}",
        f"M{left} {top}h{wide}v{max(bottom - top, Decimal(1))}h-{wide}z",
        f"M{left} {_FLOOR - loud}h{wide}v{loud}h-{wide}z" if loud else "",
    )


def _spots(candles: Sequence[Candle], spots: Sequence[Spot], scale: _Scale) -> Iterator[str]:
    taken: list[tuple[int, Decimal]] = []
    for spot in spots:
        place = _place(candles, spot.at)
        if place is None:
            continue
        x = scale.middle(place)
        y = min(max(scale.down(spot.price), _TOP_SPOT), PRICES - _TOP_SPOT)
        y = _free(place, y, taken)
        taken.append((place, y))
        kind = "result" if spot.is_result else "asked"
        yield (
            f'<circle class="spot spot-{kind}" cx="{x}%" cy="{y}" r="9"/>'
            f'<text class="on-{kind}" x="{x}%" y="{y + 4}" text-anchor="middle">'
            f"{escape(spot.label)}</text>"
        )


def _free(place: int, y: Decimal, taken: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Spots that would hide one another stand above each other, or below where there's no room."""
    near = [there for other, there in taken if abs(other - place) <= _NEAR]
    above = _beyond(y, near, -_SPOT)
    return _beyond(y, near, _SPOT) if above < _TOP_SPOT else above


def _beyond(y: Decimal, near: Sequence[Decimal], step: int) -> Decimal:
    while blocked := next((there for there in near if abs(there - y) < _SPOT), None):
        y = blocked + step
    return y


def _place(candles: Sequence[Candle], at: datetime) -> int | None:
    """The candle that a moment falls into, or the last before it; None before the first."""
    for place, (one, after) in enumerate(pairwise(candles)):
        if one.opened_at <= at < after.opened_at:
            return place
    return len(candles) - 1 if candles[-1].opened_at <= at else None


def _foot(labels: Sequence[str]) -> str:
    """The first label begins at the left end, the last ends at the right one."""
    places = [100 * number // max(len(labels) - 1, 1) for number in range(len(labels))]
    anchors = {0: "start", 100: "end"}
    return "".join(
        f'<text x="{place}%" y="{_FLOOR + 18}" text-anchor="{anchors.get(place, "middle")}">'
        f"{escape(label)}</text>"
        for place, label in zip(places, labels, strict=True)
    )


def _axis(steps: Sequence[Decimal], last: Decimal, scale: _Scale, volume_label: str) -> str:
    here = scale.down(last)
    texts = "".join(
        f'<text x="0" y="{scale.down(step) + 4}">{won(step)}</text>'
        for step in steps
        if abs(scale.down(step) - here) > _TAG_SPACE
    )
    return (
        f'<svg class="axis" height="{_FLOOR + _FOOT}" aria-hidden="true">{texts}'
        f'<rect class="tag tag-now" x="-4" y="{here - 10}" width="88" height="20" rx="4"/>'
        f'<text class="on-ink" x="0" y="{here + 4}">{won(last)}</text>'
        f'<text x="0" y="{PRICES + _GAP + 12}">{escape(volume_label)}</text></svg>'
    )
