"""Refusals and failures as JSON: the contract's field lists, and one `error` for all clients."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from app.api.wire import answer
from app.domain.errors import AppError, Conflict, InvalidInput, NotFound
from app.messages import message

#: Codes whose status isn't 400 (404 for what isn't there).
STATUSES = {
    "token_missing": 401,
    "token_not_valid": 401,
    "wrong_credentials": 401,
    "already_topped_up": 409,
    "idempotency_key_reused": 409,
    "kakao_taken": 409,
    "kakao_already_linked": 409,
    "last_way_in": 409,
    "password_exists": 409,
    "exchange_key_taken": 409,
    "exchange_links_full": 409,
    "backtests_unfinished": 409,
    "bot_is_on": 409,
    "bot_halted": 409,
    "bot_is_stopping": 409,
    "bot_not_settled": 409,
    "capital_is_invested": 409,
    "live_trading_off": 409,
    "live_not_confirmed": 409,
    "live_key_not_good": 409,
    "exchange_unreachable": 503,
    "exchange_maintenance": 503,
    "price_not_fresh": 503,
    "kakao_unavailable": 503,
}
#: The code of a failure that HTTP itself has a number for.
HTTP_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_not_supported",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
#: Where the contract puts a refusal: by code, by endpoint where they differ, else by our field.
PLACES: dict[object, str] = {
    "coin_inactive": "coin_code",
    "price_not_fresh": "coin_code",
    "nickname_taken": "nickname",
    "exchange_key_invalid": "access_key",
    "exchange_key_expired": "access_key",
    "exchange_key_address_not_allowed": "access_key",
    "exchange_key_missing_permission": "access_key",
    "exchange_key_account_blocked": "access_key",
    "exchange_key_clock": "access_key",
    ("not_enough_points", "api-votes.create"): "uploader",
    ("not_enough_points", "api-votes.choose"): "participant",
}
FIELD_NAMES = {"coin": "coin_code", "direction": "comment", "body": "non_field_errors"}
_RETRY_AFTER_S = {503: "60"}


class TokenMissing(AppError):
    """The request needs an access token and carries none."""

    code = "token_missing"


class InvalidBody(AppError):
    """Fields of a body that can't be right: for each its codes, and what fills the sentences."""

    def __init__(self, fields: Mapping[str, list[str]], **params: object) -> None:
        self.fields = {name: list(codes) for name, codes in fields.items()}
        self.code = next(iter(self.fields.values()))[0]
        super().__init__(**params)


def refusal(error: AppError, **more: str) -> Response:
    """The answer to a refusal of ours; `more` is put beside the rest."""
    status = 404 if isinstance(error, NotFound) else STATUSES.get(error.code, 400)
    return _response(refused(error.code, status, _fields(error), error.params) | more, status)


def refusal_in(place: str, error: AppError, status: int) -> Response:
    """The answer to a refusal whose sentence the contract wants in a field of its own."""
    sentence = message(error.code, error.params)
    return _response({place: sentence} | _error(error.code, sentence, _fields(error)), status)


def refused(
    code: str, status: int, fields: Mapping[str, list[str]], params: Mapping[str, object]
) -> dict[str, Any]:
    """The body of a refusal; `fields` holds the codes of each field that is to blame."""
    body: dict[str, Any] = {}
    if fields and status not in (401, 404, 409):
        body = {name: [message(one, params) for one in codes] for name, codes in fields.items()}
    else:
        body["detail"] = message(code, params)
    if status == 401:
        body["code"] = code
    return body | _error(code, message(code, params), fields)


def failure(error: HTTPException) -> Response:
    """The answer to what HTTP calls a failure; 422 is 400 here, and prepared answers pass."""
    status = {422: 400}.get(error.code or 500, error.code or 500)
    response = _response(failed(status), status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def failed(status: int) -> dict[str, Any]:
    """The body of a failure."""
    code = HTTP_CODES.get(status, HTTP_CODES[500 if status >= 500 else 400])
    sentence = message(code, {})
    return {"detail": sentence} | _error(code, sentence, {})


def routing_failure() -> Response | None:
    """For `before_request`: paths of the API that lead nowhere are told so in JSON too."""
    if not is_api_path() or request.routing_exception is None:
        return None
    return failure(request.routing_exception)


def is_api_path() -> bool:
    """Whether this request is for a client rather than for a browser's page."""
    return f"{request.path}/".startswith(("/api/", "/tracker/", "/coin/"))


def _fields(error: AppError) -> dict[str, list[str]]:
    if isinstance(error, InvalidBody):
        return error.fields
    if isinstance(error, InvalidInput):
        return {FIELD_NAMES.get(error.field, error.field): [error.code]}
    if not isinstance(error, Conflict):
        return {}
    by_code = PLACES.get(error.code)
    place = PLACES.get((error.code, request.endpoint or ""), by_code)
    return {place or "non_field_errors": [error.code]}


def _error(code: str, sentence: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
    return {"error": {"code": code, "message": sentence, "fields": fields}}


def _response(body: dict[str, Any], status: int) -> Response:
    response = answer(body, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if status in _RETRY_AFTER_S:
        response.headers["Retry-After"] = _RETRY_AFTER_S[status]
    return response
