"""JSON on the wire: prices with their exact digits, times as clients expect them, ETags."""

import hashlib
import json
import secrets
from datetime import UTC, datetime
from decimal import Decimal

from flask import Response, request

from app.domain.kst import to_kst

#: Stands around a number until the text is made. Nobody can know it, so no text can hold it.
_MARK = secrets.token_hex(16)


def exact(value: object) -> str:
    """`value` as JSON; a Decimal becomes a number with its own digits, never an exponent."""
    text = _ENCODER.encode(value)
    return text.replace(f'"{_MARK}', "").replace(f'{_MARK}"', "")


def answer(value: object, status: int = 200) -> Response:
    """An answer that isn't kept by any cache."""
    return text_answer(exact(value), status)


def text_answer(text: str | bytes, status: int) -> Response:
    """An answer whose JSON was written before."""
    response = Response(text, status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def empty(status: int = 200) -> Response:
    """An answer without a body."""
    response = Response(b"", status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def cached(value: object) -> Response:
    """An answer that a client may keep and ask about again: 304 while it is the same."""
    text = exact(value)
    return cached_text(text, etag_of(text))


def cached_text(text: str | bytes, etag: str) -> Response:
    """As `cached`, for JSON that was written before."""
    known = request.if_none_match.contains_weak(etag)  # a proxy that compresses weakens it
    response = empty(304) if known else text_answer(text, 200)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    response.set_etag(etag)
    return response


def etag_of(text: str) -> str:
    """What a text is recognised by."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def kst_text(moment: datetime) -> str:
    """The contract's time: a Korean wall clock without offset, `2022-01-22T07:05:19.206269`."""
    return to_kst(moment).replace(tzinfo=None).isoformat()


def utc_text(moment: datetime | None) -> str | None:
    """The time of all newer fields: ISO 8601 in UTC, ending in Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _number(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}{_MARK}"
    raise TypeError(f"not made for JSON: {type(value).__name__}")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_number)
