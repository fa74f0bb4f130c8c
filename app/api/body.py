"""Reading bodies: strict JSON, one schema per body, every fault told by its field."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, NoReturn, ParamSpec, cast

from flask import Response, g, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from werkzeug.exceptions import UnsupportedMediaType

from app.api.errors import InvalidBody
from app.domain.errors import InvalidInput

P = ParamSpec("P")
Fields = dict[str, Any]
Codes = dict[str, str | list[Any] | dict[Any, Any]]
_CODES: Codes = {"required": "field_missing", "null": "field_missing"}


class Body(Schema):
    """What a body may hold; fields nobody asked for are passed over."""

    class Meta:
        unknown = EXCLUDE


class Text(fields.String):
    """A string; a number or a list isn't one."""

    default_error_messages = _CODES | {"invalid": "not_text", "invalid_utf8": "not_text"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or "\x00" in value:
            raise self.make_error("invalid")
        return value


class Whole(fields.Integer):
    """A whole number, written as one: neither `true`, nor `"1"`, nor `1.0`."""

    default_error_messages = _CODES | {"invalid": "not_whole_number"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


def takes(
    schema: type[Body],
) -> Callable[[Callable[Concatenate[Fields, P], Response]], Callable[P, Response]]:
    """Hand the view the checked body as a dict; what can't be right is refused before."""
    checker = schema()

    def decorate(view: Callable[Concatenate[Fields, P], Response]) -> Callable[P, Response]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Response:
            return view(_load(checker), *args, **kwargs)

        checked.body = schema  # type: ignore[attr-defined]
        return checked

    return decorate


def read_object() -> Fields:
    """The body as a JSON object, read once per request; an absent body is an empty one.

    Raises UnsupportedMediaType for any other kind of body, and InvalidInput for broken UTF-8 or
    JSON, for NaN, for halves of characters that no database keeps, and for what isn't an object.
    """
    return _read_once()[0]


def canonical_body() -> bytes:
    """The same bytes for the same JSON, however it was written; raises as `read_object`."""
    return _read_once()[1]


def _read_once() -> tuple[Fields, bytes]:
    if "body" not in g:
        g.body = _read()
    found: tuple[Fields, bytes] = g.body
    return found


def _read() -> tuple[Fields, bytes]:
    raw = request.get_data()
    if not raw:
        return {}, b"{}"
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        found = _DECODER.decode(raw.decode("utf-8"))
        canonical = _CANONICAL.encode(found).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", "json_invalid") from error
    if not isinstance(found, dict):
        raise InvalidInput("body", "json_not_object")
    return found, canonical


def _load(checker: Body) -> Fields:
    try:
        loaded: Fields = checker.load(read_object())
    except ValidationError as error:
        raise InvalidBody(cast(dict[str, list[str]], error.messages)) from error
    return loaded


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False)
