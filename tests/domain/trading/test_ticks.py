"""Price steps: the table of each time, and rounding against the trader."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.trading import Ticks
from app.domain.trading.ticks import KRW_TABLES

TICKS = Ticks()
OLD, MIDDLE, NEW = date(2024, 1, 28), date(2025, 7, 30), date(2025, 7, 31)
prices = st.decimals("0.00000001", "200000000", places=8)
days = st.sampled_from((OLD, date(2024, 1, 29), MIDDLE, NEW))


@pytest.mark.parametrize(
    ("price", "old", "middle", "new"),
    [
        ("0.00005", "0.0001", "0.00000001", "0.0000001"),
        ("0.5", "0.001", "0.0001", "0.001"),
        ("9.99", "0.01", "0.001", "0.01"),
        ("10", "0.1", "0.01", "0.1"),
        ("999", "1", "0.1", "1"),
        ("1000", "5", "1", "1"),
        ("5000", "5", "1", "5"),
        ("99999", "10", "10", "50"),
        ("100000", "50", "50", "100"),
        ("1000000", "500", "500", "1000"),
        ("2000000", "1000", "1000", "1000"),
    ],
)
def test_step_is_of_the_table_in_force_on_the_day(
    price: str, old: str, middle: str, new: str
) -> None:
    steps = [TICKS.step(Decimal(price), day) for day in (OLD, MIDDLE, NEW)]

    assert steps == [Decimal(old), Decimal(middle), Decimal(new)]


def test_step_that_the_exchange_names_wins() -> None:
    assert Ticks(Decimal("0.5")).down(Decimal("1413.9"), NEW) == Decimal("1413.5")


@pytest.mark.parametrize("step", ["0", "-1"])
def test_step_must_be_positive(step: str) -> None:
    with pytest.raises(ValueError, match="no price step"):
        Ticks(Decimal(step))


def test_bid_goes_down_and_ask_goes_up() -> None:
    assert TICKS.down(Decimal("5003"), NEW) == 5000
    assert TICKS.up(Decimal("5003"), NEW) == 5005
    assert TICKS.up(Decimal("4999.5"), NEW) == 5000


def test_price_never_falls_below_one_step() -> None:
    assert TICKS.down(Decimal("0.000000001"), NEW) == Decimal("0.00000001")


@given(prices, days)
def test_rounding_keeps_to_the_steps_and_to_less_than_one_of_them(price: Decimal, on: date) -> None:
    step = TICKS.step(price, on)
    down, up = TICKS.down(price, on), TICKS.up(price, on)

    assert down % step == up % step == 0
    assert up - step < price <= up
    assert down <= price < down + step or down == step


def test_each_step_divides_the_next_and_the_price_where_it_begins() -> None:
    for _, (starts, steps) in KRW_TABLES:
        assert all(after % before == 0 for before, after in pairwise(steps))
        assert all(start % step == 0 for start, step in zip(starts, steps, strict=True))
