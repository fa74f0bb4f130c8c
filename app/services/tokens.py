"""Tokens for clients: issue a pair, refresh it once, tell who bears one, end sessions."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from app.db import Prepared, RememberedEach, read_one, table_of, transaction
from app.domain.accounts import BadToken
from app.domain.errors import NotFound
from app.extensions import db
from app.models import ClientSession, User
from app.services.accounts import PERSON_COLUMNS, Person

ACCESS_FOR = timedelta(days=1)
REFRESH_FOR = timedelta(days=7)
MAX_DEVICE = 120
#: Ours have some 300; what is longer is refused unread.
MAX_TOKEN = 2_000
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets: the token it shows, and the one it gets the next pair with, once."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows an access token, and which of the person's sessions it belongs to."""

    person: Person
    session_id: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A live session as its owner sees it.

    `last_seen_at` is the latest sign-in or refresh, and of a browser the latest page, give or take
    five minutes.
    """

    id: int
    device: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_web: bool


@dataclass(frozen=True, slots=True)
class _Claims:
    user_id: int
    session_id: int
    token_id: str
    epoch: int


def issue(*, user_id: int, device: str, key: bytes, now: datetime) -> Tokens:
    """Sign a person in on a device: a session of its own and its first pair of tokens.

    `device` is what the client calls itself (its User-Agent), cut to 120 characters. Raises
    NotFound where there is no such person.
    """
    token_id = _new_id()
    with transaction() as session:
        epoch = session.scalar(select(User.session_epoch).where(User.id == user_id))
        if epoch is None:
            raise NotFound
        row = ClientSession(
            user_id=user_id,
            epoch=epoch,
            device=device_line(device),
            refresh_id=token_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + REFRESH_FOR,
        )
        session.add(row)
        session.flush()
        session_id = row.id
    return _pair(_Claims(user_id, session_id, token_id, epoch), key, now)


def refresh(*, token: str, key: bytes, now: datetime) -> Tokens:
    """The next pair for a refresh token, which is spent by that; or raise BadToken.

    A spent one that is shown again was copied by somebody: its whole session ends, and both the
    thief and the person must sign in anew. Of two at once exactly one gets a pair.
    """
    claims = _read(token, "refresh", key, now)
    new = _Claims(claims.user_id, claims.session_id, _new_id(), claims.epoch)
    with transaction() as session:
        rotated = _rotate(session, claims, new.token_id, now)
        if not rotated:
            _revoke(session, ClientSession.id == claims.session_id, now)
    if not rotated:
        raise BadToken
    return _pair(new, key, now)


def authenticate(*, token: str, key: bytes, now: datetime) -> Bearer:
    """Who bears this access token, or raise BadToken.

    The signature, the kind, the time, the session and the person's epoch must all be right. A
    session that was ended through this process is over at once, through another within a second.
    """
    claims = _read(token, "access", key, now)
    bearer = _bearers.get((claims.user_id, claims.epoch, claims.session_id), now)
    if bearer is None:
        raise BadToken
    return bearer


def list_sessions(*, user_id: int, now: datetime) -> list[SessionRow]:
    """The person's live sessions on clients and in browsers, the one seen last first."""
    rows = db.session.execute(
        select(
            ClientSession.id,
            ClientSession.device,
            ClientSession.created_at,
            ClientSession.last_seen_at,
            ClientSession.expires_at,
            ClientSession.is_web,
        )
        .join(User, User.id == ClientSession.user_id)
        .where(
            ClientSession.user_id == user_id,
            ClientSession.epoch == User.session_epoch,
            ClientSession.revoked_at.is_(None),
            ClientSession.expires_at > now,
        )
        .order_by(ClientSession.last_seen_at.desc(), ClientSession.id.desc())
    )
    return [SessionRow(*row) for row in rows]


def end_session(*, user_id: int, session_id: int, now: datetime) -> None:
    """End one session of this person, or raise NotFound; a session of somebody else isn't there.

    Ending one twice is NotFound the second time.
    """
    own = (ClientSession.id == session_id) & (ClientSession.user_id == user_id)
    with transaction() as session:
        if not _revoke(session, own, now):
            raise NotFound


def forget_dead_sessions(*, now: datetime) -> int:
    """Drop sessions whose last token ran out; returns how many."""
    dead = delete(ClientSession).where(ClientSession.expires_at < now - ACCESS_FOR)
    with transaction() as session:
        return int(session.execute(dead).rowcount)  # type: ignore[attr-defined]


def _read_bearer(ids: tuple[int, int, int], _now: datetime) -> Bearer | None:
    user_id, epoch, session_id = ids
    row = read_one(_BEARER, {"user_id": user_id, "epoch": epoch, "session_id": session_id})
    return None if row is None else Bearer(Person(*row), session_id)


_users, _sessions = table_of(User), table_of(ClientSession)
# Each deed of a client asks it anew.
_BEARER = Prepared(
    select(*(_users.c[column.key] for column in PERSON_COLUMNS))
    .join(_sessions, _sessions.c.user_id == _users.c.id)
    .where(
        _users.c.id == bindparam("user_id"),
        _users.c.session_epoch == bindparam("epoch"),
        _sessions.c.id == bindparam("session_id"),
        _sessions.c.revoked_at.is_(None),
    )
)
_bearers = RememberedEach(_read_bearer, timedelta(seconds=1))


def _rotate(session: Session, spent: _Claims, token_id: str, now: datetime) -> bool:
    """Compare-and-set: only the session's present refresh token, of a person still signed in."""
    kept = session.execute(
        select(ClientSession.refresh_id, User.session_epoch)
        .join(User, User.id == ClientSession.user_id)
        .where(
            ClientSession.id == spent.session_id,
            ClientSession.user_id == spent.user_id,
            ClientSession.revoked_at.is_(None),
        )
    ).one_or_none()
    if kept is None or kept.session_epoch != spent.epoch:
        return False
    if not hmac.compare_digest(kept.refresh_id, spent.token_id):
        return False
    moved = session.execute(
        update(ClientSession)
        .where(
            ClientSession.id == spent.session_id,
            ClientSession.refresh_id == spent.token_id,
            ClientSession.revoked_at.is_(None),
        )
        .values(refresh_id=token_id, last_seen_at=now, expires_at=now + REFRESH_FOR)
        .execution_options(synchronize_session=False)
    )
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def _revoke(session: Session, which: Any, now: datetime) -> bool:
    ended = session.execute(
        update(ClientSession)
        .where(which, ClientSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]


def _pair(claims: _Claims, key: bytes, now: datetime) -> Tokens:
    return Tokens(
        access=_signed("access", claims, _new_id(), now + ACCESS_FOR, key, now),
        refresh=_signed("refresh", claims, claims.token_id, now + REFRESH_FOR, key, now),
    )


def _signed(
    kind: str, claims: _Claims, token_id: str, until: datetime, key: bytes, now: datetime
) -> str:
    body = {
        "sub": str(claims.user_id),
        "type": kind,
        "sid": claims.session_id,
        "epoch": claims.epoch,
        "jti": token_id,
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
    }
    return jwt.encode({"alg": _ALGORITHM}, body, _oct(key))


def _read(token: str, kind: str, key: bytes, now: datetime) -> _Claims:
    """The claims of a token that we signed, of this kind, whose time isn't over."""
    if len(token) > MAX_TOKEN:
        raise BadToken
    try:
        claims = _signed_claims(token, key)
        if claims["type"] != kind or now.timestamp() >= claims["exp"]:
            raise BadToken
        return _Claims(int(claims["sub"]), claims["sid"], claims["jti"], claims["epoch"])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken from error


@lru_cache(maxsize=2000)
def _signed_claims(token: str, key: bytes) -> Mapping[str, Any]:
    """What we signed; a client shows the same token again and again. Failures aren't kept."""
    return jwt.decode(token, _oct(key), algorithms=[_ALGORITHM]).claims


@lru_cache(maxsize=4)
def _oct(key: bytes) -> OctKey:
    return OctKey.import_key(key)


def _new_id() -> str:
    return secrets.token_hex(16)


def device_line(text: str) -> str:
    """What the client calls itself, on one line."""
    return " ".join(text.split())[:MAX_DEVICE]
