"""The price of a vote as a chart."""

from datetime import timedelta
from decimal import Decimal
from xml.parsers import expat

from app.web import chart
from tests.web.conftest import NOW


def is_well_formed(picture: str) -> bool:
    return bool(expat.ParserCreate().Parse(picture, True))


def test_chart_holds_what_it_is_given() -> None:
    frame = chart.Frame(
        NOW,
        NOW + timedelta(days=3),
        NOW + timedelta(days=7),
        Decimal(100),
        Decimal(105),
        ("<a>", "b", "c"),
    )
    points = [(NOW, Decimal(100)), (NOW + timedelta(days=1), Decimal(103))]

    picture = f"<div>{chart.price_chart(points, frame)}</div>"

    assert is_well_formed(picture)
    assert "&lt;a&gt;" in picture
    assert picture.count("<text") == 6


def test_chart_of_a_price_that_never_moved_is_a_line() -> None:
    frame = chart.Frame(NOW, NOW, NOW + timedelta(days=1), Decimal(100), Decimal(100), ("", "", ""))

    assert 'd="M0.00 115.00"' in chart.price_chart([(NOW, Decimal(100))], frame)
