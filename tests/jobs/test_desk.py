"""Balances come while somebody looks; the trouble of one account is nobody else's."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.clock import utcnow
from app.db import transaction
from app.domain.exchanges import ExchangeName, KeyProblem, Keys, KeyState
from app.extensions import db
from app.jobs import desk
from app.jobs.desk import BalanceKeeper
from app.jobs.lease import is_leader
from app.models import Holding, LinkedAccount
from app.simulator import Simulator
from tests import factories as make
from tests.conftest import MakeApp

SECRET = "a-secret-of-the-account"
NEVER = timedelta(days=-400)


@pytest.fixture(scope="module")
def venue() -> Iterator[Simulator]:
    with Simulator(markets=3, rate_limit=None) as sim:
        yield sim


@pytest.fixture
def app(make_app: MakeApp, venue: Simulator) -> Iterator[Flask]:
    venue.clear_faults()
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url)
    with app.app_context():
        yield app
    venue.clear_faults()


@pytest.fixture
def keeper(app: Flask) -> BalanceKeeper:
    return BalanceKeeper(app)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the rests: what stands last is now."""
    now = [1000.0]
    monkeypatch.setattr(desk, "monotonic", lambda: now[-1])
    return now


def account(
    venue: Simulator,
    name: str,
    *,
    known: bool = True,
    exchange: ExchangeName = ExchangeName.UPBIT,
    **about: object,
) -> int:
    """An account that somebody looks at now, `known` to its exchange or not."""
    if known:
        venue.add_account(exchange.value, name, SECRET, {"KRW": "1000", "BTC": "0.5"})
    now = utcnow()
    row = make.link_account(
        make.make_user().id,
        exchange=exchange,
        keys=Keys(name, SECRET),
        now=now,
        **({"wanted_at": now} | about),
    )
    return row.id


def row(ident: int) -> LinkedAccount:
    db.session.rollback()
    return db.session.get_one(LinkedAccount, ident)


def held(ident: int) -> dict[str, str]:
    rows = db.session.scalars(select(Holding).where(Holding.account_id == ident))
    return {one.currency: str(one.free) for one in rows}


@pytest.mark.parametrize("exchange", list(ExchangeName))
def test_balances_of_a_watched_account_come(
    keeper: BalanceKeeper, venue: Simulator, exchange: ExchangeName
) -> None:
    ident = account(venue, f"watched-{exchange}", exchange=exchange)

    steps = keeper.work(utcnow())

    assert (steps.ok, steps.report) == (True, {"balances": 1})
    assert held(ident) == {"KRW": "1000", "BTC": "0.5"}


def test_nobody_asks_for_an_account_that_nobody_looks_at(
    keeper: BalanceKeeper, venue: Simulator
) -> None:
    ident = account(venue, "unwatched", wanted_at=utcnow() - timedelta(minutes=11))
    asked = dict(venue.requests)

    keeper.work(utcnow())

    assert held(ident) == {}
    assert dict(venue.requests) == asked


def test_trouble_of_one_account_is_nobody_elses(keeper: BalanceKeeper, venue: Simulator) -> None:
    stranger = account(venue, "stranger-key", known=False)
    broken = account(venue, "broken-seal", sealed_keys="gAAAA-nothing")
    good = account(venue, "good-key-0001")

    steps = keeper.work(utcnow())

    assert steps.report["balances"] == 1
    assert steps.report["failed"] == [f"balances account={stranger}", f"balances account={broken}"]
    assert (row(stranger).state, row(stranger).problem) == (KeyState.REFUSED, KeyProblem.INVALID)
    assert held(good) == {"KRW": "1000", "BTC": "0.5"}


def test_account_that_fails_rests_ever_longer(
    keeper: BalanceKeeper, venue: Simulator, seconds: list[float]
) -> None:
    ident = account(venue, "resting-key-01")
    venue.fault("maintenance", group="account")

    tries = []
    for after in (0.0, 29.0, 1.0, 59.0, 1.0):
        seconds.append(seconds[-1] + after)
        tries.append(bool(keeper.work(utcnow()).report))
    venue.clear_faults()
    seconds.append(seconds[-1] + 120.0)
    keeper.work(utcnow())

    assert tries == [True, False, True, False, True]
    assert held(ident) != {}


def test_key_is_looked_at_once_a_day(keeper: BalanceKeeper, venue: Simulator) -> None:
    yesterday = utcnow() - timedelta(days=1)
    revoked = account(venue, "revoked-key-01", known=False, wanted_at=None, checked_at=yesterday)
    mended = account(
        venue, "mended-key-001", wanted_at=None, checked_at=yesterday, state=KeyState.REFUSED
    )
    fresh = account(venue, "fresh-key-0001", wanted_at=None, known=False)

    keeper.work(utcnow())

    states = [row(ident).state for ident in (revoked, mended, fresh)]
    assert states == [KeyState.REFUSED, KeyState.GOOD, KeyState.GOOD]


def test_key_that_nobody_can_tell_about_is_asked_again_after_a_rest(
    keeper: BalanceKeeper, venue: Simulator, seconds: list[float]
) -> None:
    ident = account(
        venue, "silent-key-001", wanted_at=None, checked_at=utcnow() - timedelta(days=2)
    )
    venue.fault("maintenance", group="account")

    tries = []
    for after in (0.0, 29.0, 1.0):
        seconds.append(seconds[-1] + after)
        tries.append(keeper.work(utcnow()).report.get("key"))

    assert tries == [1, None, 1]
    assert (row(ident).state, row(ident).problem) == (KeyState.GOOD, KeyProblem.MAINTENANCE)


def test_few_keys_are_checked_at_once(keeper: BalanceKeeper, venue: Simulator) -> None:
    for number in range(5):
        account(
            venue, f"many-key-{number:04}", wanted_at=None,
            checked_at=utcnow() - timedelta(days=2),
        )  # fmt: skip

    assert [keeper.work(utcnow()).report.get("key") for _ in range(3)] == [3, 2, None]


def test_thread_works_for_the_leader_alone_and_ends(
    app: Flask, keeper: BalanceKeeper, venue: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    led: list[datetime] = []

    def work(now: datetime) -> None:
        led.append(now)
        looked.set()
        raise RuntimeError("a turn that fails isn't the last")

    monkeypatch.setattr(desk, "LOOK_S", 0.01)
    monkeypatch.setattr(keeper, "work", work)
    keeper.start()
    assert not looked.wait(0.3)

    with transaction():
        pass
    assert is_leader(app)

    assert looked.wait(5)
    looked.clear()
    assert looked.wait(5)
    keeper.stop()
    assert not keeper._thread.is_alive()


def test_stopping_ends_between_two_accounts(keeper: BalanceKeeper, venue: Simulator) -> None:
    ident = account(venue, "stopped-key-01")
    keeper.stop()

    assert keeper.work(utcnow()).report == {}
    assert held(ident) == {}
