"""What an endpoint answers, written at the endpoint: for the description and for the tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Response
from marshmallow import Schema

from app.api.body import Whole

View = TypeVar("View", bound=Callable[..., Response])

_TOKEN_CODES = {"token_missing": 401, "token_not_valid": 401}
_BODY_CODES = {
    "field_missing": 400,
    "json_invalid": 400,
    "json_not_object": 400,
    "body_too_large": 413,
    "media_type_not_supported": 415,
}


@dataclass(frozen=True)
class Told:
    """Statuses with the shape of their answers (None: no body), refusals, and what may be asked.

    From 400 on an answer is one whose client knows no refusals and wants its own shape empty.

    `codes` says which refusal comes with which status; `query` holds JSON schemas by name. `beside`
    names the field that a refusal's sentence stands in where the contract has one of its own, and
    `example` is an answer where its shape gives none away.
    """

    answers: dict[int, object]
    codes: dict[str, int]
    query: dict[str, dict[str, Any]] = field(default_factory=dict)
    keyed: bool = False
    beside: dict[str, str] = field(default_factory=dict)
    example: object = None


def tells(
    answers: Mapping[int, object],
    *,
    codes: Mapping[str, int] | None = None,
    query: Mapping[str, dict[str, Any]] | None = None,
    keyed: bool = False,
    beside: Mapping[str, str] | None = None,
    example: object = None,
) -> Callable[[View], View]:
    """Write down what a view answers; `keyed` for one that takes an Idempotency-Key."""

    def mark(view: View) -> View:
        view.told = Told(  # type: ignore[attr-defined]
            dict(answers), dict(codes or {}), dict(query or {}), keyed, dict(beside or {}), example
        )
        return view

    return mark


def told_by(view: Callable[..., Any]) -> Told | None:
    """What is written at a view, or None."""
    return getattr(view, "told", None)


def needs_token(view: Callable[..., Any]) -> bool:
    """Whether only signed-in people may use the view."""
    return bool(getattr(view, "signed_in", False))


def body_of(view: Callable[..., Any]) -> type[Schema] | None:
    """The schema of the body that the view takes, or None."""
    return getattr(view, "body", None)


def codes_of(view: Callable[..., Any]) -> dict[str, int]:
    """Every refusal of a view with its status: its own, and those that come with what it needs."""
    told = told_by(view)
    codes = {"too_many_requests": 429, "internal_error": 500} | (told.codes if told else {})
    if needs_token(view):
        codes |= _TOKEN_CODES
    body = body_of(view)
    if body is not None:
        codes |= _BODY_CODES
        kinds = {isinstance(one, Whole) for one in body().fields.values()}
        codes |= {"not_whole_number" if whole else "not_text": 400 for whole in kinds}
    if told and told.keyed:
        codes |= {"idempotency_key_invalid": 400, "idempotency_key_reused": 409}
    return codes
