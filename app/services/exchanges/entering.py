"""Sign in by showing exchange keys, as the first desk's client does."""

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from app.clock import monotonic
from app.db import transaction
from app.domain.exchanges import ExchangeName, KeyCheck, KeyProblem, Keys
from app.extensions import db
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
#: Who is silent for so long has the next one asked beside it; who answers is the only one to see
#: the key.
HEAD_START_S = 2.0
#: Somebody waits: what isn't known by then isn't known.
PATIENCE_S = 10.0
_Asked = dict[Future[KeyCheck], ExchangeName]


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in by keys, and with which account."""

    user_id: int
    epoch: int
    account_id: int


def enter_by_keys(*, user_id: int | None, keys: Keys, doors: Doors, now: datetime) -> Entered:
    """Link the keys to `user_id`; for a stranger (None) let in whose they are, or somebody new.

    Nothing changes before an exchange has called the keys good. Raises KeyRefused when both refuse
    them, KeyNotChecked when one of them couldn't be asked or kept silent, and Conflict as
    `link_account`. It takes ten seconds at most.
    """
    db.session.rollback()  # nothing is open while the exchanges think
    proven = _prove(keys, doors)
    try:
        return _let_in(user_id, proven, doors, now)
    except IntegrityError:
        # The same keys came through two doors at once, and the other was first.
        return _let_in(user_id, proven, doors, now)


def _prove(keys: Keys, doors: Doors) -> Proven:
    """What the first exchange to call the keys good said of them, or raise why there is none."""
    until = monotonic() + PATIENCE_S
    asked: _Asked = {}
    pool = ThreadPoolExecutor(len(ASKED_IN_TURN), "keys")
    try:
        for exchange in ASKED_IN_TURN:
            asked[pool.submit(checked, doors.dial(exchange, keys), exchange)] = exchange
            is_last = len(asked) == len(ASKED_IN_TURN)
            good = _first_good(asked, until - monotonic() if is_last else HEAD_START_S)
            if good is not None:
                return Proven(asked[good], keys, good.result())
    finally:
        pool.shutdown(wait=False)  # an answer that comes too late is nobody's
    raise _why_none(asked)


def _first_good(asked: _Asked, patience_s: float) -> Future[KeyCheck] | None:
    """The first yes, as soon as it is there; None after a no of all of them or in the end."""
    try:
        for answer in as_completed(asked, patience_s):
            if answer.exception() is None:
                return answer
    except TimeoutError:
        pass
    return None


def _why_none(asked: _Asked) -> BaseException:
    """A no counts from all of them alone: who was silent might have said yes."""
    errors = [
        (answer.done() and answer.exception()) or KeyNotChecked(KeyProblem.UNREACHABLE, exchange)
        for answer, exchange in asked.items()
    ]
    return next((error for error in errors if not isinstance(error, KeyRefused)), errors[-1])


def _let_in(user_id: int | None, proven: Proven, doors: Doors, now: datetime) -> Entered:
    with transaction() as session:
        if user_id is None:
            known = find_by_key(
                session, exchange=proven.exchange, keys=proven.keys, sealer=doors.sealer
            )
            user_id = add_nameless(session, now).id if known is None else known.user_id
        account_id = keep_link(session, user_id, proven, doors.sealer, now)
        return Entered(user_id, session.get_one(User, user_id).session_epoch, account_id)
