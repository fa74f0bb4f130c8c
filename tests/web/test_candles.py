"""Candles as a drawing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from xml.parsers import expat

import pytest

from app.domain.market import Candle
from app.web.candles import PRICES, Spot, candle_chart, levels
from tests.web.conftest import NOW

DAY = timedelta(days=1)


def candle(
    place: int, first: str, high: str, low: str, last: str, *, volume: float = 1.0
) -> Candle:
    figures = [Decimal(figure) for figure in (first, high, low, last)]
    return Candle("KRW-BTC", NOW + place * DAY, *figures, volume=volume)


RISE = candle(0, "100", "110", "90", "105")
FALL = candle(1, "105", "108", "95", "96", volume=2.0)


def is_well_formed(picture: str) -> bool:
    return bool(expat.ParserCreate().Parse(f"<div>{picture}</div>", True))


def circles(picture: str) -> Iterator[tuple[str, str, str]]:
    yield from re.findall(r'class="spot spot-(\w+)" cx="([\d.]+)%" cy="([\d.]+)"', picture)


def test_rises_and_falls_are_drawn_apart_with_their_volumes() -> None:
    picture = candle_chart([RISE, FALL], ["<1>", "2"], volume_label="거래량")

    assert is_well_formed(picture)
    for part in ("up wick", "up body", "up vol", "down wick", "down body", "down vol"):
        assert picture.count(f'class="{part}"') == 1
    assert "&lt;1&gt;" in picture
    assert "거래량" in picture


def test_the_forming_candle_is_hollow_and_has_no_volume() -> None:
    picture = candle_chart([RISE], [], forming=FALL)

    assert picture.count('class="down hollow"') == 1
    assert 'class="down body"' not in picture
    assert 'class="down vol"' not in picture


def test_a_forming_candle_alone_is_enough() -> None:
    assert is_well_formed(candle_chart([], ["1"], forming=candle(0, "5", "5", "5", "5")))


def test_the_last_price_stands_in_the_axis_and_no_level_beside_it() -> None:
    picture = candle_chart([RISE, FALL], [])

    assert 'class="on-ink" x="0"' in picture
    assert ">96</text>" in picture
    assert ">95</text>" not in picture


def test_a_price_that_never_moved_is_a_line_in_the_middle() -> None:
    still = candle(0, "100", "100", "100", "100", volume=0.0)

    picture = candle_chart([still], [])

    assert f'y1="{PRICES / 2:.2f}"' in picture
    assert "vol" not in picture


def test_coins_far_below_one_won_are_drawn_with_their_digits() -> None:
    picture = candle_chart([candle(0, "0.000012", "0.000013", "0.000011", "0.0000125")], [])

    assert is_well_formed(picture)
    assert ">0.0000125</text>" in picture


def test_spots_stand_over_the_candle_of_their_time() -> None:
    asked = Spot("1", RISE.opened_at + timedelta(hours=3), Decimal(100))
    decided = Spot("1", FALL.opened_at + timedelta(days=5), Decimal(96), is_result=True)

    drawn = list(circles(candle_chart([RISE, FALL], [], spots=[asked, decided])))

    assert [(kind, x) for kind, x, _ in drawn] == [("asked", "25.00"), ("result", "75.00")]


def test_what_was_before_the_first_candle_has_no_spot() -> None:
    old = Spot("1", RISE.opened_at - timedelta(seconds=1), Decimal(100))

    assert not list(circles(candle_chart([RISE, FALL], [], spots=[old])))


def test_spots_outside_the_prices_stay_inside_the_drawing() -> None:
    far = [Spot("1", RISE.opened_at, Decimal(1)), Spot("2", FALL.opened_at, Decimal(10_000))]

    heights = [float(y) for _, _, y in circles(candle_chart([RISE, FALL], [], spots=far))]

    assert heights == [PRICES - 9, 9]


def test_spots_never_hide_one_another() -> None:
    crowd = [Spot(str(n), RISE.opened_at, Decimal(100)) for n in range(4)]

    heights = [float(y) for _, _, y in circles(candle_chart([RISE, FALL], [], spots=crowd))]

    assert all(before - after == 18 for before, after in pairwise(heights))


def test_spots_at_the_top_stand_below_each_other() -> None:
    crowd = [Spot(str(n), RISE.opened_at, Decimal(10_000)) for n in range(3)]

    heights = [float(y) for _, _, y in circles(candle_chart([RISE, FALL], [], spots=crowd))]

    assert heights == [9, 27, 45]


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        ("135", "148", "136 138 140 142 144 146 148"),
        ("0.0113", "0.0119", "0.0113 0.0114 0.0115 0.0116 0.0117 0.0118 0.0119"),
        ("124000000", "136000000", "124000000 126000000 128000000 130000000 132000000 134000000"
         " 136000000"),
        ("99", "100", "99 99.2 99.4 99.6 99.8 100"),
    ],
)  # fmt: skip
def test_levels_are_round(low: str, high: str, shown: str) -> None:
    found = [f"{level.normalize():f}" for level in levels(Decimal(low), Decimal(high))]

    assert " ".join(found) == shown
