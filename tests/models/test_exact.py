"""Amounts of any size come back from the database digit by digit."""

from decimal import Decimal

import pytest
from sqlalchemy.dialects import sqlite

from app.db import ExactDecimal

COLUMN = ExactDecimal()
DIALECT = sqlite.dialect()


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        ("0", "0"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("-0.50", "-0.5"),
        ("0E-8", "0"),
        ("1.3E-7", "0.00000013"),
        ("123456789012345678901234567890.12345678901234567890", None),
    ],
)
def test_amount_is_kept_as_plain_text_and_comes_back_whole(amount: str, kept: str | None) -> None:
    text = COLUMN.process_bind_param(Decimal(amount), DIALECT)

    assert text == (kept or amount.rstrip("0"))
    assert COLUMN.process_result_value(text, DIALECT) == Decimal(amount)


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), 1.5, 7])
def test_what_is_no_exact_amount_is_refused(amount: object) -> None:
    with pytest.raises(ValueError, match="finite Decimal"):
        COLUMN.process_bind_param(amount, DIALECT)  # type: ignore[arg-type]


def test_nothing_stays_nothing() -> None:
    assert COLUMN.process_bind_param(None, DIALECT) is None
    assert COLUMN.process_result_value(None, DIALECT) is None
