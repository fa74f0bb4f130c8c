"""Browsers that are signed in: a row for each, so that its owner can see it and end it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, null, select, update
from sqlalchemy.exc import OperationalError

from app.db import Prepared, RememberedEach, read_one, table_of, transaction
from app.models import ClientSession, User
from app.services.accounts import PERSON_COLUMNS, Person
from app.services.tokens import device_line

log = logging.getLogger(__name__)

#: A day longer than the cookie of "remember me".
GOOD_FOR = timedelta(days=31)
#: When a browser was last seen is known no better than that.
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Browser:
    """Who is signed in, and when this browser was seen; cookies of older versions name no row."""

    person: Person
    session_id: int | None
    last_seen_at: datetime | None


_users, _sessions = table_of(User), table_of(ClientSession)
_PERSON = [_users.c[column.key] for column in PERSON_COLUMNS]
_IS_CURRENT = (_users.c.id == bindparam("user_id")) & (_users.c.session_epoch == bindparam("epoch"))
# Every page of a signed-in person asks this.
_BY_EPOCH = Prepared(select(*_PERSON, null()).where(_IS_CURRENT))
_BY_SESSION = Prepared(
    select(*_PERSON, _sessions.c.last_seen_at)
    .join(_sessions, _sessions.c.user_id == _users.c.id)
    .where(
        _IS_CURRENT,
        _sessions.c.id == bindparam("session_id"),
        _sessions.c.is_web,
        _sessions.c.revoked_at.is_(None),
    )
)


def find(
    *, user_id: int, epoch: int, session_id: int | None = None, now: datetime
) -> Browser | None:
    """The person behind a cookie, or None once the person, the epoch or the session is gone.

    What was ended through this process is over at once, through another within a second. Without a
    session the epoch decides alone.
    """
    return _browsers.get((user_id, epoch, session_id), now)


def begin(*, user_id: int, epoch: int, device: str, now: datetime) -> int:
    """Note that a browser signs in; returns the number of the session, which its cookie holds.

    `device` is what the browser calls itself (its User-Agent), cut to 120 characters.
    """
    row = ClientSession(
        user_id=user_id,
        epoch=epoch,
        device=device_line(device),
        refresh_id="",
        created_at=now,
        last_seen_at=now,
        expires_at=now + GOOD_FOR,
        is_web=True,
    )
    with transaction() as session:
        session.add(row)
        session.flush()
        return row.id


def note_seen(browser: Browser, *, now: datetime) -> None:
    """Move the time when a browser was last seen, at most once in five minutes.

    A database that is busy for long is no reason to fail: another page will tell.
    """
    if browser.last_seen_at is None or now - browser.last_seen_at < SEEN_EVERY:
        return
    moved = (
        update(ClientSession)
        .where(
            ClientSession.id == browser.session_id,
            ClientSession.last_seen_at <= now - SEEN_EVERY,
        )
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )
    try:
        with transaction() as session:
            session.execute(moved)
    except OperationalError:
        log.warning("last_seen_at of session %s not moved", browser.session_id)


def end(*, user_id: int, session_id: int, now: datetime) -> None:
    """End a browser's session; one that is over, or somebody else's, stays as it is."""
    with transaction() as session:
        session.execute(
            update(ClientSession)
            .where(
                ClientSession.id == session_id,
                ClientSession.user_id == user_id,
                ClientSession.revoked_at.is_(None),
            )
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )


def _read(ids: tuple[int, int, int | None], _now: datetime) -> Browser | None:
    user_id, epoch, session_id = ids
    wanted = _BY_EPOCH if session_id is None else _BY_SESSION
    given = {"user_id": user_id, "epoch": epoch, "session_id": session_id}
    row = read_one(wanted, given)
    return None if row is None else Browser(Person(*row[:-1]), session_id, row[-1])


_browsers = RememberedEach(_read, timedelta(seconds=1))
