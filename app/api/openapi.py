"""The description of the API (OpenAPI 3.1), read off routes, shapes and refusals."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from flask import Flask
from flask_babel import force_locale
from marshmallow import Schema
from marshmallow.fields import Field, Integer
from werkzeug.routing import Rule

from app.addresses import LARGEST_ID, CoinCode
from app.api.examples import View, answered, asked, turned_down
from app.api.once import HEADER
from app.api.told import Told, body_of, codes_of, needs_token, told_by
from app.domain.runs import BotMode
from app.version import VERSION

Json = dict[str, Any]
_PLAIN: dict[object, Json] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    NoneType: {"type": "null"},
    dict: {"type": "object"},
}
#: By converter; none stands for any text without a slash.
_PATH_KINDS: Json = {
    "": {"type": "string"},
    "int": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
    "coin": {"type": "string", "pattern": f"^{CoinCode.regex}$"},
    "mode": {"type": "string", "enum": [*BotMode]},
}
_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")
_ERROR = "Error"


@dataclass(frozen=True)
class _Known:
    """What operations share, by name: shapes, and refusals that read the same everywhere."""

    shapes: Json
    examples: Json


def describe(app: Flask) -> Json:
    """The whole description, in English: an operation per route and method, shapes by name."""
    known = _Known({_ERROR: _error_shape()}, {})
    paths: Json = {}
    with force_locale("en"):
        for rule in api_rules(app):
            operation = _operation(app, rule, known)
            if operation is not None:
                path = _ARGUMENT.sub(r"{\2}", rule.rule)
                paths.setdefault(path, {})[method_of(rule).lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Whaling",
            "version": VERSION,
            "summary": "Price votes: ask, answer, and see what decided them.",
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(known.shapes.items())),
            "examples": dict(sorted(known.examples.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def api_rules(app: Flask) -> Iterator[Rule]:
    """The routes for clients, by address."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api-")]
    yield from sorted(rules, key=lambda rule: (rule.rule, method_of(rule)))


def method_of(rule: Rule) -> str:
    """The one method of a route; what comes with it by itself isn't counted."""
    return next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def _operation(app: Flask, rule: Rule, known: _Known) -> Json | None:
    view = app.view_functions[rule.endpoint]
    told, body = told_by(view), body_of(view)
    if told is None:
        return None
    summary, _, rest = (view.__doc__ or "").partition("\n\n")
    operation: Json = {
        "operationId": rule.endpoint.removeprefix("api-").replace(".", "-"),
        "tags": [rule.endpoint.removeprefix("api-").partition(".")[0]],
        "summary": " ".join(summary.split()),
        "responses": {str(status): _answer(told, status, known.shapes) for status in told.answers}
        | _refusals(rule.endpoint, view, known.examples),
    }
    if rest.strip():
        operation["description"] = " ".join(rest.split())
    parameters = [*_path_parameters(rule), *_query_parameters(told.query), *_headers(told.keyed)]
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        content = _content(_body(body, known.shapes))
        operation["requestBody"] = {"required": True, "content": content}
    if needs_token(view):
        operation["security"] = [{"bearer": []}]
    return operation


def _answer(told: Told, status: int, shapes: Json) -> Json:
    shape = told.answers[status]
    if shape is None:
        return {"description": "Done; no body."}
    if status >= 400:
        content = _content(_schema(shape, shapes))
        return {"description": "Refused, by the same shape without content.", "content": content}
    content = _content(_schema(shape, shapes), example=told.example or answered(shape))
    return {"description": "Done.", "content": content}


def _refusals(endpoint: str, view: View, examples: Json) -> Json:
    by_status: dict[int, Json] = {}
    for code, status in sorted(codes_of(view).items()):
        shown: Json = {"value": turned_down(endpoint, view, code, status)}
        if examples.setdefault(code, shown) == shown:
            shown = {"$ref": f"#/components/examples/{code}"}
        by_status.setdefault(status, {})[code] = shown
    shape = {"$ref": f"#/components/schemas/{_ERROR}"}
    return {
        str(status): {
            "description": "Refused: " + ", ".join(f"`{code}`" for code in found) + ".",
            "content": _content(shape, examples=found),
        }
        for status, found in sorted(by_status.items())
    }


def _path_parameters(rule: Rule) -> Iterator[Json]:
    for kind, name in _ARGUMENT.findall(rule.rule):
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_KINDS[kind]}


def _query_parameters(query: dict[str, Json]) -> Iterator[Json]:
    for name, schema in query.items():
        yield {"name": name, "in": "query", "schema": schema}


def _headers(keyed: bool) -> Iterator[Json]:
    if keyed:
        yield {
            "name": HEADER,
            "in": "header",
            "description": "Any text of your own; the same one again gets the same answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }


def _content(schema: Json, **examples: object) -> Json:
    return {"application/json": {"schema": schema, **examples}}


def _schema(shape: Any, shapes: Json) -> Json:
    """The JSON schema of a type; TypedDicts are kept by name."""
    if shape in _PLAIN:
        return _PLAIN[shape]
    if is_typeddict(shape):
        return _named(shape, shapes)
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return {"type": "string", "enum": [str(one) for one in shape]}
    kind, arguments = get_origin(shape), get_args(shape)
    if kind is list:
        return {"type": "array", "items": _schema(arguments[0], shapes)}
    if kind is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], shapes)}
    if kind is Literal:
        return {"enum": list(arguments)}
    if kind in (UnionType, Union):
        return {"anyOf": [_schema(one, shapes) for one in arguments]}
    raise TypeError(f"no JSON schema for {shape!r}")


def _named(shape: Any, shapes: Json) -> Json:
    name = shape.__name__.removesuffix("Out")
    if name not in shapes:
        shapes[name] = {}  # holds the place of a shape that contains itself
        fields = {key: _schema(kind, shapes) for key, kind in get_type_hints(shape).items()}
        shapes[name] = {
            "type": "object",
            "description": " ".join((shape.__doc__ or "").split()),
            "properties": fields,
            "required": [key for key in fields if key in shape.__required_keys__],
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _body(schema: type[Schema], shapes: Json) -> Json:
    name = schema.__name__
    fields = schema().fields
    shapes[name] = {
        "type": "object",
        "description": " ".join((schema.__doc__ or "").split()),
        "properties": {key: _field(one) for key, one in fields.items()},
        "required": [key for key, one in fields.items() if one.required],
        "examples": [{key: asked(name, key, one) for key, one in fields.items()}],
    }
    return {"$ref": f"#/components/schemas/{name}"}


def _field(field: Field[Any]) -> Json:
    kind = "integer" if isinstance(field, Integer) else "string"
    return {"type": kind} | dict(field.metadata)


def _error_shape() -> Json:
    """The `error` of every refusal; beside it stand the contract's own fields."""
    texts = {"type": "array", "items": {"type": "string"}}
    return {
        "type": "object",
        "description": (
            "A refusal. Beside `error` stand the fields of the contract: `detail`, `message`, or "
            "for each field that is wrong a list of sentences."
        ),
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "fields": {"type": "object", "additionalProperties": texts},
                },
                "required": ["code", "message", "fields"],
            }
        },
        "required": ["error"],
    }
