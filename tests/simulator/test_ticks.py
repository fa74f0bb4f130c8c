"""The price grid of each quote currency."""

from decimal import Decimal

import pytest

from app.simulator.ticks import from_units, on_tick, tick, to_units


@pytest.mark.parametrize(
    ("price", "step"),
    [
        ("2000000", "1000"), ("1000000", "1000"), ("999500", "500"), ("500000", "500"),
        ("499900", "100"), ("100000", "100"), ("99950", "50"), ("50000", "50"), ("49990", "10"),
        ("10000", "10"), ("9995", "5"), ("5000", "5"), ("4999", "1"), ("1000", "1"), ("100", "1"),
        ("99.9", "0.1"), ("10", "0.1"), ("1", "0.01"), ("0.1", "0.001"), ("0.01", "0.0001"),
        ("0.001", "0.00001"), ("0.0001", "0.000001"), ("0.00001", "0.0000001"),
        ("0.0000099", "0.00000001"),
    ],
)  # fmt: skip
def test_won_steps_are_those_in_force_since_july_2025(price: str, step: str) -> None:
    assert from_units(tick("KRW", to_units(price))) == Decimal(step)


def test_rounding_never_turns_a_higher_price_into_a_lower_one() -> None:
    prices = [on_tick("KRW", 0.000_01 * 1.07**power) for power in range(450)]

    assert prices == sorted(prices)
    assert prices[-1] > to_units("100000000")
    assert all(units % tick("KRW", units) == 0 for units in prices)


def test_price_is_never_less_than_one_step() -> None:
    assert on_tick("BTC", 1e-12) == 1


@pytest.mark.parametrize(
    "wrong", ["", "x", "NaN", "inf", "-1", "1e-9", "1e20", "1e900000", True, [1], None]
)
def test_what_is_no_price_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"not a price|finer"):
        to_units(wrong)


@pytest.mark.parametrize(
    ("written", "units"), [("1.3E-7", 13), (1500, 150_000_000_000), (0.5, 5 * 10**7)]
)
def test_price_is_read_exactly(written: object, units: int) -> None:
    assert to_units(written) == units
