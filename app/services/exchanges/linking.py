"""Link an account at an exchange, look at its key again, let it go."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.exchanges import UNSETTLED, ExchangeName, KeyCheck, KeyProblem, Keys, KeyState
from app.domain.identities import LastWayIn
from app.domain.runs import BotMode
from app.exchanges.base import Broker, ExchangeError
from app.extensions import db
from app.models import Bot, Holding, Identity, LinkedAccount, Order, Position, User
from app.services.exchanges.sealing import SealBroken, Sealer

log = logging.getLogger(__name__)
MOST_LINKED = 5
#: Upbit's and Bithumb's keys are 32 to 64 letters and digits; others may come, blanks never do.
_KEY = re.compile(r"[!-~]{8,200}")
Dial = Callable[[ExchangeName, Keys], Broker]


class KeyRefused(Conflict):
    """The exchange doesn't take the key for what we need; `problem` says why."""

    def __init__(self, problem: KeyProblem, exchange: ExchangeName) -> None:
        self.problem = problem
        super().__init__(f"exchange_key_{problem}", exchange=exchange.value)


class KeyNotChecked(Conflict):
    """Nobody at the exchange could say whether the key is good: try again later."""

    def __init__(self, problem: KeyProblem, exchange: ExchangeName) -> None:
        self.problem = problem
        super().__init__(f"exchange_{problem}", exchange=exchange.value)


@dataclass(frozen=True, slots=True)
class Doors:
    """How to the exchanges: who opens sealed keys, and who makes a broker of them."""

    sealer: Sealer
    dial: Dial

    def broker(self, account: LinkedAccount) -> Broker:
        """The broker of a linked account; SealBroken where its keys can't be opened."""
        if account.sealed_keys is None:
            raise SealBroken
        return self.dial(account.exchange, self.sealer.open(account.sealed_keys))


@dataclass(frozen=True, slots=True)
class Proven:
    """Keys that their exchange has just called good.

    `renews` is the linked account of which they are new keys, where that is proven.
    """

    exchange: ExchangeName
    keys: Keys
    check: KeyCheck
    renews: int | None = None


def typed_keys(*, access: str, secret: str) -> Keys:
    """The two halves as people paste them, or InvalidInput naming the half that can't be one."""
    halves = {"access_key": access.strip(), "secret_key": secret.strip()}
    for field, text in halves.items():
        if not _KEY.fullmatch(text):
            raise InvalidInput(field, "exchange_key_shape")
    return Keys(halves["access_key"], halves["secret_key"])


def link_account(
    *, user_id: int, exchange: ExchangeName, keys: Keys, doors: Doors, now: datetime
) -> int:
    """Link an account after its exchange said that the key is good; returns its id.

    Nothing is stored before that answer. The same key again is the same link with a new secret. A
    new key of the account where one's live bot holds coins, or has an order in the air, takes the
    old one's place, so that the bot can go on: keys end after a year.
    Raises KeyRefused, KeyNotChecked, Conflict `exchange_key_taken` (somebody else's, whoever) or
    `exchange_links_full`.
    """
    _check_room(db.session(), user_id, exchange, doors.sealer.fingerprint(exchange, keys))
    db.session.rollback()  # nothing is open while the exchange thinks
    broker = doors.dial(exchange, keys)
    check = checked(broker, exchange)
    proven = Proven(exchange, keys, check, _renewed(user_id, exchange, broker))
    try:
        with transaction() as session:
            return keep_link(session, user_id, proven, doors.sealer, now)
    except IntegrityError as error:
        raise Conflict("exchange_key_taken") from error


def keep_link(session: Session, user_id: int, proven: Proven, sealer: Sealer, now: datetime) -> int:
    """The deed of `link_account` inside an open transaction, once the key is known to be good.

    Who unlinked it and links it again gets the account of then: a bot may hold coins there.
    """
    fingerprint = sealer.fingerprint(proven.exchange, proven.keys)
    _check_room(session, user_id, proven.exchange, fingerprint)
    account = _linked(session, proven.exchange, fingerprint)
    if account is None:
        account = _once_linked(session, user_id, proven.exchange, fingerprint)
    if account is None and proven.renews is not None:
        account = session.get(LinkedAccount, proven.renews)
    if account is None:
        account = LinkedAccount(user_id=user_id, exchange=proven.exchange, linked_at=now)
        session.add(account)
    if account.unlinked_at is not None:
        account.linked_at, account.unlinked_at = now, None
    account.fingerprint, account.last_four = fingerprint, proven.keys.last_four
    account.sealed_keys = sealer.seal(proven.keys)
    account.wanted_at = now
    note_check(account, proven.check, now)
    session.flush()
    return account.id


def checked(broker: Broker, exchange: ExchangeName) -> KeyCheck:
    """What the exchange says of a key; KeyRefused or KeyNotChecked unless it may look."""
    check = broker.check_key()
    if check.state is KeyState.UNKNOWN:
        raise KeyNotChecked(check.problem or KeyProblem.UNREACHABLE, exchange)
    if check.state is KeyState.REFUSED:
        raise KeyRefused(check.problem or KeyProblem.INVALID, exchange)
    if check.can_view is False:
        raise KeyRefused(KeyProblem.MISSING_PERMISSION, exchange)
    return check


def recheck(*, account_id: int, doors: Doors, now: datetime) -> KeyState:
    """Ask the exchange about a linked key anew and write down what it said.

    Who can't be reached takes nothing away: a good key stays one, with the problem beside it.
    Raises NotFound for an account that isn't linked.
    """
    account = db.session.get(LinkedAccount, account_id)
    if account is None or account.unlinked_at is not None:
        raise NotFound
    try:
        broker = doors.broker(account)
        db.session.rollback()  # nothing is open while the exchange thinks
        check = broker.check_key()
    except SealBroken:
        log.warning("seal_broken account=%d", account_id)
        check = KeyCheck(KeyState.UNKNOWN, KeyProblem.INVALID)
    with transaction() as session:
        account = session.get_one(LinkedAccount, account_id)
        if account.unlinked_at is None:
            note_check(account, check, now)
        return account.state


def note_check(account: LinkedAccount, check: KeyCheck, now: datetime) -> None:
    """Write what was said of a key; what isn't known now stays as it was known."""
    account.problem = check.problem
    if check.state is KeyState.UNKNOWN:
        return
    account.state = check.state
    account.checked_at = now
    for name in ("can_view", "can_view_orders", "can_trade", "can_withdraw", "expires_at"):
        setattr(account, name, getattr(check, name))


def unlink_account(*, user_id: int, account_id: int, now: datetime) -> None:
    """Forget an account's keys and balances; twice is harmless. NotFound for somebody else's.

    Raises LastWayIn for who came in by these keys and has neither password nor Kakao nor another.
    """
    with transaction() as session:
        account = session.get(LinkedAccount, account_id)
        if account is None or account.user_id != user_id:
            raise NotFound
        if account.unlinked_at is None and not _has_another_way_in(session, account):
            raise LastWayIn
        forget_account(session, account, now)


def forget_account(session: Session, account: LinkedAccount, now: datetime) -> None:
    """The deed of `unlink_account` inside an open transaction."""
    account.sealed_keys = account.balances_at = None
    account.unlinked_at = account.unlinked_at or now
    session.execute(delete(Holding).where(Holding.account_id == account.id))


def account_keys(*, account_id: int | None, sealer: Sealer) -> Keys | None:
    """The keys of a linked account, to call its exchange with; None for no account.

    SealBroken where they can't be opened, or the account isn't linked any more.
    """
    if account_id is None:
        return None
    account = db.session.get(LinkedAccount, account_id)
    if account is None or account.sealed_keys is None:
        raise SealBroken
    return sealer.open(account.sealed_keys)


def find_by_key(
    session: Session, *, exchange: ExchangeName, keys: Keys, sealer: Sealer
) -> LinkedAccount | None:
    """The linked account with this access key, whoever's it is."""
    return _linked(session, exchange, sealer.fingerprint(exchange, keys))


def _linked(session: Session, exchange: ExchangeName, fingerprint: str) -> LinkedAccount | None:
    return session.scalar(
        select(LinkedAccount).where(
            LinkedAccount.exchange == exchange,
            LinkedAccount.fingerprint == fingerprint,
            LinkedAccount.unlinked_at.is_(None),
        )
    )


def _once_linked(
    session: Session, user_id: int, exchange: ExchangeName, fingerprint: str
) -> LinkedAccount | None:
    """The newest account that this person linked with this key and let go again."""
    return session.scalar(
        select(LinkedAccount)
        .where(
            LinkedAccount.user_id == user_id,
            LinkedAccount.exchange == exchange,
            LinkedAccount.fingerprint == fingerprint,
        )
        .order_by(LinkedAccount.id.desc())
        .limit(1)
    )


def _renewed(user_id: int, exchange: ExchangeName, broker: Broker) -> int | None:
    """The account of which this is a new key: the one where the person's live bot trades.

    Proven by an order of the bot's own that the key can see, one that made what it holds or that
    is in the air: a bot that has either was not moved since.
    """
    holds = exists().where(Position.bot_id == Order.bot_id, Position.market == Order.market)
    row = db.session.execute(
        select(Bot.account_id, Order.client_id)
        .join(Order, Order.bot_id == Bot.id)
        .where(
            Bot.user_id == user_id,
            Bot.mode == BotMode.LIVE,
            Bot.exchange == exchange,
            Order.exchange_id.is_not(None),
            or_(Order.state.in_(UNSETTLED), holds),
        )
        .order_by(Order.id.desc())
        .limit(1)
    ).first()
    db.session.rollback()  # nothing is open while the exchange thinks
    try:
        seen = row is not None and broker.order(row.client_id) is not None
    except ExchangeError:
        return None
    return row.account_id if row is not None and seen else None


def _has_another_way_in(session: Session, account: LinkedAccount) -> bool:
    ways = (
        select(User.id).where(User.id == account.user_id, User.password_hash.is_not(None)),
        select(Identity.id).where(
            Identity.user_id == account.user_id, Identity.unlinked_at.is_(None)
        ),
        select(LinkedAccount.id).where(
            LinkedAccount.user_id == account.user_id,
            LinkedAccount.id != account.id,
            LinkedAccount.unlinked_at.is_(None),
        ),
    )
    return any(session.scalar(way.limit(1)) is not None for way in ways)


def _check_room(session: Session, user_id: int, exchange: ExchangeName, fingerprint: str) -> None:
    found = _linked(session, exchange, fingerprint)
    if found is not None and found.user_id != user_id:
        raise Conflict("exchange_key_taken")
    linked = select(func.count()).where(
        LinkedAccount.user_id == user_id, LinkedAccount.unlinked_at.is_(None)
    )
    if found is None and (session.scalar(linked) or 0) >= MOST_LINKED:
        raise Conflict("exchange_links_full", most=MOST_LINKED)
