"""Settings as people type them: texts by name, read strictly, refused by their field."""

import re
from collections.abc import Mapping
from decimal import Decimal

from app.domain.errors import InvalidInput

MOST_COINS = 20
_CODE = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,8})?", re.ASCII)

Typed = Mapping[str, str]


def number(texts: Typed, name: str) -> Decimal | None:
    """The number under `name`, None for an empty text; InvalidInput for anything else."""
    text = texts[name].replace(",", "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(name, "not_a_number")
    return Decimal(text)


def needed(texts: Typed, name: str) -> Decimal:
    """The number under `name`, which must be there."""
    found = number(texts, name)
    if found is None:
        raise InvalidInput(name, "field_missing")
    return found


def whole(texts: Typed, name: str) -> int | None:
    """The whole number under `name`, None for an empty text."""
    found = number(texts, name)
    if found is not None and found != int(found):
        raise InvalidInput(name, "setting_too_fine", decimals=0)
    return None if found is None else int(found)


def codes(text: str) -> tuple[str, ...]:
    """Codes of coins, parted by blanks or commas, in capitals."""
    return tuple(text.upper().replace(",", " ").split())


def check_codes(found: tuple[str, ...]) -> None:
    """Raise InvalidInput unless these are 1 to 20 codes, each named once."""
    if not 1 <= len(found) <= MOST_COINS:
        raise InvalidInput("codes", "bot_coins_count", most=MOST_COINS)
    if len(set(found)) != len(found):
        raise InvalidInput("codes", "bot_coins_twice")
    if not all(_CODE.fullmatch(code) for code in found):
        raise InvalidInput("codes", "coin_unknown")


def as_text(value: object) -> str:
    """A setting as a person would type it; "" for none."""
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
