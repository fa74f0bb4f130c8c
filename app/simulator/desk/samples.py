"""Accounts that can be linked in the demo: one at each exchange, and one that may only look."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from app.simulator.desk.account import Account

_BOUGHT_AGO = timedelta(days=30)
_HOLDINGS = {"KRW": "5000000", "BTC": "0.05", "ETH": "0.8", "XRP": "1500", "DOGE": "12000"}
#: A coin that was delisted long ago: it can't be sold here any more, and has no price.
_STRANDED = {"OLDCOIN": "321.5"}
#: Exchange, access key, secret key, what it holds, what it may.
_SAMPLES = (
    (
        "upbit", "DEMO-UPBIT-ACCESS-KEY-0001", "demo-upbit-secret-key-0001",
        _HOLDINGS | _STRANDED, ("view", "orders", "trade"),
    ),
    (
        "bithumb", "DEMO-BITHUMB-ACCESS-KEY-0001", "demo-bithumb-secret-key-0001",
        {"KRW": "3000000", "BTC": "0.02", "SOL": "15"}, ("view", "orders", "trade"),
    ),
    (
        "upbit", "DEMO-UPBIT-VIEW-ONLY-0002", "demo-upbit-secret-key-0002",
        {"KRW": "750000", "ETH": "2.5"}, ("view", "orders"),
    ),
)  # fmt: skip


class Exchange(Protocol):
    """What the samples need of a simulator."""

    def add_account(
        self,
        exchange: str,
        access_key: str,
        secret_key: str,
        balances: dict[str, object],
        permissions: tuple[str, ...],
    ) -> Account:
        """Open an account."""

    def codes(self) -> list[str]:
        """The listed markets."""

    def price(self, code: str, moment: datetime) -> Decimal:
        """What a market traded at."""

    def now(self) -> datetime:
        """The world's time."""


def add_sample_accounts(exchange: Exchange) -> None:
    """Open the demo's accounts; what they hold was bought a month ago."""
    listed, bought_at = set(exchange.codes()), exchange.now() - _BOUGHT_AGO
    for name, access_key, secret_key, balances, rights in _SAMPLES:
        account = exchange.add_account(name, access_key, secret_key, {**balances}, rights)
        for currency, pocket in account.purse.items():
            if f"KRW-{currency}" in listed:
                pocket.avg_buy_price = exchange.price(f"KRW-{currency}", bought_at)
