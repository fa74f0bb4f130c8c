"""Leave for good: what names a person goes, what the books need stays."""

import secrets
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.accounts import Nickname, WrongCredentials, nickname
from app.domain.errors import InvalidInput, NotFound
from app.domain.runs import BotState
from app.kakao.base import IdentityProvider
from app.models import (
    Backtest,
    Bot,
    ClientSession,
    Favourite,
    Identity,
    KeptAnswer,
    LinkedAccount,
    User,
)
from app.services import pictures
from app.services.accounts import check_credentials, get_user
from app.services.exchanges import forget_account
from app.services.identities import say_goodbye

#: Who left has no name; the key begins with a blank, as no living nickname's does.
NOBODY = ""


def leave(
    *, user_id: int, confirmation: str, kakao: IdentityProvider | None, now: datetime
) -> None:
    """Delete an account: nickname, password, Kakao, picture, sessions, favourites, rights,
    exchange keys are gone, and bots begin nothing more.

    Entries, answers and votes stay under a number that names nobody, so that ledger, balances and
    counters keep agreeing and what is open still settles. The nickname is free at once.
    `confirmation` is the password or, for people who have none, the nickname; a wrong one raises
    InvalidInput and nothing happens. Raises NotFound for who isn't there (any more).
    """
    user = get_user(user_id)
    if user is None or user.deleted_at is not None:
        raise NotFound
    _confirm(user, confirmation)
    with transaction() as session:
        subjects = _forget(session, user_id, now)
    for subject in subjects:
        if kakao is not None:
            say_goodbye(kakao=kakao, subject=subject)


def _confirm(user: User, confirmation: str) -> None:
    if user.password_hash is None:
        if _key(confirmation) != user.nickname_key:
            raise InvalidInput("confirmation", "confirmation_not_nickname")
        return
    try:
        check_credentials(name=user.nickname, password=confirmation)
    except WrongCredentials as error:
        raise InvalidInput("confirmation", "old_password_wrong") from error


def _key(text: str) -> str | None:
    try:
        return nickname(text).key
    except InvalidInput:
        return None


def _forget(session: Session, user_id: int, now: datetime) -> list[str]:
    """Compare-and-set; returns the numbers by which providers know the person."""
    nobody = Nickname(NOBODY, f" {secrets.token_hex(16)}")
    gone = session.execute(
        update(User)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .values(
            nickname=nobody.shown,
            nickname_key=nobody.key,
            password_hash=None,
            is_staff=False,
            language=None,
            theme=None,
            session_epoch=User.session_epoch + 1,
            deleted_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound
    subjects = list(session.scalars(select(Identity.subject).where(Identity.user_id == user_id)))
    pictures.drop(session, user_id)
    session.execute(
        update(Bot)
        .where(Bot.user_id == user_id, Bot.state == BotState.RUNNING)
        .values(state=BotState.STOPPING, updated_at=now)
    )
    linked = select(LinkedAccount).where(LinkedAccount.user_id == user_id)
    for account in session.scalars(linked):
        forget_account(session, account, now)
    for table in (Identity, ClientSession, KeptAnswer, Favourite, Backtest):
        session.execute(delete(table).where(table.user_id == user_id))
    return subjects
