"""What every blueprint of the API shares: JSON errors, no CSRF, people known by their tokens."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from app.api.errors import TokenMissing, failure, refusal
from app.clock import utcnow
from app.domain.accounts import BadToken
from app.domain.errors import AppError
from app.extensions import csrf
from app.services import tokens
from app.services.tokens import Bearer
from app.wiring import token_key

API = "/api/v1"
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


def _token() -> str:
    header = request.headers.get("Authorization")
    if header is None:
        raise TokenMissing
    scheme, _space, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BadToken
    return token.strip()
