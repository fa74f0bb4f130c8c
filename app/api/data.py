"""What we hold of a person, for that person's client: take it along, leave."""

from flask import Response, stream_with_context

from app.api.body import Body, Fields, Text, takes
from app.api.room import caller, room, signed_in
from app.api.tokens import SIGN_IN_LIMIT
from app.api.told import tells
from app.api.wire import empty
from app.clock import utcnow
from app.extensions import limiter
from app.services import export, leaving
from app.services.tokens import Bearer
from app.wiring import kakao_or_none

bp = room("data")

EXPORT_LIMIT = "10/minute;60/hour"
#: Two of the lists, to show how all of them look.
_TAKEN = {
    "made_at": "2026-11-20T05:04:00Z",
    "account": [{"id": 7, "nickname": "neo", "points": 240, "created_at": "2026-11-02T09:30:00Z"}],
    "ledger": [{"id": 31, "created_at": "2026-11-20T05:04:00Z", "reason": "stake", "amount": -10}],
}


class Farewell(Body):
    """The password or, for people who sign in without one, the nickname."""

    confirmation = Text(required=True)


@bp.get("/user/export", strict_slashes=False)
@tells({200: dict}, example=_TAKEN)
@limiter.limit(EXPORT_LIMIT, key_func=caller)
@signed_in
def take_along(who: Bearer) -> Response:
    """Everything we hold of oneself, list by list, as one object."""
    pieces = export.as_json(user_id=who.person.id, now=utcnow())
    response = Response(stream_with_context(pieces), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/user/leave", strict_slashes=False)
@tells(
    {204: None},
    codes={"old_password_wrong": 400, "confirmation_not_nickname": 400},
)
@limiter.limit(SIGN_IN_LIMIT, key_func=caller)
@signed_in
@takes(Farewell)
def leave(body: Fields, who: Bearer) -> Response:
    """Delete the account for good.

    What names the person goes; votes, answers and the ledger stay under a number that names nobody.
    """
    leaving.leave(
        user_id=who.person.id,
        confirmation=body["confirmation"],
        kakao=kakao_or_none(),
        now=utcnow(),
    )
    return empty(204)
