"""Tokens over JSON: local sign-up and sign-in, check, refresh, sign out here and everywhere."""

from typing import TypedDict

from flask import Response, request
from flask_limiter.util import get_remote_address

from app.api.body import Body, Fields, Text, read_object, takes
from app.api.errors import TokenMissing, refusal_in
from app.api.room import bearer, room, signed_in
from app.api.shapes import UserOut, user_out
from app.api.told import tells
from app.api.wire import answer, empty
from app.clock import utcnow
from app.domain.accounts import BadToken, nickname
from app.domain.errors import AppError
from app.extensions import limiter
from app.services import accounts, tokens
from app.services.tokens import Bearer
from app.wiring import token_key

bp = room("tokens")

SIGN_IN_LIMIT = "10/minute;50/hour"
SIGN_UP_LIMIT = "20/minute;100/hour"
NICKNAME_CODES = {
    "nickname_missing": 400,
    "nickname_unseen_characters": 400,
    "nickname_too_long": 400,
}
PASSWORD_CODES = {
    "password_too_short": 400,
    "password_too_long": 400,
    "password_is_nickname": 400,
    "password_common": 400,
}
_VERIFY_CODES = {"token_missing": 400, "token_not_valid": 401}


class Credentials(Body):
    """A nickname of 1 to 20 characters and a password of 8 to 128."""

    nickname = Text(required=True, metadata={"examples": ["neo"]})
    password = Text(required=True, metadata={"examples": ["a long password"]})


class Refresh(Body):
    """The refresh token that is to be spent."""

    refresh_token = Text(required=True)


class TokenOut(TypedDict):
    """A pair of tokens: good for a day, and for seven days and one use."""

    access_token: str
    refresh_token: str


class SignedIn(TypedDict):
    """Who signed in, and the tokens."""

    user: UserOut
    token: TokenOut


class Refreshed(TypedDict):
    """The next pair; `access` is the access token again, as older clients call it."""

    access_token: str
    access: str
    refresh_token: str


def _nickname_tried() -> str:
    """Whose account is tried; one that can't exist counts for the address alone."""
    try:
        return nickname(str(read_object().get("nickname", ""))).key
    except AppError:
        return get_remote_address()


def _failed(response: Response) -> bool:
    return response.status_code >= 400


def sign_in(user_id: int, *, status: int) -> Response:
    """A new session for this person on the calling device, in the contract's shape."""
    pair = tokens.issue(
        user_id=user_id,
        device=request.headers.get("User-Agent", ""),
        key=token_key(),
        now=utcnow(),
    )
    signed: SignedIn = {
        "user": user_out(accounts.get_person(user_id=user_id)),
        "token": {"access_token": pair.access, "refresh_token": pair.refresh},
    }
    return answer(signed, status)


@bp.post("/auth/local/signup", strict_slashes=False)
@tells({201: SignedIn}, codes=NICKNAME_CODES | PASSWORD_CODES | {"nickname_taken": 400})
@limiter.limit(SIGN_UP_LIMIT)
@takes(Credentials)
def sign_up(body: Fields) -> Response:
    """Become a person with the welcome points, and be signed in."""
    user = accounts.sign_up(name=body["nickname"], password=body["password"], now=utcnow())
    return sign_in(user.id, status=201)


@bp.post("/auth/local", strict_slashes=False)
@tells({200: SignedIn}, codes={"wrong_credentials": 401})
@limiter.limit(SIGN_IN_LIMIT)
@limiter.limit(SIGN_IN_LIMIT, key_func=_nickname_tried, deduct_when=_failed)
@takes(Credentials)
def sign_in_locally(body: Fields) -> Response:
    """Sign in with nickname and password."""
    user = accounts.check_credentials(name=body["nickname"], password=body["password"])
    return sign_in(user.id, status=200)


@bp.post("/auth/token/verify", strict_slashes=False)
@tells({200: None}, codes=_VERIFY_CODES, beside=dict.fromkeys(_VERIFY_CODES, "message"))
def verify() -> Response:
    """Whether the access token of the header is good. The body is never looked at."""
    try:
        bearer()
    except (TokenMissing, BadToken) as error:
        status = 400 if isinstance(error, TokenMissing) else 401
        return refusal_in("message", error, status)
    return empty()


@bp.post("/auth/token/refresh", strict_slashes=False)
@tells({200: Refreshed}, codes={"token_not_valid": 401}, beside={"token_not_valid": "message"})
@takes(Refresh)
def refresh(body: Fields) -> Response:
    """The next pair for a refresh token. Shown twice, it ends the session it belongs to."""
    try:
        pair = tokens.refresh(token=body["refresh_token"], key=token_key(), now=utcnow())
    except BadToken as error:
        return refusal_in("message", error, 401)
    refreshed: Refreshed = {
        "access_token": pair.access,
        "access": pair.access,
        "refresh_token": pair.refresh,
    }
    return answer(refreshed)


@bp.post("/auth/logout", strict_slashes=False)
@tells({204: None})
@signed_in
def sign_out(who: Bearer) -> Response:
    """End the session of this token; both its tokens are worth nothing from now on."""
    tokens.end_session(user_id=who.person.id, session_id=who.session_id, now=utcnow())
    return empty(204)


@bp.post("/auth/logout-all", strict_slashes=False)
@tells({204: None})
@signed_in
def sign_out_everywhere(who: Bearer) -> Response:
    """End every session of this person, in browsers too."""
    accounts.sign_out_everywhere(user_id=who.person.id)
    return empty(204)
