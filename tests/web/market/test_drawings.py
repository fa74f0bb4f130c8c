"""The week's line and the day's range: small, inside their frames, told in words."""

import re
from decimal import Decimal

import pytest

from app.web.market.drawings import day_range, week_line
from tests.web.test_art import is_well_formed


def heights(picture: str) -> list[int]:
    """The heights that a line of relative steps goes through."""
    first, rest = re.search(r'd="M0 (\d+)l([^"]*)"', picture).groups()  # type: ignore[union-attr]
    steps = [int(one) for one in re.findall(r"-?\d+", rest)][1::2]
    found = [int(first)]
    for step in steps:
        found.append(found[-1] + step)
    return found


def test_line_goes_from_the_first_close_to_the_last() -> None:
    picture = str(week_line([Decimal(100), Decimal(150), Decimal(125)]))

    assert heights(picture) == [30, 2, 16]
    assert 'viewBox="0 0 8 32"' in picture
    assert 'class="wl-spark wl-up" role="img" aria-label="+25.00%"' in picture
    assert is_well_formed(picture)


@pytest.mark.parametrize("price", ["0.00000001", "100", "146918000"])
def test_line_of_a_price_that_stood_still_is_level(price: str) -> None:
    assert heights(str(week_line([Decimal(price)] * 5))) == [16] * 5


def test_line_stays_inside_its_frame_and_is_short() -> None:
    closes = [Decimal(100 + (n * 37) % 90) for n in range(28)]

    picture = str(week_line(closes))

    assert min(heights(picture)) == 2
    assert max(heights(picture)) == 30
    assert len(picture) < 320


@pytest.mark.parametrize("closes", [[], [Decimal(1)]])
def test_less_than_two_closes_are_nothing(closes: list[Decimal]) -> None:
    assert week_line(closes) == ""


@pytest.mark.parametrize(("place", "x"), [("0", "0.0"), ("50", "48.5"), ("100", "97.0")])
def test_dot_stays_on_its_line(place: str, x: str) -> None:
    picture = str(day_range(Decimal(place)))

    assert f'x="{x}%"' in picture
    assert f'aria-label="{place}%"' in picture
    assert is_well_formed(picture)


def test_range_that_isnt_known_is_nothing() -> None:
    assert day_range(None) == ""
