"""The desk before simulated exchanges whose accounts are the demo's."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app.clock import utcnow
from app.domain.exchanges import ExchangeName
from app.extensions import db
from app.models import LinkedAccount, User
from app.services import exchanges, market
from app.simulator import Simulator
from app.simulator.desk.samples import add_sample_accounts
from app.web.desk.accounts import doors
from app.web.desk.samples import SAMPLES
from tests.conftest import MakeApp, Visitor
from tests.web.visitors import person, visitor


@pytest.fixture(scope="module")
def venue() -> Iterator[Simulator]:
    with Simulator(markets=12, rate_limit=None) as sim:
        add_sample_accounts(sim)
        yield sim


@pytest.fixture
def app(make_app: MakeApp, venue: Simulator) -> Iterator[Flask]:
    venue.clear_faults()
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url, demo=True)
    with app.app_context():
        now = utcnow()
        market.refresh_listings(market=app.extensions["whaling_market"], now=now)
        market.store_tickers(market=app.extensions["whaling_market"], now=now)
    yield app
    venue.clear_faults()


@pytest.fixture
def alice(app: Flask) -> User:
    return person(app, password="correct-horse")


@pytest.fixture
def browser(app: Flask, alice: User) -> Visitor:
    return visitor(app, alice)


def form(number: int = 0, **other: str) -> dict[str, str]:
    """The link form filled with a sample's keys."""
    sample = SAMPLES[number]
    keys = {"access_key": sample.access, "secret_key": sample.secret}
    return {"exchange": sample.exchange.value} | keys | other


def linked(app: Flask) -> list[LinkedAccount]:
    """All accounts whose keys are kept."""
    with app.app_context():
        rows = db.session.query(LinkedAccount).order_by(LinkedAccount.id)
        return [row for row in rows.all() if row.sealed_keys]


def fetch(app: Flask) -> None:
    """What the leader does: fetch the balances of all that are looked at."""
    with app.app_context():
        for ident in exchanges.due_for_balances(utcnow()):
            exchanges.refresh(account_id=ident, doors=doors(), now=utcnow())


UPBIT, BITHUMB = ExchangeName.UPBIT, ExchangeName.BITHUMB
