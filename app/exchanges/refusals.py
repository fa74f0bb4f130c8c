"""What an exchange means by refusing a call about an account: names and statuses in our words."""

import re

from app.domain.exchanges import KeyProblem
from app.exchanges.base import (
    BadCredentials,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    Maintenance,
    Rejected,
    Unavailable,
    UnknownMarket,
)

#: Both exchanges' names, today's and yesterday's, in small letters.
_KEY_PROBLEMS = {
    "invalid_access_key": KeyProblem.INVALID,
    "jwt_verification": KeyProblem.INVALID,
    "expired_access_key": KeyProblem.EXPIRED,
    "no_authorization_ip": KeyProblem.ADDRESS_NOT_ALLOWED,
    "no_authorization_i_p": KeyProblem.ADDRESS_NOT_ALLOWED,
    "notallowip": KeyProblem.ADDRESS_NOT_ALLOWED,
    "out_of_scope": KeyProblem.MISSING_PERMISSION,
    "blocked_member_id": KeyProblem.ACCOUNT_BLOCKED,
    "expired_jwt": KeyProblem.CLOCK,
}
#: Refusals of the moment. `nonce_used` is one of them: our tokens are good once and sent once, so
#: somebody on the way repeated the call, and its first copy may have been heard.
_PASSING_NAMES = frozenset({"order_not_ready", "nonce_used"})
_PASSING = (408, 425)
_CLOSED = "market_offline"
_NO_ORDER = "order_not_found"
_NO_MARKET = frozenset({"notfoundmarket", "404", "currency does not have a valid value"})
_NAME = re.compile(r"[A-Za-z0-9_ ]{1,60}", re.ASCII)


class Refused(Rejected):
    """Understood and refused; `name` is the exchange's own for why."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"{where}: {name}")
        self.name = name


class NoSuchOrder(Refused):
    """The exchange knows no such order."""


def refusal(status: int, name: object, where: str) -> ExchangeError:
    """The error to raise for an answer that isn't one.

    The name decides, then the status; never the message, whose words and language change. Bithumb
    may send an error with status 200, and numbers for names.
    """
    code = _readable(name)
    status = _real_status(status, code)
    told = f"{where}: HTTP {status} {code}".rstrip()
    if status >= 500 or status in _PASSING or code in _PASSING_NAMES:
        return Unavailable(told)
    problem = _KEY_PROBLEMS.get(code.lower())
    if problem is not None:
        return BadCredentials(problem, told)
    if code == _CLOSED:
        return Maintenance(told)
    if 400 <= status < 500:
        return _refused(status, code, where, told)
    return Unavailable(told)


def _refused(status: int, code: str, where: str, told: str) -> ExchangeError:
    if code == _NO_ORDER:
        return NoSuchOrder(code, where)
    if code.lower() in _NO_MARKET:
        return UnknownMarket(told)
    if code.startswith("insufficient"):
        return InsufficientFunds(told)
    if "duplicat" in code:
        return DuplicateOrder(told)
    if status == 401 and not code:
        return BadCredentials(KeyProblem.INVALID, told)
    return Refused(code or f"http_{status}", where)


def _readable(name: object) -> str:
    """The name, as far as it is one: it ends up in logs and in the database."""
    text = str(name) if isinstance(name, (str, int)) and not isinstance(name, bool) else ""
    return text if _NAME.fullmatch(text) else ""


def _real_status(status: int, code: str) -> int:
    if 200 <= status < 300:
        return int(code) if code.isdecimal() and len(code) == 3 else 400
    return status
