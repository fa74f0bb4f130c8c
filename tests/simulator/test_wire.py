"""Number notations: the same value, written differently."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.simulator.wire import NOTATIONS, Literal, number_text, read_rows, rows_json, to_json

numbers = st.decimals(
    min_value=-(10**15), max_value=10**15, places=8, allow_nan=False, allow_infinity=False
)


@pytest.mark.parametrize("notation", NOTATIONS)
@given(number=numbers, place=st.text(max_size=5))
def test_no_notation_changes_the_value(notation: str, number: Decimal, place: str) -> None:
    text = number_text(number, notation, place)

    assert Decimal(str(json.loads(text, parse_float=Decimal))) == number


@pytest.mark.parametrize(
    ("notation", "number", "text"),
    [
        ("fixed8", "162876000", "162876000.00000000"),
        ("fixed8", "0.0017283860", "0.0017283860"),
        ("fixed8", "0", "0"),
        ("long", "137728155832.9616", "137728155832.9616000000000000"),
        ("long", "0E-8", "0E-8"),
        ("long", "0.12345678901234567890", "0.12345678901234567890"),
        ("integer", "22376000.00", "22376000"),
        ("integer", "0.00001", "0.00001"),
        ("shortest", "109165000", "109165000.0"),
        ("shortest", "0.00005485", "5.485e-05"),
        ("shortest", "12345678901234567.12345678", "12345678901234567.12345678"),
        ("scientific", "0.00000013", "1.3E-7"),
        ("scientific", "0", "0E-8"),
        ("scientific", "-120", "-1.2E+2"),
    ],
)
def test_notations_look_as_on_the_wire(notation: str, number: str, text: str) -> None:
    assert number_text(Decimal(number), notation) == text


def test_mixed_uses_every_notation_and_is_the_same_each_time() -> None:
    rows = [{"market": f"KRW-{n}", "trade_price": Decimal(1500)} for n in range(100)]

    body = rows_json(rows, "mixed").decode()

    styles = {text.rstrip("}]").split(":")[-1] for text in body.split("},")}
    assert styles == {"1500.00000000", "1500.0000000000000000", "1500", "1500.0", "1.5E+3"}
    assert rows_json(rows, "mixed").decode() == body


def test_literals_go_out_as_they_stand_and_korean_unescaped() -> None:
    assert to_json({"a": Literal("0E-8"), "b": "가", "c": [True, None]}) == (
        '{"a":0E-8,"b":"가","c":[true,null]}'
    )


def test_recorded_numbers_keep_their_text() -> None:
    text = '[{"market":"X","a":162876000.00000000,"b":0E-8,"c":-1}]'

    assert rows_json(read_rows(text), "mixed").decode() == text


@pytest.mark.parametrize("text", ["{}", "[1]", "[", ""])
def test_what_is_no_array_of_objects_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_rows(text)
