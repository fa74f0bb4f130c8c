"""The two small drawings of the market: a week as a line, today between its low and its high."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from flask import Flask
from markupsafe import Markup

from app.web.art import drawing
from app.web.filters import change_pct, signed_pct, tone

_STEP = 4
_TOP, _BOTTOM = 2, 30
#: Where the dot stands at most, so that all of it stays on its line.
_TRACK = Decimal("0.97")


def week_line(closes: Sequence[Decimal]) -> Markup:
    """The closes as a line on a grid of whole numbers, as short as can be: pages hold hundreds.

    Fewer than two closes are nothing. What it says in words is the change from end to end.
    """
    if len(closes) < 2:
        return Markup("")
    low, high = min(closes), max(closes)
    scale = (_BOTTOM - _TOP) / (high - low) if high > low else Decimal(0)
    heights = [_BOTTOM - round((close - low) * scale) for close in closes]
    if high == low:
        heights = [(_TOP + _BOTTOM) // 2] * len(closes)
    steps = "".join(_step(after - before) for before, after in pairwise(heights))
    change = change_pct(closes[0], closes[-1])
    return drawing(
        f'<svg class="wl-spark wl-{tone(change)}" role="img" aria-label="{signed_pct(change)}"'
        f' viewBox="0 0 {_STEP * (len(closes) - 1)} 32" preserveAspectRatio="none">'
        f'<path d="M0 {heights[0]}l{steps.strip()}"/></svg>'
    )


def day_range(place: Decimal | None) -> Markup:
    """Where a price stands between low (0) and high (100); nothing where that isn't known."""
    if place is None:
        return Markup("")
    return drawing(
        f'<svg class="wl-range" role="img" aria-label="{place:.0f}%" data-live-field="range">'
        f'<rect class="base"/><rect class="dot" x="{place * _TRACK:.1f}%"/></svg>'
    )


def init_app(app: Flask) -> None:
    """Give the drawings to the templates."""
    app.jinja_env.globals.update(week_line=week_line, day_range=day_range)


def _step(rise: int) -> str:
    """One step to the right; a minus sign parts numbers as well as a blank does."""
    return f" {_STEP}{rise}" if rise < 0 else f" {_STEP} {rise}"
