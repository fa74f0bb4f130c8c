"""People's pictures: fetched once from where they came, kept here, named by their content."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.identities import Profile
from app.extensions import db
from app.kakao.base import IdentityProvider
from app.models import Identity, Picture, User

#: How the content of each kind begins; what a server says about its kind isn't believed.
_KINDS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture as it is served."""

    content: bytes
    media_type: str


def follow(*, kakao: IdentityProvider, user_id: int, profile: Profile, now: datetime) -> None:
    """Let the kept picture be the one of the profile.

    A picture whose address is known isn't fetched again; one that can't be had, or is none, leaves
    things as they are, and the next sign-in tries again. A default picture is none of ours.
    """
    if profile.is_default_picture or profile.picture_url is None:
        with transaction() as session:
            drop(session, user_id)
        return
    if _known_url(user_id) == profile.picture_url:
        return
    content = kakao.picture(profile.picture_url)
    kind = content and media_type(content)
    if content and kind:
        with transaction() as session:
            _keep(session, user_id, content, kind, now)
            _remember_url(session, user_id, profile.picture_url)


def find(digest: str) -> Kept | None:
    """The picture of this name, or None."""
    row = db.session.execute(
        select(Picture.content, Picture.media_type).where(Picture.digest == digest).limit(1)
    ).one_or_none()
    return None if row is None else Kept(*row)


def media_type(content: bytes) -> str | None:
    """What kind of picture this is by its first bytes: PNG, JPEG, GIF, WebP, or None."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for kind, head in _KINDS.items() if content.startswith(head)), None)


def drop(session: Session, user_id: int) -> None:
    """Take the picture away, inside an open transaction; none is fine."""
    session.execute(delete(Picture).where(Picture.user_id == user_id))
    _name(session, user_id, None)
    _remember_url(session, user_id, None)


def _known_url(user_id: int) -> str | None:
    return db.session.scalar(select(Identity.picture_url).where(Identity.user_id == user_id))


def _keep(session: Session, user_id: int, content: bytes, kind: str, now: datetime) -> None:
    digest = hashlib.sha256(content).hexdigest()
    values = {"digest": digest, "media_type": kind, "content": content, "fetched_at": now}
    statement = upsert(table_of(Picture)).values(user_id=user_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
    _name(session, user_id, digest)


def _name(session: Session, user_id: int, digest: str | None) -> None:
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(picture=digest)
        .execution_options(synchronize_session=False)
    )


def _remember_url(session: Session, user_id: int, url: str | None) -> None:
    session.execute(
        update(Identity)
        .where(Identity.user_id == user_id)
        .values(picture_url=url)
        .execution_options(synchronize_session=False)
    )
