"""The demo: made by real deeds, so its books are right; filled once, livened at each start."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.clock import utcnow
from app.demo import CAST, NotADemo, prepare, seed
from app.domain.votes import Duration
from app.extensions import db
from app.models import LedgerEntry, User, Vote
from app.services.points import audit
from app.simulator import Simulator
from app.wiring import market
from tests.conftest import MakeApp


@pytest.fixture
def exchange() -> Iterator[Simulator]:
    with Simulator(markets=20, rate_limit=None) as simulator:
        yield simulator


@pytest.fixture
def demo(make_app: MakeApp, exchange: Simulator) -> Flask:
    return make_app(demo=True, upbit_url=exchange.url, whale_min_settled=10)


def count_votes() -> int:
    return db.session.scalar(select(func.count()).select_from(Vote)) or 0


@pytest.mark.slow
def test_the_demo_is_full_right_and_livened_again(demo: Flask, exchange: Simulator) -> None:
    told = prepare(demo, exchange)

    with demo.app_context():
        assert all(f"{name} / {password}" in told for name, password in CAST.items())
        assert list(audit()) == []
        states = set(db.session.scalars(select(Vote.state).distinct()))
        assert {"ongoing", "finished", "tracked"} <= states
        soon = utcnow() + timedelta(minutes=2)
        assert db.session.scalar(select(Vote.id).where(Vote.stage == 0, Vote.finished_at <= soon))
        assert db.session.scalar(select(Vote.id).where(Vote.stage == 1, Vote.tracked_at <= soon))
        _cast_is_as_promised()
        _ledger_is_in_the_order_of_time()
        _votes_know_how_often_it_happened_before()
        before = count_votes()
        seed(market(), utcnow())
        assert 0 <= count_votes() - before <= 4
        assert list(audit()) == []


def _cast_is_as_promised() -> None:
    people = {user.nickname: user for user in db.session.scalars(select(User))}
    assert people["demo"].settled_count >= 10
    assert people["demo"].accuracy_pct >= 70
    assert (people["newbie"].points, people["newbie"].settled_count) == (300, 0)
    assert people["captain"].is_staff


def _ledger_is_in_the_order_of_time() -> None:
    moments = list(db.session.scalars(select(LedgerEntry.created_at).order_by(LedgerEntry.id)))
    assert moments == sorted(moments)


def _votes_know_how_often_it_happened_before() -> None:
    day, week, month = (
        set(db.session.scalars(select(Vote.base_rate_windows).where(Vote.duration == duration)))
        for duration in Duration
    )
    assert day == {364}
    assert week == {358}
    assert month <= set(range(333, 339))


def test_only_a_demo_database_is_filled(app: Flask) -> None:
    with app.app_context(), pytest.raises(NotADemo):
        seed(market(), utcnow())
