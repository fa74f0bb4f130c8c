"""Both exchanges' desks together, and the truth about their accounts."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from app.simulator.desk.account import RIGHTS, Account, Order, Pocket
from app.simulator.desk.bithumb import BITHUMB
from app.simulator.desk.desk import Desk
from app.simulator.desk.floor import Floor
from app.simulator.desk.upbit import UPBIT
from app.simulator.faults import Fault
from app.simulator.reply import Reply
from app.simulator.server import Request


class Counters:
    """The signed side of Upbit and of Bithumb over one world of prices."""

    def __init__(self, floor: Floor, faults: Callable[[], list[Fault]], *, limited: bool) -> None:
        self._desks = {
            dialect.name: Desk(dialect, floor, limited=limited) for dialect in (UPBIT, BITHUMB)
        }
        self._faults = faults

    def add_account(
        self,
        exchange: str,
        access_key: str,
        secret_key: str,
        balances: Mapping[str, object] | None = None,
        permissions: Collection[str] = RIGHTS,
        allowed_ips: Collection[str] | None = None,
        expires_at: datetime | None = None,
        fee: object | None = None,
    ) -> Account:
        """Open an account at "upbit" or "bithumb"; ValueError when something can't be right."""
        if exchange not in self._desks:
            raise ValueError(f"exchange must be one of {', '.join(self._desks)}")
        return self._desks[exchange].open_account(
            access_key, secret_key, balances or {}, permissions, allowed_ips, expires_at, fee
        )

    def knows(self, exchange: str, path: str) -> bool:
        """Whether a path is a signed one of this exchange."""
        return self._desks[exchange].knows(path)

    def respond(self, exchange: str, request: Request) -> Reply:
        """The answer to a signed request, failures included."""
        return self._desks[exchange].respond(request, self._faults())

    def orders(self, access_key: str) -> list[Order]:
        """All orders that the account ever had, oldest first, as they are now."""
        account = self._look(access_key)
        with account.lock:
            return [replace(order, trades=[*order.trades]) for order in account.orders]

    def balances(self, access_key: str) -> dict[str, Pocket]:
        """What the account holds now, by currency."""
        account = self._look(access_key)
        with account.lock:
            return {currency: replace(pocket) for currency, pocket in account.purse.items()}

    def change_balance(self, access_key: str, currency: str, amount: object) -> None:
        """Let money come to an account, or go from it (never below nothing)."""
        account = self._look(access_key)
        with account.lock:
            account.change(currency, Decimal(str(amount)))

    def change_all(self, currency: str, amount: object) -> None:
        """As `change_balance`, in every account."""
        for desk in self._desks.values():
            for account in desk.all_accounts():
                self.change_balance(account.access_key, currency, amount)

    def _look(self, access_key: str) -> Account:
        for desk in self._desks.values():
            if desk.has(access_key):
                return desk.look(access_key, self._faults())
        raise ValueError("there is no account with this key")
