"""Signing in with Kakao over JSON: the contract's exchange of a code, and the tokens of its SDK."""

from flask import Response

from app.api.body import Body, Fields, Text, takes
from app.api.errors import InvalidBody, refusal
from app.api.room import room
from app.api.tokens import SIGN_IN_LIMIT, SignedIn, sign_in
from app.api.told import tells
from app.clock import utcnow
from app.domain.errors import InvalidInput
from app.domain.identities import (
    AccessTokenProof,
    CodeProof,
    IdTokenProof,
    KakaoRefused,
    Proof,
)
from app.extensions import limiter
from app.services import identities
from app.wiring import is_kakao_redirect, kakao

bp = room("kakao")
_ANSWERS = {200: SignedIn, 201: SignedIn}
PROOF_CODES = {"kakao_refused": 400, "kakao_unavailable": 503, "not_found": 404}


class Code(Body):
    """A code that Kakao sent to one of our clients, and the address it was sent to."""

    code = Text(required=True)
    redirect_uri = Text(required=True)


class SdkTokens(Body):
    """What Kakao's SDK gave: an id token (with its nonce, where one was set), or an access token.

    The id token is preferred where both are sent.
    """

    id_token = Text()
    nonce = Text()
    access_token = Text()


@bp.before_request
def _only_with_kakao() -> None:
    kakao()  # NotFound, a 404, where this server offers no way in by it


@bp.errorhandler(KakaoRefused)
def refused(error: KakaoRefused) -> Response:
    """As any refusal, with the provider's own code beside it."""
    return refusal(error, error_code=str(error.params["reason"]))


@bp.post("/auth")
@tells(_ANSWERS, codes=PROOF_CODES | {"kakao_redirect_unknown": 400})
@limiter.limit(SIGN_IN_LIMIT)
@takes(Code)
def exchange(body: Fields) -> Response:
    """Sign in by a code: 201 for a new person, 200 for a known one."""
    return _entered(code_proof(body))


@bp.post("/auth/kakao", strict_slashes=False)
@tells(_ANSWERS, codes=PROOF_CODES)
@limiter.limit(SIGN_IN_LIMIT)
@takes(SdkTokens)
def by_sdk(body: Fields) -> Response:
    """Sign in by a token of Kakao's SDK: 201 for a new person, 200 for a known one."""
    return _entered(sdk_proof(body))


def code_proof(body: Fields) -> Proof:
    """A code as a proof; raises InvalidInput for an address that isn't on the operator's list."""
    if not is_kakao_redirect(body.get("redirect_uri", "")):
        raise InvalidInput("redirect_uri", "kakao_redirect_unknown")
    if not body["code"]:
        raise InvalidBody({"code": ["field_missing"]})
    return CodeProof(body["code"], body["redirect_uri"])


def sdk_proof(body: Fields) -> Proof:
    """A token of Kakao's SDK as a proof; raises InvalidBody where there is none."""
    if body.get("id_token"):
        return IdTokenProof(body["id_token"], body.get("nonce"))
    if body.get("access_token"):
        return AccessTokenProof(body["access_token"])
    raise InvalidBody({"id_token": ["field_missing"]})


def _entered(proof: Proof) -> Response:
    entry = identities.enter(kakao=kakao(), proof=proof, now=utcnow())
    return sign_in(entry.user_id, status=201 if entry.is_new else 200)
