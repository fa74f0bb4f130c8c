"""Sign in with Kakao, link it to an account, take it away, and hear what Kakao says."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.accounts import Nickname, nickname
from app.domain.errors import NotFound
from app.domain.identities import (
    AccountEvent,
    AlreadyLinked,
    Change,
    IdentityTaken,
    KakaoUnavailable,
    LastWayIn,
    Profile,
    Proof,
    Provider,
)
from app.extensions import db
from app.kakao.base import IdentityProvider
from app.models import Identity, User
from app.services import pictures
from app.services.accounts import add_user

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Who came in; `suggested` is the name Kakao gave, for people who are new."""

    user_id: int
    epoch: int
    is_new: bool
    suggested: str | None


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How a person can sign in; `kakao_since` is None where Kakao isn't linked."""

    has_password: bool
    kakao_since: datetime | None


def enter(*, kakao: IdentityProvider, proof: Proof, now: datetime) -> Entry:
    """Let in whom the proof names: the person with this Kakao account, or a new one.

    A new person has the welcome points and the free nickname `user<id>`. Raises KakaoUnavailable or
    KakaoRefused, and then nothing has changed.
    """
    profile = kakao.prove(proof, now=now)
    try:
        entry = _known_or_new(profile, now)
    except IntegrityError:
        # The same person came through two doors at once, and the other was first.
        entry = _known_or_new(profile, now)
    pictures.follow(kakao=kakao, user_id=entry.user_id, profile=profile, now=now)
    return entry


def link(*, kakao: IdentityProvider, user_id: int, proof: Proof, now: datetime) -> None:
    """Give a person Kakao as another way in; the same one twice is harmless.

    Raises IdentityTaken, AlreadyLinked, NotFound, and what a proof can raise.
    """
    profile = kakao.prove(proof, now=now)
    try:
        with transaction() as session:
            _link(session, user_id, profile, now)
    except IntegrityError as error:
        raise IdentityTaken from error
    pictures.follow(kakao=kakao, user_id=user_id, profile=profile, now=now)


def unlink(*, kakao: IdentityProvider, user_id: int) -> None:
    """Take Kakao away as a way in; raises LastWayIn where there is no password, NotFound."""
    with transaction() as session:
        found = _of_person(session, user_id)
        if found is None:
            raise NotFound
        if not _has_password(session, user_id):
            raise LastWayIn
        subject = found.subject
        pictures.drop(session, user_id)
        session.delete(found)
    say_goodbye(kakao=kakao, subject=subject)


def ways_in(*, user_id: int) -> WaysIn:
    """How this person can sign in."""
    found = _of_person(db.session(), user_id)
    linked = found is not None and found.unlinked_at is None
    return WaysIn(
        has_password=_has_password(db.session(), user_id),
        kakao_since=found.linked_at if found is not None and linked else None,
    )


def hear(*, event: AccountEvent, now: datetime) -> bool:
    """Do what a message about an account asks for; returns whether anything changed.

    Disconnected: the link is gone and every session ends; a person without a password keeps it
    in sleep, so that signing in with Kakao again wakes the same account. Unsafe: every session
    ends. What happened before the link was made, or to nobody here, changes nothing.
    """
    if event.change is None:
        return False
    with transaction() as session:
        found = _by_subject(session, event.subject)
        if found is None or found.unlinked_at or _is_older(event, found):
            return False
        if event.change is Change.UNLINKED:
            _put_to_sleep(session, found, now)
        _end_sessions(session, found.user_id)
    return True


def say_goodbye(*, kakao: IdentityProvider, subject: str) -> None:
    """Tell Kakao that the person left; what is done here stands, whether Kakao listens or not."""
    try:
        kakao.unlink(subject)
    except KakaoUnavailable:
        log.warning("kakao_unlink not told: the account is still listed at Kakao")


def _known_or_new(profile: Profile, now: datetime) -> Entry:
    with transaction() as session:
        found = _by_subject(session, profile.subject)
        if found is None:
            user = add_nameless(session, now)
            session.add(_identity(user.id, profile, now))
        else:
            if found.unlinked_at is not None:
                found.linked_at, found.unlinked_at = now, None
            found.last_used_at = now
            user = session.get_one(User, found.user_id)
        return Entry(user.id, user.session_epoch, found is None, profile.nickname)


def add_nameless(session: Session, now: datetime) -> User:
    """Somebody new without a password, with the welcome points and the free nickname `user<id>`."""
    # The name needs the number that the row gets; no living nickname begins with a blank.
    user = add_user(session, Nickname("", f" {secrets.token_hex(8)}"), None, now)
    name = _free_name(session, user.id)
    user.nickname, user.nickname_key = name.shown, name.key
    return user


def _free_name(session: Session, user_id: int) -> Nickname:
    """`user<id>`, or where somebody took that, the first free `user<id>-<n>`."""
    for number in count(1):
        name = nickname(f"user{user_id}" if number == 1 else f"user{user_id}-{number}")
        if session.scalar(select(User.id).where(User.nickname_key == name.key)) is None:
            return name
    raise AssertionError("numbers don't end")


def _link(session: Session, user_id: int, profile: Profile, now: datetime) -> None:
    owner, mine = _by_subject(session, profile.subject), _of_person(session, user_id)
    if owner is not None and owner.user_id != user_id:
        raise IdentityTaken
    if mine is not None and mine.subject != profile.subject:
        raise AlreadyLinked
    if session.scalar(select(User.id).where(User.id == user_id)) is None:
        raise NotFound
    if mine is None:
        session.add(_identity(user_id, profile, now))


def _identity(user_id: int, profile: Profile, now: datetime) -> Identity:
    return Identity(
        user_id=user_id,
        provider=Provider.KAKAO,
        subject=profile.subject,
        linked_at=now,
        last_used_at=now,
    )


def _is_older(event: AccountEvent, found: Identity) -> bool:
    """Whether it happened before the link was made; Kakao counts in whole seconds."""
    return event.at < found.linked_at.replace(microsecond=0)


def _put_to_sleep(session: Session, found: Identity, now: datetime) -> None:
    pictures.drop(session, found.user_id)
    if _has_password(session, found.user_id):
        session.execute(delete(Identity).where(Identity.id == found.id))
    else:
        found.unlinked_at = now


def _end_sessions(session: Session, user_id: int) -> None:
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(session_epoch=User.session_epoch + 1)
        .execution_options(synchronize_session=False)
    )


def _by_subject(session: Session, subject: str) -> Identity | None:
    return session.scalar(
        select(Identity).where(Identity.provider == Provider.KAKAO, Identity.subject == subject)
    )


def _of_person(session: Session, user_id: int) -> Identity | None:
    return session.scalar(
        select(Identity).where(Identity.provider == Provider.KAKAO, Identity.user_id == user_id)
    )


def _has_password(session: Session, user_id: int) -> bool:
    return bool(
        session.scalar(select(User.id).where(User.id == user_id, User.password_hash.is_not(None)))
    )
