"""People over JSON: oneself, the nickname, one's own votes, one's sessions."""

from typing import TypedDict

from flask import Response, request

from app.api.body import Body, Fields, Text, takes
from app.api.errors import refusal_in
from app.api.room import caller, room, signed_in
from app.api.shapes import UserOut, VoteOut, user_out, vote_out
from app.api.tokens import NICKNAME_CODES, PASSWORD_CODES, SIGN_IN_LIMIT, SignedIn, sign_in
from app.api.told import tells
from app.api.wire import answer, cached, empty, utc_text
from app.clock import utcnow
from app.domain.accounts import Language, NicknameTaken, Theme
from app.extensions import limiter
from app.services import accounts, points, preferences, tokens, votes
from app.services.tokens import Bearer, SessionRow

bp = room("accounts")
_STATES = {"ongoing": True, "finished": False}
_OWN_QUERY = {"state": {"type": "string", "enum": ["ongoing", "finished"]}}


class NewNickname(Body):
    """A nickname of 1 to 20 characters; nothing else of a person can be set."""

    nickname = Text(required=True, metadata={"examples": ["neo"]})


class Look(Body):
    """The language and the theme of one's pages; null takes a choice back, what is absent stays."""

    language = Text(allow_none=True, metadata={"enum": [*Language, None], "examples": ["en"]})
    theme = Text(allow_none=True, metadata={"enum": [*Theme, None], "examples": ["dark"]})


class NewPassword(Body):
    """The password until now and the next one."""

    old_password = Text(required=True)
    new_password = Text(required=True)


class OwnVotesOut(TypedDict):
    """One's own votes; both counters are those of the whole list, whatever is asked for."""

    ongoing_count: int
    finished_count: int
    votes: list[VoteOut]


class AccuracyOut(TypedDict):
    """How often the crowd is right, as a text with one decimal."""

    acc_percent: str


class SessionOut(TypedDict):
    """A client that is signed in as this person."""

    id: int
    device: str
    created_at: str | None
    last_seen_at: str | None
    expires_at: str | None
    is_current: bool


@bp.get("/user", strict_slashes=False)
@tells({200: UserOut})
@signed_in
def show(who: Bearer) -> Response:
    """Oneself."""
    return cached(user_out(who.person))


@bp.patch("/user", strict_slashes=False)
@tells({200: UserOut}, codes={"language_unknown": 400, "theme_unknown": 400})
@signed_in
@takes(Look)
def change_look(body: Fields, who: Bearer) -> Response:
    """Choose the language and the theme that one's pages have in every browser."""
    preferences.choose(user_id=who.person.id, chosen=body)
    return answer(user_out(accounts.get_person(user_id=who.person.id)))


@bp.post("/user/nickname/check", strict_slashes=False)
@tells(
    {200: None},
    codes=NICKNAME_CODES | {"nickname_taken": 409},
    beside={"nickname_taken": "nickname"},
)
@signed_in
@takes(NewNickname)
def check_nickname(body: Fields, who: Bearer) -> Response:
    """Whether a nickname is free; one's own is. 409 when taken, 400 when it can't be one."""
    if accounts.is_nickname_free(name=body["nickname"], user_id=who.person.id):
        return empty()
    return refusal_in("nickname", NicknameTaken(), 409)


@bp.patch("/user/nickname", strict_slashes=False)
@tells({200: None}, codes=NICKNAME_CODES | {"nickname_taken": 400})
@signed_in
@takes(NewNickname)
def rename(body: Fields, who: Bearer) -> Response:
    """Take another nickname."""
    accounts.rename(user_id=who.person.id, name=body["nickname"])
    return empty()


@bp.post("/user/password", strict_slashes=False)
@tells({200: SignedIn}, codes=PASSWORD_CODES | {"old_password_wrong": 400})
@limiter.limit(SIGN_IN_LIMIT, key_func=caller)
@signed_in
@takes(NewPassword)
def change_password(body: Fields, who: Bearer) -> Response:
    """Set a new password. Every session ends; the answer begins a new one for this client."""
    accounts.change_password(
        user_id=who.person.id, old=body["old_password"], new=body["new_password"]
    )
    return sign_in(who.person.id, status=200)


@bp.get("/user/created-votes", strict_slashes=False)
@tells({200: OwnVotesOut}, query=_OWN_QUERY)
@signed_in
def created_votes(who: Bearer) -> Response:
    """What this person asked. Here `state=finished` is everything that takes no answers."""
    return _own(who, created=True)


@bp.get("/user/participated-votes", strict_slashes=False)
@tells({200: OwnVotesOut}, query=_OWN_QUERY)
@signed_in
def participated_votes(who: Bearer) -> Response:
    """What this person answered. Here `state=finished` is everything that takes no answers."""
    return _own(who, created=False)


@bp.get("/user/sessions", strict_slashes=False)
@tells({200: list[SessionOut]})
@signed_in
def sessions(who: Bearer) -> Response:
    """The clients that are signed in as this person, the one seen last first."""
    rows = tokens.list_sessions(user_id=who.person.id, now=utcnow())
    return cached([_session(row, who.session_id) for row in rows])


@bp.delete("/user/sessions/<int:session_id>", strict_slashes=False)
@tells({204: None}, codes={"not_found": 404})
@signed_in
def end_session(who: Bearer, session_id: int) -> Response:
    """Sign one client out."""
    tokens.end_session(user_id=who.person.id, session_id=session_id, now=utcnow())
    return empty(204)


@bp.get("/acc-percent")
@tells({200: AccuracyOut})
@signed_in
def platform_accuracy(who: Bearer) -> Response:
    """How often the crowd was right, over all settled votes that somebody answered."""
    share: AccuracyOut = {"acc_percent": f"{points.platform_accuracy(now=utcnow()):.1f}"}
    return cached(share)


def _own(who: Bearer, *, created: bool) -> Response:
    found = votes.own_for_client(
        user_id=who.person.id,
        created=created,
        ongoing=_STATES.get(request.args.get("state", "")),
        now=utcnow(),
    )
    own: OwnVotesOut = {
        "ongoing_count": found.ongoing,
        "finished_count": found.finished,
        "votes": [vote_out(vote) for vote in found.votes],
    }
    return cached(own)


def _session(row: SessionRow, current: int) -> SessionOut:
    return {
        "id": row.id,
        "device": row.device,
        "created_at": utc_text(row.created_at),
        "last_seen_at": utc_text(row.last_seen_at),
        "expires_at": utc_text(row.expires_at),
        "is_current": row.id == current,
    }
