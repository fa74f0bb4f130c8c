"""The two charts of a backtest: what became of the money, and what each k brought."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import count

from markupsafe import Markup

from app.services.trading.results import BacktestCurves, BacktestK
from app.web.art import drawing, fine
from app.web.filters import MINUS

HEIGHT, BARS_HEIGHT = 230, 148
#: More points than this can't be told apart, and pages should stay small.
MOST_POINTS = 300
_LABEL_SPACE = 24
_HUNDRED = Decimal(100)
#: A phone has room for ten short labels, or for five of three decimals.
_BARS_LABELLED = 10, 5
_STEPS = (1, 2, 5)


def equity(curves: BacktestCurves) -> Markup:
    """The money day by day: with k chosen afterwards, held, and walked forward.

    All lines begin at nothing gained, before the first day.
    """
    lines = {
        "line": curves["in_sample"],
        "line-ref": curves["holding"],
        "line-brand": curves["out_of_sample"],
    }
    drawn = {
        name: [Decimal(str(one)) for one in (0, *line)] for name, line in lines.items() if line
    }
    scale = _Scale([one for line in drawn.values() for one in line], HEIGHT)
    paths = "".join(
        f'<path class="{name}" d="{_path(line, scale)}"/>' for name, line in drawn.items()
    )
    return drawing(
        f'<svg height="{HEIGHT + _LABEL_SPACE}" aria-hidden="true">{scale.grid()}'
        f'<svg y="0" width="100%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}"'
        f' preserveAspectRatio="none">{paths}</svg>'
        f"{_ends(curves['days'])}</svg>{scale.axis(HEIGHT + _LABEL_SPACE)}"
    )


def bars(ks: Sequence[BacktestK], best: Decimal | None) -> Markup:
    """A bar for each k; the label of the best one is strong."""
    values = [Decimal(str(one["return_pct"])) for one in ks]
    scale = _Scale([Decimal(0), *values], BARS_HEIGHT)
    slot = _HUNDRED / len(ks)
    short, long = _BARS_LABELLED
    every = 1 if len(ks) <= short else -(-len(ks) // long)
    drawn = ""
    for place, (one, value) in enumerate(zip(ks, values, strict=True)):
        left = slot * place
        drawn += _bar("bar-brand", left, slot, value, scale)
        if place % every == 0:
            strong = ' class="strong"' if one["k"] == best else ""
            drawn += (
                f'<text x="{fine(left + slot / 2)}%" y="{BARS_HEIGHT + 18}" text-anchor="middle"'
                f"{strong}>{one['k']}</text>"
            )
    height = BARS_HEIGHT + _LABEL_SPACE
    return drawing(
        f'<svg height="{height}" aria-hidden="true">{scale.grid()}{drawn}</svg>{scale.axis(height)}'
    )


class _Scale:
    """Percentages as heights, with a few round lines between."""

    def __init__(self, values: Sequence[Decimal], height: int) -> None:
        low, high = min(values), max(values)
        margin = (high - low) / 12 or Decimal(1)
        self._high, self._low, self._height = high + margin, low - margin, height
        step = next(
            Decimal(first).scaleb(power)
            for power in count(-2)
            for first in _STEPS
            if (high - low + 2 * margin) / Decimal(first).scaleb(power) <= 6
        )
        lowest = -(-self._low // step)
        self._lines = [step * turn for turn in range(int(lowest), int(self._high // step) + 1)]
        self._digits = max(0, -int(step.as_tuple().exponent))

    def at(self, value: Decimal) -> Decimal:
        """How far below the top."""
        return fine((self._high - value) * self._height / (self._high - self._low))

    def grid(self) -> str:
        """The round lines."""
        return "".join(
            f'<line class="grid" x1="0" x2="100%" y1="{self.at(one)}" y2="{self.at(one)}"/>'
            for one in self._lines
        )

    def axis(self, height: int) -> str:
        """Their percentages, beside the drawing."""
        texts = "".join(
            f'<text x="0" y="{self.at(one) + 4}">{_percent(one, self._digits)}</text>'
            for one in self._lines
        )
        return f'<svg class="axis" height="{height}" aria-hidden="true">{texts}</svg>'


def _path(line: Sequence[Decimal], scale: _Scale) -> str:
    last, step = len(line) - 1, -(-len(line) // MOST_POINTS)
    points = [
        f"{fine(Decimal(1000 * place) / max(1, last)):f} {scale.at(value):f}"
        for place, value in enumerate(line)
        if place % step == 0 or place == last
    ]
    return "M" + "L".join(points)


def _bar(name: str, left: Decimal, slot: Decimal, value: Decimal, scale: _Scale) -> str:
    zero, end = scale.at(Decimal(0)), scale.at(value)
    start, width = fine(left + slot * Decimal("0.22")), fine(slot * Decimal("0.56"))
    return (
        f'<rect class="{name}" x="{start}%" y="{min(zero, end)}" width="{width}%"'
        f' height="{abs(zero - end)}" rx="2"/>'
    )


def _ends(days: Sequence[str]) -> str:
    places = (("0", "start", days[0]), ("100%", "end", days[-1]))
    return "".join(
        f'<text x="{x}" y="{HEIGHT + 18}" text-anchor="{anchor}">'
        f"{date.fromisoformat(day):%y.%m.%d}</text>"
        for x, anchor, day in places
    )


def _percent(value: Decimal, digits: int) -> str:
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{abs(value):,.{digits}f}%"
