"""Reading what an address asks for."""

from flask import request

from app.domain.errors import InvalidInput


def number(name: str, *, high: int) -> int | None:
    """A whole number from 1 to `high`, or None where it isn't given; InvalidInput otherwise."""
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= high):
        raise InvalidInput(name, "number_out_of_bounds", high=high)
    return int(text)
