"""Pictures of pages: inline icons, and the drawings whose sizes are SVG attributes."""

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path

from flask import Flask
from markupsafe import Markup

from app.web.filters import shares, tone

ART = Path(__file__).parent.parent / "static" / "art"

_HUNDRED = Decimal(100)
_FLAG = '<path class="flag" d="M0 25V2l8 3.5L0 9"/>'


@lru_cache(maxsize=128)
def icon(name: str, extra: str = "") -> Markup:
    """A 24-grid icon in the colour of the text, silent for screen readers."""
    return _inline(ART / "icons" / f"{name}.svg", f"wl-icon {extra}".strip())


@lru_cache(maxsize=32)
def art(name: str, extra: str = "") -> Markup:
    """A picture put into the page itself, so that it takes the colours of the theme."""
    return _inline(ART / f"{name}.svg", extra)


def target_track(direction: str, range_pct: int, change: Decimal | None) -> Markup:
    """Start, target and present price on one line; without a price only the first two.

    `change` is the change since the start in percent; positions are percent attributes.
    """
    target = Decimal(range_pct if direction == "up" else -range_pct)
    marks = [Decimal(0), target] + ([] if change is None else [change])
    margin = Decimal("0.24") * range_pct
    scale = _Scale(min(marks) - margin, max(marks) + margin)
    start, goal = scale.at(Decimal(0)), scale.at(target)
    zone = (goal, _HUNDRED - goal) if direction == "up" else (Decimal(0), goal)
    return drawing(
        '<svg aria-hidden="true"><rect class="base" x="0" y="12" width="100%" height="6" rx="3"/>'
        f'<rect class="zone" x="{zone[0]}%" y="9" width="{zone[1]}%" height="12" rx="4"/>'
        f"{_walked(scale, change)}"
        f'<line class="start" x1="{start}%" x2="{start}%" y1="8" y2="22"/>'
        f'<svg x="{goal}%" y="0" overflow="visible">{_FLAG}</svg>'
        f"{_present(scale, change)}</svg>"
    )


def crowd_bar(yes: int, no: int) -> Markup:
    """The two sides as adjoining parts; the one that leads is strong, at a tie the left one."""
    left = shares(yes, no)[0] * 10
    gap = 3 if yes and no else 0
    parts = ""
    if no:
        win = " win" if no > yes else ""
        width = 1000 - left - gap
        parts += f'<rect class="no{win}" x="{left + gap:f}" width="{width:f}" height="10"/>'
    if yes:
        behind = " behind" if no > yes else ""
        parts += f'<rect class="yes{behind}" width="{left - gap:f}" height="10"/>'
    return drawing(
        '<svg aria-hidden="true"><svg viewBox="0 0 1000 10" preserveAspectRatio="none">'
        f"{parts}</svg></svg>"
    )


def drawing(text: str) -> Markup:
    """SVG text of our own making, for a page; whatever else is put into it must be escaped."""
    return Markup(text)  # noqa: S704 - only our files, figures and escaped labels come here


def init_app(app: Flask) -> None:
    """Give the drawing functions to the templates."""
    app.jinja_env.globals.update(icon=icon, art=art, target_track=target_track, crowd_bar=crowd_bar)


class _Scale:
    """Values between two ends, as a share of the way from the first to the second."""

    def __init__(self, first: Decimal, second: Decimal) -> None:
        self.first, self.second = first, second

    def at(self, value: Decimal) -> Decimal:
        return fine((value - self.first) * _HUNDRED / (self.second - self.first))


def _inline(path: Path, css: str) -> Markup:
    text = path.read_text("utf-8").strip()
    if "<title>" in text:
        text = text[: text.index("<title>")] + text[text.index("</title>") + len("</title>") :]
    text = text.replace(' role="img"', "").replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return drawing(text.replace("<svg", f'<svg class="{css}" aria-hidden="true"', 1))


def _walked(scale: _Scale, change: Decimal | None) -> str:
    if change is None:
        return ""
    left, right = sorted((scale.at(Decimal(0)), scale.at(change)))
    return f'<rect class="{tone(change)}" x="{left}%" y="12" width="{right - left}%" height="6"/>'


def _present(scale: _Scale, change: Decimal | None) -> str:
    if change is None:
        return ""
    return f'<circle class="{tone(change)}" cx="{scale.at(change)}%" cy="15" r="8"/>'


def fine(value: Decimal) -> Decimal:
    """A coordinate with two decimals."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)
