"""Prices are exact in every notation, and nothing else is a price."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import MAX_PRICE, BadPrice, from_units, price, to_units

units = st.integers(min_value=1, max_value=2**63 - 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("162876000.00000000", "162876000"),
        ("137728.9616000000000000000000", "137728.9616"),
        ("22376000", "22376000"),
        ("109165000.0", "109165000"),
        ("1.3E-7", "0.00000013"),
        ("5.485e-05", "0.00005485"),
        ("1E+3", "1000"),
        ("0.00000001", "0.00000001"),
    ],
)
def test_each_notation_of_the_wire_comes_through_exactly(written: str, meant: str) -> None:
    found = {str(price(written)), format(price(Decimal(written)), "f")}

    assert {Decimal(text) for text in found} == {Decimal(meant)}
    assert format(price(written), "f") == meant


@pytest.mark.parametrize(
    "value",
    [
        *(
            "NaN",
            "sNaN",
            "Infinity",
            "-Infinity",
            "",
            "12,5",
            "1_000",
            " 5",
            "٣",
            "0x10",
            "1e99999",
        ),
        *("0", "-1", "0E-8", "0.000000001", "1e-4000", "92233720368.54775808"),
        *(0, -5, 10**400, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal(0)),
        *(Decimal("1e-9"), Decimal("1e999"), 1.5, True, None, b"5", [1]),
    ],
)
def test_what_is_no_price_is_refused(value: object) -> None:
    with pytest.raises(BadPrice):
        price(value)


def test_largest_price_fits_a_signed_64_bit_integer() -> None:
    assert to_units(price(MAX_PRICE)) == 2**63 - 1


def test_units_of_a_number_too_fine_are_refused_not_rounded() -> None:
    with pytest.raises(ArithmeticError):
        to_units(Decimal("0.000000015"))


@given(units)
def test_units_come_back_the_same(count: int) -> None:
    assert to_units(from_units(count)) == count


@given(units, units)
def test_units_sort_as_prices_do(one: int, other: int) -> None:
    assert (from_units(one) < from_units(other)) == (one < other)


@given(units, st.integers(min_value=0, max_value=12))
def test_notation_never_changes_a_price(count: int, zeros: int) -> None:
    exact = from_units(count)
    written = format(exact, "f")
    padded = written + ("" if "." in written else ".") + "0" * zeros

    assert {price(written), price(padded), price(f"{exact:e}")} == {exact}


@given(units)
def test_stored_price_has_no_idle_zeros_and_no_exponent_above_zero(count: int) -> None:
    written = format(from_units(count), "f")

    assert str(Decimal(written)) == str(from_units(count))
    assert "." not in written or not written.endswith("0")
