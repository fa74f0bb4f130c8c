"""The line of a bot's money, beside what buying and waiting would have been."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from markupsafe import Markup

from app.web.art import drawing, fine
from app.web.filters import day, won

HEIGHT = 150
_LABELS = 24
_WIDTH = 1000
Point = tuple[datetime, Decimal, Decimal | None]


def money_curve(points: Sequence[Point]) -> Markup:
    """Both lines over time, at least two points of them; lowest and highest worth at the side."""
    known = [value for _, *both in points for value in both if value is not None]
    low, high = min(known), max(known)
    margin = (high - low) / 10 or Decimal(1)
    start, span = points[0][0], (points[-1][0] - points[0][0]).total_seconds() or 1.0

    def path(name: str, place: int) -> str:
        dots = [
            f"{fine(Decimal((one[0] - start).total_seconds() / span) * _WIDTH):f} "
            f"{fine((high + margin - value) * HEIGHT / (high - low + 2 * margin)):f}"
            for one in points
            if (value := one[1:][place]) is not None
        ]
        return f'<path class="{name}" d="M{"L".join(dots)}"/>' if len(dots) > 1 else ""

    bottom = HEIGHT + _LABELS - 6
    return drawing(
        f'<svg height="{HEIGHT + _LABELS}" aria-hidden="true">'
        f'<svg y="0" width="100%" height="{HEIGHT}" viewBox="0 0 {_WIDTH} {HEIGHT}"'
        f' preserveAspectRatio="none">{path("line-ref", 1)}{path("line-brand", 0)}</svg>'
        f'<text x="0" y="14">{won(high)}</text><text x="0" y="{HEIGHT - 4}">{won(low)}</text>'
        f'<text x="0" y="{bottom}">{day(points[0][0])}</text>'
        f'<text x="100%" y="{bottom}" text-anchor="end">{day(points[-1][0])}</text></svg>'
    )
