"""The ways into one's account over JSON: which there are, and another one beside the first."""

from typing import TypedDict

from flask import Response

from app.api.body import Body, Fields, Text, takes
from app.api.kakao import PROOF_CODES, SdkTokens, code_proof, refused, sdk_proof
from app.api.room import caller, room, signed_in
from app.api.tokens import PASSWORD_CODES, SIGN_IN_LIMIT
from app.api.told import tells
from app.api.wire import answer, cached, empty, utc_text
from app.clock import utcnow
from app.domain.identities import KakaoRefused
from app.extensions import limiter
from app.services import accounts, identities
from app.services.tokens import Bearer
from app.wiring import kakao

bp = room("ways")
bp.register_error_handler(KakaoRefused, refused)
_LINK_CODES = PROOF_CODES | {
    "kakao_redirect_unknown": 400,
    "kakao_taken": 409,
    "kakao_already_linked": 409,
}


class FirstPassword(Body):
    """A password of 8 to 128 characters for somebody who has none."""

    password = Text(required=True, metadata={"examples": ["a long password"]})


class LinkProof(SdkTokens):
    """What proves a Kakao account: a token of its SDK, or a code with the address it was sent to.

    A code is preferred to an id token, and that to an access token.
    """

    code = Text()
    redirect_uri = Text()


class WaysInOut(TypedDict):
    """How this person can sign in; `kakao_since` is null where Kakao isn't linked."""

    has_password: bool
    kakao_since: str | None


@bp.get("/user/ways-in", strict_slashes=False)
@tells({200: WaysInOut})
@signed_in
def ways_in(who: Bearer) -> Response:
    """How one can sign in to this account."""
    return cached(_ways(who))


@bp.post("/user/first-password", strict_slashes=False)
@tells({204: None}, codes=PASSWORD_CODES | {"password_exists": 409})
@limiter.limit(SIGN_IN_LIMIT, key_func=caller)
@signed_in
@takes(FirstPassword)
def set_first_password(body: Fields, who: Bearer) -> Response:
    """Give an account that knows Kakao alone a password, as another way in."""
    accounts.set_first_password(user_id=who.person.id, new=body["password"])
    return empty(204)


@bp.post("/user/kakao", strict_slashes=False)
@tells({200: WaysInOut}, codes=_LINK_CODES)
@limiter.limit(SIGN_IN_LIMIT, key_func=caller)
@signed_in
@takes(LinkProof)
def link(body: Fields, who: Bearer) -> Response:
    """Link a Kakao account, to sign in by it too. The same one twice is harmless."""
    proof = code_proof(body) if "code" in body else sdk_proof(body)
    identities.link(kakao=kakao(), user_id=who.person.id, proof=proof, now=utcnow())
    return answer(_ways(who))


@bp.delete("/user/kakao", strict_slashes=False)
@tells({204: None}, codes={"not_found": 404, "last_way_in": 409})
@signed_in
def unlink(who: Bearer) -> Response:
    """Take Kakao away as a way in. The last one stays: who has no password is refused."""
    identities.unlink(kakao=kakao(), user_id=who.person.id)
    return empty(204)


def _ways(who: Bearer) -> WaysInOut:
    found = identities.ways_in(user_id=who.person.id)
    return {"has_password": found.has_password, "kakao_since": utc_text(found.kakao_since)}
