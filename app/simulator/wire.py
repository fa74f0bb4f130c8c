"""JSON as the exchange writes it: the same value in any of its number notations."""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

Value = object
Row = dict[str, Value]


class Literal(str):
    """A piece of JSON text that goes out as it stands."""

    __slots__ = ()


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _fixed8(number: Decimal) -> str:
    return f"{number:.{max(8, _decimals(number))}f}" if number else "0"


def _long(number: Decimal) -> str:
    return f"{number:.{max(16, _decimals(number))}f}" if number else "0E-8"


def _shortest(number: Decimal) -> str:
    # a float may have lost digits: then the exact text goes out
    text = repr(float(number))
    return text if Decimal(text) == number else _plain(number)


def _scientific(number: Decimal) -> str:
    if not number:
        return "0E-8"
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits))
    mantissa = text.rstrip("0")
    power = len(text) - 1 + int(exponent)
    fraction = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{'-' * sign}{mantissa[0]}{fraction}E{power:+d}"


_STYLES: dict[str, Callable[[Decimal], str]] = {
    "fixed8": _fixed8,
    "long": _long,
    "integer": _plain,
    "shortest": _shortest,
    "scientific": _scientific,
}
_MIXED = tuple(_STYLES.values())
NOTATIONS = (*_STYLES, "mixed")


def number_text(number: Decimal, notation: str, place: str = "") -> str:
    """A number in one of NOTATIONS; "mixed" chooses by `place`, the same each time."""
    style = _STYLES.get(notation) or _MIXED[zlib.crc32(place.encode()) % len(_MIXED)]
    return style(number)


def to_json(value: Value, notation: str = "shortest", place: str = "") -> str:
    """Compact JSON. Decimals are written in `notation`, Literals untouched, Korean unescaped."""
    if isinstance(value, Decimal):
        return number_text(value, notation, place)
    if isinstance(value, Literal):
        return value
    if isinstance(value, Mapping):
        return _object(value, notation, place)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(to_json(each, notation, place) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _object(value: Mapping[str, Value], notation: str, place: str) -> str:
    place = f"{place}/{value.get('market', '')}"
    members = (f'"{key}":{to_json(each, notation, place + key)}' for key, each in value.items())
    return "{" + ",".join(members) + "}"


def rows_json(rows: Iterable[Row], notation: str) -> bytes:
    """An array of rows as bytes."""
    return ("[" + ",".join(to_json(row, notation) for row in rows) + "]").encode()


def read_rows(text: str) -> list[Row]:
    """A recorded array of objects with every number kept as the text it was; else ValueError."""
    rows = json.loads(text, parse_float=Literal, parse_int=Literal, parse_constant=Literal)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not an array of objects")
    return rows
