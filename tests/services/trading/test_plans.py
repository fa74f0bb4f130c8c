"""What is planned for a day: from days that are known whole, by the exchange's own day."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import ExchangeName
from app.domain.market import CandleUnit
from app.domain.trading import BotSettings, day_start, trading_day
from app.models import CandleSpan, Coin, Quote
from app.services import market
from app.services.trading.plans import Planned, Planner
from tests.conftest import NOW
from tests.factories import make_candles, make_coin

HOUR = CandleUnit.HOUR
SETTINGS = BotSettings(codes=("BTC",), k=Decimal("0.5"))
TODAY = day_start(trading_day(NOW, ExchangeName.BITHUMB), ExchangeName.BITHUMB)
#: Up to the last hour that is over: twelve of today, and two days before.
HOURS = 12 + 48


def rising(count: int = HOURS) -> list[str | None]:
    return [str(1000 + 5 * hour) for hour in range(count)]


@pytest.fixture
def coin(session: Session) -> Coin:
    return make_coin("BTC", observed_at=NOW)


def plan() -> Planned:
    return Planner().planned(SETTINGS, "KRW-BTC", ExchangeName.BITHUMB, NOW)


def test_day_of_bithumb_is_put_together_from_its_hours(coin: Coin) -> None:
    make_candles(coin, *rising(), unit=HOUR, until=NOW)

    found = plan()

    assert (NOW - TODAY) // timedelta(hours=1) == 12
    assert found.open == 1000 + 5 * 47  # where yesterday's last hour closed
    assert found.plan is not None
    assert found.plan.target is not None
    # 24 hours rose from 1115 to 1235 won, half of which is 60
    assert found.plan.target == Decimal(1235 + 60)


def test_hour_without_a_trade_is_known_all_the_same(coin: Coin) -> None:
    hours = rising()
    hours[30] = None
    make_candles(coin, *hours, unit=HOUR, until=NOW)

    assert plan().plan is not None


def test_day_of_which_an_hour_is_not_known_plans_nothing(coin: Coin) -> None:
    make_candles(coin, *rising(), unit=HOUR, until=NOW)
    with transaction() as session:
        yesterday = TODAY - timedelta(days=1)
        session.execute(update(CandleSpan).values(known_from=yesterday + timedelta(hours=1)))
    assert plan().plan is None

    with transaction() as session:
        session.execute(update(CandleSpan).values(known_from=yesterday))
    assert plan().plan is not None


def test_day_whose_last_hour_has_not_come_plans_nothing(coin: Coin) -> None:
    make_candles(coin, *rising(), unit=HOUR, until=NOW)
    with transaction() as session:
        session.execute(update(CandleSpan).values(known_until=TODAY - timedelta(hours=1)))

    assert plan().plan is None


def test_d32_open_of_yesterday_is_no_open_of_today(coin: Coin) -> None:
    """Until somebody trades, Upbit goes on telling the figures of the day before."""
    midnight = NOW.replace(hour=0, minute=0, second=0)
    make_candles(coin, "1000", "1100", until=midnight + timedelta(seconds=10))
    now = midnight + timedelta(seconds=30)
    for traded_at, is_planned in ((midnight - timedelta(seconds=1), False), (midnight, True)):
        with transaction() as session:
            session.execute(update(Quote).values(open=Decimal(1100), traded_at=traded_at))
        market.coins_now.forget()

        found = Planner().planned(SETTINGS, "KRW-BTC", ExchangeName.UPBIT, now)

        assert (found.plan is not None) is is_planned


def test_nothing_known_plans_nothing(coin: Coin) -> None:
    assert plan() == Planned(SETTINGS.strategy(Decimal(1)), None)
