"""The price of a vote as a chart: percent coordinates and attributes, so that text never scales."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Flask
from markupsafe import Markup, escape

from app.web.art import drawing, fine
from app.web.filters import won

HEIGHT = 230

_HUNDRED = Decimal(100)
_LABELLED_HEIGHT = HEIGHT + 24
_TAG_SPACE = Decimal(24)
_TAG_LOOKS = {"target": "on", "now": "on-ink", "start": "strong"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart is drawn into: the vote's times, its start and target price, three labels.

    `labels` name the start, the deadline for answers and the result, under the chart. `decided` is
    when the candle opened that settled it.
    """

    opened: datetime
    closes: datetime
    ends: datetime
    start: Decimal
    target: Decimal
    labels: tuple[str, str, str]
    decided: datetime | None = None


def price_chart(points: Sequence[tuple[datetime, Decimal]], frame: Frame) -> Markup:
    """The price since the question was asked, with start line, target line and deadline.

    `points` are times and prices in order, at least one; what lies after the last is shaded.
    """
    prices = [price for _, price in points]
    top, bottom = _ends([*prices, frame.start, frame.target])

    def down(price: Decimal) -> Decimal:
        return fine((top - price) * HEIGHT / (top - bottom))

    path = "L".join(f"{_along(frame, at) * 10:f} {down(price):f}" for at, price in points)
    here, last = _along(frame, points[-1][0]), down(prices[-1])
    tags = {"target": frame.target, "now": prices[-1], "start": frame.start}
    return drawing(
        f'<svg height="{_LABELLED_HEIGHT}" aria-hidden="true">'
        f"{_zones(frame, here, down(frame.target))}"
        f"{_lines(frame, down(frame.start), down(frame.target))}"
        f'<svg y="0" width="100%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}"'
        f' preserveAspectRatio="none"><path class="line" d="M{path}"/></svg>'
        f'<circle class="dot" cx="{here}%" cy="{last}" r="5"/>{_labels(frame)}</svg>'
        f"{_tags([(down(price), name, won(price)) for name, price in tags.items()])}"
    )


def chart_told(points: Sequence[tuple[datetime, Decimal]], frame: Frame) -> str:
    """The same as JSON, for the script that draws it live."""
    told = {
        "points": [[_epoch(at), float(price)] for at, price in points],
        "opened": _epoch(frame.opened),
        "closes": _epoch(frame.closes),
        "ends": _epoch(frame.ends),
        "start": float(frame.start),
        "target": float(frame.target),
        "rises": frame.target > frame.start,
        "decided": frame.decided and _epoch(frame.decided),
        "words": {"closes": frame.labels[1], "result": frame.labels[2]},
    }
    return json.dumps(told, ensure_ascii=False)


def init_app(app: Flask) -> None:
    """Give the chart to the templates."""
    app.jinja_env.globals.update(price_chart=price_chart, chart_told=chart_told)


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _ends(prices: list[Decimal]) -> tuple[Decimal, Decimal]:
    high, low = max(prices), min(prices)
    margin = (high - low) / 8 or Decimal(1)
    return high + margin, low - margin


def _along(frame: Frame, moment: datetime) -> Decimal:
    """A moment as a percentage of the way, held inside it."""
    gone = (moment - frame.opened) / (frame.ends - frame.opened)
    return fine(min(max(Decimal(gone) * _HUNDRED, Decimal(0)), _HUNDRED))


def _zones(frame: Frame, here: Decimal, goal: Decimal) -> str:
    top, height = (0, goal) if frame.target > frame.start else (goal, HEIGHT - goal)
    return (
        f'<rect class="zone" x="0" y="{top}" width="100%" height="{height}"/>'
        f'<rect class="future" x="{here}%" y="0" width="{_HUNDRED - here}%" height="{HEIGHT}"/>'
    )


def _lines(frame: Frame, begin: Decimal, goal: Decimal) -> str:
    deadline = _along(frame, frame.closes)
    return (
        f'<line class="mark" x1="{deadline}%" x2="{deadline}%" y1="0" y2="{HEIGHT}"/>'
        f'<line class="startline" x1="0" x2="100%" y1="{begin}" y2="{begin}"/>'
        f'<line class="target" x1="0" x2="100%" y1="{goal}" y2="{goal}"/>'
    )


def _labels(frame: Frame) -> str:
    places = (("0", "start"), (f"{_along(frame, frame.closes)}%", "middle"), ("100%", "end"))
    return "".join(
        f'<text x="{x}" y="{HEIGHT + 18}" text-anchor="{anchor}">{escape(label)}</text>'
        for (x, anchor), label in zip(places, frame.labels, strict=True)
    )


def _tags(tags: list[tuple[Decimal, str, str]]) -> str:
    """Price tags in the axis, pushed apart so that none hides another."""
    drawn, free = "", Decimal(0)
    for wanted, name, text in sorted(tags):
        y = max(wanted, free)
        free = y + _TAG_SPACE
        drawn += (
            f'<rect class="tag tag-{name}" x="0" y="{y - 10}" width="84" height="20" rx="4"/>'
            f'<text class="{_TAG_LOOKS[name]}" x="78" y="{y + 4}" text-anchor="end">{text}</text>'
        )
    return f'<svg class="axis" height="{_LABELLED_HEIGHT}" aria-hidden="true">{drawn}</svg>'
