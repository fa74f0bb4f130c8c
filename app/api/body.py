"""Reading bodies: strict JSON, one schema per body, every fault told by its field."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, NoReturn, ParamSpec, cast

from flask import Response, request
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
    """The body as a JSON object; an absent body is an empty one.

    Raises UnsupportedMediaType for any other kind of body, and InvalidInput for broken UTF-8 or
    JSON, for NaN, for halves of characters that no database keeps, and for what isn't an object.
    """
    raw = request.get_data()
    if not raw:
        return {}
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
        canonical(found)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", "json_invalid") from error
    if not isinstance(found, dict):
        raise InvalidInput("body", "json_not_object")
    return found


def canonical(value: object) -> bytes:
    """The same bytes for the same JSON, however it was written."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode("utf-8")


def _load(checker: Body) -> Fields:
    try:
        loaded: Fields = checker.load(read_object())
    except ValidationError as error:
        raise InvalidBody(cast(dict[str, list[str]], error.messages)) from error
    return loaded


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
