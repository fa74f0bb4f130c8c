"""Sign in by showing exchange keys, as the first desk's client does."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from app.db import transaction
from app.domain.errors import Conflict
from app.domain.exchanges import ExchangeName, Keys
from app.models import User
from app.services.exchanges.linking import (
    Doors,
    KeyNotChecked,
    KeyRefused,
    Proven,
    checked,
    find_by_key,
    keep_link,
)
from app.services.identities import add_nameless

#: Nothing in a key tells whose it is; the first desk knew Bithumb alone, so that is asked first.
ASKED_IN_TURN = (ExchangeName.BITHUMB, ExchangeName.UPBIT)


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in by keys, and with which account."""

    user_id: int
    epoch: int
    account_id: int


def enter_by_keys(*, user_id: int | None, keys: Keys, doors: Doors, now: datetime) -> Entered:
    """Link the keys to `user_id`; for a stranger (None) let in whose they are, or somebody new.

    Nothing changes before an exchange has called the keys good. Raises KeyRefused when both refuse
    them, KeyNotChecked when one of them couldn't be asked, and Conflict as `link_account`.
    """
    proven = _prove(keys, doors)
    try:
        return _let_in(user_id, proven, doors, now)
    except IntegrityError:
        # The same keys came through two doors at once, and the other was first.
        return _let_in(user_id, proven, doors, now)


def _prove(keys: Keys, doors: Doors) -> Proven:
    unasked: KeyNotChecked | None = None
    refused: KeyRefused | None = None
    for exchange in ASKED_IN_TURN:
        try:
            return Proven(exchange, keys, checked(doors.dial(exchange, keys), exchange))
        except KeyNotChecked as error:
            unasked = unasked or error
        except KeyRefused as error:
            refused = error
    raise unasked or refused or Conflict("exchange_unknown")


def _let_in(user_id: int | None, proven: Proven, doors: Doors, now: datetime) -> Entered:
    with transaction() as session:
        if user_id is None:
            known = find_by_key(
                session, exchange=proven.exchange, keys=proven.keys, sealer=doors.sealer
            )
            user_id = add_nameless(session, now).id if known is None else known.user_id
        account_id = keep_link(session, user_id, proven, doors.sealer, now)
        return Entered(user_id, session.get_one(User, user_id).session_epoch, account_id)
