"""The stage: the application behind a real socket, its exchange, and the hand that moves time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from app.clock import utcnow
from app.db import transaction
from app.domain.exchanges import ExchangeName, KeyProblem, KeyState
from app.extensions import Base, db
from app.jobs.guard import Steps
from app.jobs.minute import run_minute
from app.services import market, votes
from app.services.accounts import find_user
from app.services.points import audit
from app.simulator import Simulator
from tests.browser.situations import find_vote
from tests.browser.visitor import PASSWORD
from tests.factories import hold, link_account, make_user, make_vote

_VOTE_TIMES = ("created_at", "created_price_at", "finished_at", "tracked_at")


@dataclass(frozen=True)
class Stage:
    """A server at `url` over one database file, with the simulated exchange it asks."""

    app: Flask
    url: str
    exchange: Simulator
    database: Path

    def run_minute(self) -> None:
        """The real minute job, now; every step of it must succeed."""
        with self.app.app_context():
            steps = Steps(now=utcnow())
            run_minute(steps)
        assert steps.ok, steps.report

    def fall(self, market: str, pct: int) -> None:
        """Let a price fall at this moment, and let the application see it."""
        now = self.exchange.now()
        price = self.exchange.price(market, now) * (100 - pct) / Decimal(100)
        self.exchange.set_price(market, price)
        self.run_minute()

    def age_votes(self, by: timedelta) -> None:
        """Let all votes and answers be older than they are; prices stay."""
        shift = f"-{int(by.total_seconds())} seconds"
        with closing(sqlite3.connect(self.database)) as connection, connection:
            for table, columns in (("votes", _VOTE_TIMES), ("ballots", ("created_at",))):
                moved = ", ".join(
                    f"{name} = strftime('%Y-%m-%d %H:%M:%f000', {name}, :shift)" for name in columns
                )
                connection.execute(f"UPDATE {table} SET {moved}", {"shift": shift})  # noqa: S608

    def age_prices(self, by: timedelta, code: str = "%") -> None:
        """Let the exchange have been silent for that long, of all coins or of one."""
        shift = f"-{int(by.total_seconds())} seconds"
        moved = "observed_at = strftime('%Y-%m-%d %H:%M:%f000', observed_at, ?)"
        which = "coin_id IN (SELECT id FROM coins WHERE code LIKE ?)"
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(f"UPDATE quotes SET {moved} WHERE {which}", (shift, code))  # noqa: S608
        with self.app.app_context():
            market.coins_now.forget()
            market.price_age_now.forget()
            db.session.remove()

    def warn_of(self, code: str, *cautions: str) -> None:
        """Let the exchange advise caution about a coin."""
        with self.app.app_context():
            coin = market.get_coin(code)
            assert coin
            with transaction() as session:
                session.merge(coin).cautions = " ".join(cautions)
            market.coins_now.forget()

    def add_person(self, name: str, *, points: int = 300, is_staff: bool = False) -> None:
        """Somebody who can sign in, without walking through the sign-up."""
        with self.app.app_context():
            now = utcnow()
            make_user(name, points=points, is_staff=is_staff, password=PASSWORD, now=now)

    def link_accounts(self, name: str) -> None:
        """Two accounts of somebody: one with holdings and a key that ends soon, one refused."""
        with self.app.app_context():
            now = utcnow()
            user = find_user(name)
            assert user
            first = link_account(
                user.id, now=now, balances_at=now, can_withdraw=True,
                expires_at=now + timedelta(days=5),
            )  # fmt: skip
            for currency, free, bought_at in (
                ("KRW", "1200000", None), ("BTC", "0.0399", "130000000"), ("ETH", "2", "9000000"),
                ("XRP", "10", "3500"), ("DOGE", "700", None), ("OLDCOIN", "321.5", None),
            ):  # fmt: skip
                hold(first.id, currency, free, bought_at)
            link_account(
                user.id, exchange=ExchangeName.BITHUMB, now=now, state=KeyState.REFUSED,
                problem=KeyProblem.ADDRESS_NOT_ALLOWED, can_trade=None,
            )  # fmt: skip

    def add_vote(self, asker: str) -> int:
        """An open question about Bitcoin by somebody new: will it be 10 % higher in a day?"""
        with self.app.app_context():
            now = utcnow()
            return make_vote(make_user(asker, now=now), now=now).id

    def price_age_s(self) -> float:
        """Seconds since the last price, a day where there is none."""
        with self.app.app_context():
            age = market.price_age(utcnow())
            return 86_400 if age.age_s is None else age.age_s

    def void_one(self) -> None:
        """Void a question that was answered by the demo's own person."""
        vote_id = find_vote(self.database, "answered")["id"]
        with self.app.app_context():
            votes.void_vote(vote_id=vote_id, reason="no_candle", now=utcnow())

    def count(self, kind: type[Base]) -> int:
        """How many rows of a kind there are."""
        with self.app.app_context():
            return db.session.query(kind).count()

    def books_are_right(self) -> bool:
        """Whether ledger, balances and counters agree."""
        with self.app.app_context():
            return not list(audit())


@contextmanager
def on_stage(app: Flask, exchange: Simulator, database: Path) -> Iterator[Stage]:
    """Serve the application from threads of this process until the end of the block."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4, ident="whaling")
    thread = threading.Thread(target=server.run, name="waitress")
    thread.start()
    try:
        yield Stage(app, f"http://127.0.0.1:{server.effective_port}", exchange, database)
    finally:
        # Closed by the thread that listens: its loop ends once nothing is left to listen to.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join()
        server.task_dispatcher.shutdown()
