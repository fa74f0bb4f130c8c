"""Sign-ins that were begun with Kakao and not ended: what binds the way back to this browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from authlib.common.security import generate_token
from flask import session

_PLACE = "kakao"
_GOOD_FOR = timedelta(minutes=10)
#: Several tabs may be on their way; the cookie has room for a few.
_AT_MOST = 4
_LONGEST_NEXT = 200


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a sign-in was begun with; `user_id` says whom Kakao is to be linked to, if anybody."""

    state: str
    nonce: str
    verifier: str
    wanted: str
    user_id: int | None


def begin(*, wanted: str, user_id: int | None, now: datetime) -> Handshake:
    """A new one, kept in the session cookie under its own state; `wanted` is where one goes on."""
    state, nonce, verifier = (generate_token(48) for _ in range(3))
    wanted = wanted if len(wanted) <= _LONGEST_NEXT else "/"
    pending = dict(session.get(_PLACE, {}))
    pending[state] = [nonce, verifier, wanted, user_id, int(now.timestamp())]
    session[_PLACE] = dict(list(pending.items())[-_AT_MOST:])
    return Handshake(state, nonce, verifier, wanted, user_id)


def take(state: str, *, now: datetime) -> Handshake | None:
    """The one with this state, once; None when it wasn't begun here or more than 10 minutes ago."""
    pending = dict(session.get(_PLACE, {}))
    found = pending.pop(state, None)
    session[_PLACE] = pending
    if found is None:
        return None
    *rest, began = found
    if now.timestamp() - began > _GOOD_FOR.total_seconds():
        return None
    return Handshake(state, *rest)
