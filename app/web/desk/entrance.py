"""The way in by exchange keys at `/login`, as the desk's first client asks for it."""

import json
from urllib.parse import urlsplit

from flask import Response, current_app, g, jsonify, request
from flask_limiter import RateLimitExceeded
from flask_login import current_user

from app.clock import utcnow
from app.domain.errors import Conflict, InvalidInput
from app.extensions import limiter
from app.messages import message
from app.services import exchanges
from app.services.exchanges import KeyNotChecked, typed_keys
from app.web.context import viewer_id
from app.web.desk.accounts import doors
from app.web.sessions import sign_in

#: Wrong keys count at the exchange against the address of this server, for all its people.
ENTRANCE_LIMIT = "6/minute;30/hour"
_FORM = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_for_keys() -> bool:
    """Whether the sign-in is the desk client's: JSON, whatever it is called, or `publicKey`."""
    if "shown_keys" not in g:
        g.shown_keys = _read() if request.method == "POST" else None
    return g.shown_keys is not None


def enter() -> Response:
    """Link the keys to whoever is signed in here, or let in whose they are, or somebody new.

    The answer is 200 also for keys that aren't taken, as the client wants it; `reason` says more.
    """
    g.is_for_clients = True
    if not _is_own_origin():
        return _told("403", reason="origin")
    try:
        return _enter()
    except RateLimitExceeded:
        answer = _told("429", reason="too_many_requests")
        answer.headers["Retry-After"] = "60"
        return answer


@limiter.limit(ENTRANCE_LIMIT)
def _enter() -> Response:
    access, secret = g.shown_keys
    try:
        entered = exchanges.enter_by_keys(
            user_id=viewer_id(), keys=typed_keys(access=access, secret=secret),
            doors=doors(), now=utcnow(),
        )  # fmt: skip
    except KeyNotChecked as error:
        return _told("200", reason="unknown", sentence=message(error.code, error.params))
    except (InvalidInput, Conflict) as error:
        return _told("200", reason="refused", sentence=message(error.code, error.params))
    if not current_user.is_authenticated:
        sign_in(entered.user_id, entered.epoch, remember=False)
    return _told("200", is_valid=True)


def _read() -> tuple[str, str] | None:
    """Both halves as they were sent, empty where there is none; None for our own page's form."""
    raw = request.get_data()
    if raw.lstrip()[:1] == b"{" or request.is_json:
        return _halves(raw)
    if request.mimetype in _FORM and "publicKey" in request.form:
        return request.form["publicKey"], request.form.get("privateKey", "")
    return None


def _halves(raw: bytes) -> tuple[str, str]:
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(found, dict):
        return "", ""
    halves = (found.get("publicKey"), found.get("privateKey"))
    access, secret = (half if isinstance(half, str) else "" for half in halves)
    return access, secret


def _is_own_origin() -> bool:
    """Browsers say where a POST comes from; who says nothing is no browser."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return request.headers.get("Origin") in current_app.config["WHALING_CORS_ORIGINS"]
    origin = request.headers.get("Origin")
    if origin is None or origin in current_app.config["WHALING_CORS_ORIGINS"]:
        return True
    return urlsplit(origin).netloc == request.host


def _told(status: str, *, is_valid: bool = False, reason: str = "", sentence: str = "") -> Response:
    body: dict[str, object] = {"status": status, "validation": is_valid}
    if reason:
        body |= {"reason": reason}
    if sentence:
        body |= {"message": sentence}
    answer = jsonify(body)
    answer.status_code = int(status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
