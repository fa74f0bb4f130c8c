"""Icons, tracks and bars: sizes are attributes, and nothing leaves its frame."""

import re
from decimal import Decimal
from xml.parsers import expat

import pytest

from app.web import art


def is_well_formed(picture: str) -> bool:
    return bool(expat.ParserCreate().Parse(picture, True))


@pytest.mark.parametrize(("yes", "no", "win"), [(1, 2, "no"), (2, 1, "yes"), (2, 2, "yes")])
def test_leading_side_is_strong_and_a_tie_is_the_left_one(yes: int, no: int, win: str) -> None:
    bar = str(art.crowd_bar(yes, no))

    assert ('class="no win"' in bar) == (win == "no")
    assert ('class="yes behind"' in bar) == (win == "no")


def test_side_without_answers_is_left_out_of_the_bar() -> None:
    assert 'width="1000.0"' in art.crowd_bar(3, 0)
    assert 'class="no' not in art.crowd_bar(3, 0)
    assert 'width="1000.0"' in art.crowd_bar(0, 3)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("change", [None, Decimal(0), Decimal("4.2"), Decimal(-99), Decimal(2900)])
def test_track_stays_inside_its_line(direction: str, change: Decimal | None) -> None:
    picture = art.target_track(direction, 5, change)

    places = [Decimal(x) for x in re.findall(r'(?:x|x1|cx)="([-\d.]+)%', picture)]
    assert all(0 <= place <= 100 for place in places)
    assert is_well_formed(picture)


def test_icons_are_silent() -> None:
    for path in (art.ART / "icons").glob("*.svg"):
        drawn = art.icon(path.stem)
        assert 'aria-hidden="true"' in drawn
        assert "<title>" not in drawn
