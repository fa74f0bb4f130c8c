"""Browsers that are signed in: a row for each, so that its owner can see it and end it."""

from datetime import datetime, timedelta

from sqlalchemy import update

from app.db import transaction
from app.models import ClientSession
from app.services.tokens import device_line

#: A day longer than the cookie of "remember me".
GOOD_FOR = timedelta(days=31)


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
