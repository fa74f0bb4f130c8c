"""Sign up, sign in, and change what belongs to oneself."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.accounts import (
    Nickname,
    NicknameTaken,
    WrongCredentials,
    check_password,
    nickname,
)
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.points import WELCOME_POINTS, Reason, accuracy_pct
from app.extensions import db
from app.models import LedgerEntry, User
from app.services.passwords import common_passwords

_hasher = PasswordHasher()
#: Hash of a random text that was thrown away. It is checked when nobody has the nickname, so that
#: the answer takes as long as for a real person.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$dRqQQ9Rtn"
    "HITzFIfd/An6A$WNcxO9H7IoNihn1zfmicf4t8qQdrY0RZor0h/18CQ7Q"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, as every page needs it: read as plain columns, once per request."""

    id: int
    nickname: str
    is_staff: bool
    points: int
    right_count: int
    settled_count: int
    session_epoch: int
    created_at: datetime
    picture: str | None
    language: str | None
    theme: str | None

    @property
    def accuracy_pct(self) -> Decimal:
        """Right answers among settled ones in percent, cut to two decimals."""
        return accuracy_pct(right=self.right_count, settled=self.settled_count)


_HERE = User.deleted_at.is_(None)
#: What `Person` is read from, in its order.
PERSON_COLUMNS = (
    User.id,
    User.nickname,
    User.is_staff,
    User.points,
    User.right_count,
    User.settled_count,
    User.session_epoch,
    User.created_at,
    User.picture,
    User.language,
    User.theme,
)


def get_person(*, user_id: int) -> Person:
    """The person with this id as plain figures, or raise NotFound."""
    row = db.session.execute(select(*PERSON_COLUMNS).where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return Person(*row)


def hash_password(password: str) -> str:
    """The argon2id hash that is stored instead of a password."""
    return _hasher.hash(password)


def sign_up(*, name: str, password: str | None, now: datetime) -> User:
    """Make a person with the welcome points, or raise InvalidInput or NicknameTaken.

    Without a password there is no way in by password.
    """
    cleaned = nickname(name)
    _refuse_taken(cleaned)
    password_hash = None if password is None else _checked_hash(password, cleaned)
    with transaction() as session:
        return add_user(session, cleaned, password_hash, now)


def check_credentials(*, name: str, password: str) -> User:
    """The person with this nickname and password, or raise WrongCredentials."""
    user = _find(name)
    try:
        _hasher.verify(user.password_hash if user and user.password_hash else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError) as error:
        raise WrongCredentials from error
    if user is None or user.password_hash is None:
        raise WrongCredentials
    return user


def rename(*, user_id: int, name: str) -> str:
    """Give a person another nickname, or raise InvalidInput or NicknameTaken. Returns it."""
    cleaned = nickname(name)
    try:
        with transaction() as session:
            user = _loaded(session, user_id)
            user.nickname, user.nickname_key = cleaned.shown, cleaned.key
    except IntegrityError as error:
        raise NicknameTaken from error
    return cleaned.shown


def is_nickname_free(*, name: str, user_id: int) -> bool:
    """Whether this person may have the nickname; one's own is free. Raises InvalidInput."""
    owner = db.session.scalar(select(User.id).where(User.nickname_key == nickname(name).key))
    return owner in (None, user_id)


def change_password(*, user_id: int, old: str, new: str) -> User:
    """Set a new password and sign out every other session.

    Raises InvalidInput when the old password is wrong or the new one isn't good enough.
    """
    user = get_user(user_id)
    if user is None:
        raise NotFound
    cleaned = Nickname(user.nickname, user.nickname_key)
    try:
        check_credentials(name=user.nickname, password=old)
    except WrongCredentials as error:
        raise InvalidInput("old_password", "old_password_wrong") from error
    password_hash = _checked_hash(new, cleaned)
    with transaction() as session:
        user = _loaded(session, user_id)
        user.password_hash = password_hash
        user.session_epoch += 1
    return user


def set_first_password(*, user_id: int, new: str) -> None:
    """Give a person who has none a password; raises InvalidInput, Conflict where there is one."""
    user = get_user(user_id)
    if user is None:
        raise NotFound
    cleaned = Nickname(user.nickname, user.nickname_key)
    password_hash = _checked_hash(new, cleaned)
    first = update(User).where(User.id == user_id, User.password_hash.is_(None))
    with transaction() as session:
        done = session.execute(first.values(password_hash=password_hash))
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict("password_exists")


def sign_out_everywhere(*, user_id: int) -> None:
    """End every session of this person, the one that asks included."""
    with transaction() as session:
        session.execute(
            update(User)
            .where(User.id == user_id)
            .values(session_epoch=User.session_epoch + 1)
            .execution_options(synchronize_session=False)
        )


def set_staff(*, name: str, is_staff: bool) -> User:
    """Make a person staff, or no longer; twice is harmless. Raises NotFound."""
    user = _find(name)
    if user is None:
        raise NotFound(nickname=name)
    user_id = user.id
    with transaction() as session:
        session.execute(update(User).where(User.id == user_id).values(is_staff=is_staff))
    return _loaded(db.session(), user_id)


def get_user(user_id: int) -> User | None:
    """The person with this id, or None."""
    return db.session.get(User, user_id)


def find_user(name: str) -> User | None:
    """The person with this nickname, or None."""
    return _find(name)


def list_users(*, limit: int = 1000) -> list[User]:
    """People by id, for the operator; those who left aren't people any more."""
    return list(db.session.scalars(select(User).where(_HERE).order_by(User.id).limit(limit)))


def count_users() -> int:
    """How many people there are, without those who left."""
    return db.session.scalar(select(func.count()).select_from(User).where(_HERE)) or 0


def _checked_hash(password: str, name: Nickname) -> str:
    return hash_password(check_password(password, name, common_passwords()))


def _find(name: str) -> User | None:
    try:
        key = nickname(name).key
    except InvalidInput:
        return None
    return db.session.scalar(select(User).where(User.nickname_key == key))


def _refuse_taken(cleaned: Nickname) -> None:
    """Say so before the costly hash; the unique constraint stays the last word."""
    if db.session.scalar(select(User.id).where(User.nickname_key == cleaned.key)):
        raise NicknameTaken


def add_user(session: Session, cleaned: Nickname, password_hash: str | None, now: datetime) -> User:
    user = User(
        nickname=cleaned.shown,
        nickname_key=cleaned.key,
        password_hash=password_hash,
        points=WELCOME_POINTS,
        created_at=now,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise NicknameTaken from error
    session.add(
        LedgerEntry(user_id=user.id, reason=Reason.WELCOME, amount=WELCOME_POINTS, created_at=now)
    )
    return user


def _loaded(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound
    return user
