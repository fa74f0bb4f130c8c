"""What every blueprint of the API shares: JSON errors, no CSRF, people known by their tokens."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import Blueprint, Response, g, request
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

from app.api.errors import TokenMissing, failure, refusal
from app.clock import utcnow
from app.domain.accounts import BadToken
from app.domain.errors import AppError
from app.extensions import csrf, limiter
from app.services import tokens
from app.services.tokens import Bearer
from app.wiring import token_key

API = "/api/v1"
#: For everything a client changes; signing in and up have stricter limits of their own.
WRITE_LIMIT = "120/minute;2000/hour"
_WRITES = ["POST", "PUT", "PATCH", "DELETE"]
P = ParamSpec("P")


def room(name: str, prefix: str = API) -> Blueprint:
    """A blueprint of the API.

    A bearer token isn't sent by a browser on its own, so that forged forms can do nothing here and
    no CSRF token is asked for.
    """
    bp = Blueprint(f"api-{name}", __name__, url_prefix=prefix)
    bp.register_error_handler(AppError, refusal)
    bp.register_error_handler(HTTPException, failure)
    csrf.exempt(bp)
    limiter.shared_limit(
        WRITE_LIMIT, "api", key_func=caller, methods=_WRITES, exempt_when=_changes_nothing
    )(bp)
    return bp


def signed_in(
    view: Callable[Concatenate[Bearer, P], Response],
) -> Callable[P, Response]:
    """Hand the view who bears the access token; 401 for everybody else."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        return view(bearer(), *args, **kwargs)

    guarded.signed_in = True  # type: ignore[attr-defined]
    return guarded


def bearer() -> Bearer:
    """Who bears the token of this request, or raise TokenMissing or BadToken."""
    if "bearer" not in g:
        g.bearer = tokens.authenticate(token=_token(), key=token_key(), now=utcnow())
    found: Bearer = g.bearer
    return found


def caller() -> str:
    """Whom a limit counts for: the person, or the address of who isn't signed in."""
    try:
        return f"person {bearer().person.id}"
    except (TokenMissing, BadToken):
        return get_remote_address()


def _changes_nothing() -> bool:
    """Checking a token is a POST by its address alone; clients do it whenever a screen opens."""
    return request.endpoint == "api-tokens.verify"


def _token() -> str:
    header = request.headers.get("Authorization")
    if header is None:
        raise TokenMissing
    scheme, _space, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BadToken
    return token.strip()
