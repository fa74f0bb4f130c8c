"""The one check of a setting: within its bounds, and not finer than it may be."""

from decimal import Decimal

from app.domain.errors import InvalidInput


def check_bounds(field: str, value: Decimal, *, low: Decimal, high: Decimal, decimals: int) -> None:
    """Raise InvalidInput unless `low` <= `value` <= `high` with at most so many decimals."""
    if not value.is_finite() or not low <= value <= high:
        raise InvalidInput(field, "setting_out_of_bounds", low=f"{low:f}", high=f"{high:f}")
    if value != value.quantize(Decimal(1).scaleb(-decimals)):
        raise InvalidInput(field, "setting_too_fine", decimals=decimals)
