"""The API about itself: its description for programs, and a page to read and try it."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template

from app.api.openapi import describe
from app.api.room import API, room
from app.api.told import tells
from app.api.wire import cached_text, etag_of, exact

bp = room("reference")
page = Blueprint("api_page", __name__, url_prefix=API)
_DESCRIBED = "application/json"


@dataclass(frozen=True)
class Operation:
    """One operation as the page shows it, with an example of what it takes and of what it answers.

    `shape` is the name of the answer.
    """

    method: str
    path: str
    told: dict[str, Any]
    body: str
    shape: str
    answer: str

    @property
    def ident(self) -> str:
        """Its name in addresses and labels."""
        return str(self.told["operationId"])


@bp.get("/openapi.json")
@tells({200: dict}, example={"openapi": "3.1.0"})
def openapi() -> Response:
    """This description."""
    return cached_text(*_written(_app()))


@page.get("/docs")
def read() -> str:
    """Every address with what it takes, answers and refuses; with scripts, to try it at once."""
    spec = _description(_app())
    groups: dict[str, list[Operation]] = {}
    for path, operations in spec["paths"].items():
        for method, told in operations.items():
            shown = Operation(
                method.upper(), path, told, _body(spec, told), _shape(told), _answer(told)
            )
            groups.setdefault(told["tags"][0], []).append(shown)
    return render_template(
        "api/docs.html", groups=groups, shapes=spec["components"]["schemas"], type_words=type_words
    )


def type_words(schema: dict[str, Any]) -> str:
    """A schema in a few words: `integer`, `"up" | "down"`, `Vote[]`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/")[-1])
    if "anyOf" in schema:
        return " | ".join(type_words(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    if schema["type"] == "array":
        return f"{type_words(schema['items'])}[]"
    return str(schema["type"])


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined, no-any-return]


@lru_cache(maxsize=4)
def _description(app: Flask) -> dict[str, Any]:
    """Made when it is first asked for, so that nobody waits for it at the start."""
    return describe(app)


@lru_cache(maxsize=4)
def _written(app: Flask) -> tuple[str, str]:
    """The description as text, with its ETag."""
    text = exact(_description(app))
    return text, etag_of(text)


def _body(spec: dict[str, Any], told: dict[str, Any]) -> str:
    """An example of the body as text, or "" where none is taken."""
    if "requestBody" not in told:
        return ""
    name = type_words(told["requestBody"]["content"][_DESCRIBED]["schema"])
    return _example(spec["components"]["schemas"][name]["examples"][0])


def _shape(told: dict[str, Any]) -> str:
    """What a good answer holds, in a few words; "" where it holds nothing."""
    content = _good(told)
    return type_words(content["schema"]) if content else ""


def _answer(told: dict[str, Any]) -> str:
    """An example of a good answer as text, or "" where it holds nothing."""
    content = _good(told)
    return _example(content["example"]) if content else ""


def _good(told: dict[str, Any]) -> dict[str, Any]:
    good = next(one for status, one in told["responses"].items() if status < "300")
    found: dict[str, Any] = good.get("content", {}).get(_DESCRIBED, {})
    return found


def _example(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
