"""What runs were worth: kept closely for a week, then by the day."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.runs import BotMode
from app.extensions import db
from app.models import BotRun, BotValue, User
from app.services.trading import bots, views
from app.services.trading.values import KEEP_EACH_VALUE, thin_values
from tests.conftest import NOW
from tests.factories import make_coin

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)


@pytest.fixture
def run_id(session: Session, alice: User) -> int:
    make_coin("BTC")
    bots.start_bot(user_id=alice.id, mode=BotMode.PAPER, live_trading=False, now=NOW)
    return db.session.scalars(select(BotRun.id)).one()


def note(run_id: int, moments: Iterable[datetime]) -> None:
    with transaction() as session:
        for at in moments:
            session.add(BotValue(run_id=run_id, at=at, value=Decimal(1), hold=None))


def kept() -> list[datetime]:
    db.session.rollback()
    return list(db.session.scalars(select(BotValue.at).order_by(BotValue.at)))


def test_of_old_days_the_first_value_is_kept_and_of_the_last_week_all(run_id: int) -> None:
    old = [MIDNIGHT - timedelta(days=20) + timedelta(hours=6 * n) for n in range(8)]
    young = [NOW - KEEP_EACH_VALUE, NOW - timedelta(minutes=5), NOW]
    note(run_id, [*old, *young])

    assert thin_values(now=NOW) == 6
    assert kept() == [old[0], old[4], *young]
    assert thin_values(now=NOW) == 0


def test_newest_value_of_a_run_that_ended_long_ago_stays(run_id: int) -> None:
    ended = [MIDNIGHT - timedelta(days=30) + timedelta(hours=n) for n in range(5)]
    note(run_id, ended)

    thin_values(now=NOW)

    assert kept() == [ended[0], ended[-1]]


def test_day_that_is_thinned_hour_by_hour_keeps_its_first_value(run_id: int) -> None:
    day = [MIDNIGHT - timedelta(days=8) + timedelta(hours=n) for n in range(24)]
    note(run_id, [*day, NOW])

    for hours in range(48):
        thin_values(now=NOW + timedelta(hours=hours))

    assert kept() == [day[0], NOW]


def test_curve_lies_evenly_over_days_and_minutes(run_id: int, alice: User) -> None:
    days = [NOW - timedelta(days=100 - n) for n in range(99)]
    minutes = [NOW - timedelta(minutes=5 * n) for n in range(288, -1, -1)]
    note(run_id, [*days, *minutes])

    curve = views.value_curve(bot=bots.get_bot(user_id=alice.id, mode=BotMode.PAPER))

    assert [at for at, *_ in curve][:99] == days
    assert curve[-1][0] == NOW
    assert len(curve) < 110
