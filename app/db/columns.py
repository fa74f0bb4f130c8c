"""Columns that keep exactly what was put into them."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, String
from sqlalchemy.types import TypeDecorator

from app.domain.money import from_units, to_units

#: SQLite numbers rows with plain INTEGER; PostgreSQL wants to be told that there may be many.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone can't be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class PriceUnits(TypeDecorator[Decimal]):
    """An exact price, kept as a count of 1e-8 won, so that SQL compares and sorts it exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else to_units(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_units(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """An exact amount of any size, kept as plain text: SQLite has no exact number of its own."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError("an amount must be a finite Decimal")
        text = f"{value:f}"  # not `normalize`, which rounds to the context's 28 digits
        return text.rstrip("0").rstrip(".") if "." in text else text

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def text_enum(kind: type[StrEnum], name: str, *, check: bool = True) -> Enum:
    """A column of one of `kind`'s values, held by a CHECK in the database.

    With `check=False` the table has a CHECK of its own that knows the values.
    """
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=check,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )
