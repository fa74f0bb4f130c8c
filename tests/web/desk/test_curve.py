"""How the line of a bot's money is drawn."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from app.web.desk.curve import money_curve
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("korean")
LOW, HIGH = Decimal(1_000_000), Decimal(1_200_000)
LATER = NOW + timedelta(hours=1)


def heights(drawn: str, name: str) -> list[float]:
    """How far below the top each point of a line lies."""
    found = re.search(rf'class="{name}" d="M([^"]+)"', drawn)
    return [float(point.split()[1]) for point in found[1].split("L")] if found else []


def test_money_and_waiting_are_each_a_line_of_their_own() -> None:
    drawn = money_curve([(NOW, LOW, HIGH), (LATER, HIGH, LOW)])

    money, waiting = heights(drawn, "line-brand"), heights(drawn, "line-ref")
    assert money[0] > money[1]
    assert waiting == money[::-1]
    assert re.findall(r">([\d,]+)<", drawn)[:2] == ["1,200,000", "1,000,000"]


def test_waiting_that_is_not_known_is_not_drawn() -> None:
    drawn = money_curve([(NOW, LOW, None), (LATER, LOW, None)])

    assert len(heights(drawn, "line-brand")) == 2
    assert heights(drawn, "line-ref") == []
