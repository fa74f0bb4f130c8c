"""Base rates from the days that we hold: as of their own time, honest about short histories."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.domain.base_rates import BaseRate
from app.domain.market import CandleUnit
from app.domain.votes import Direction, Duration, Question
from app.extensions import db
from app.models import Coin
from app.services import market
from tests import factories as make

NOW = make.NOW
YESTERDAY = date(2026, 3, 1)
UP_TEN = Question(Direction.UP, Duration.DAY, 10)


@pytest.fixture
def coin(session: Session) -> Coin:
    return make.make_coin()


def test_rate_counts_the_days_that_we_hold(coin: Coin) -> None:
    make.make_candles(coin, "100", "110", "100", "109")

    found = market.base_rate(coin_id=coin.id, asked=UP_TEN, now=NOW)

    assert found == BaseRate(1, 3, YESTERDAY - timedelta(days=3), YESTERDAY)


def test_without_days_nothing_is_said(coin: Coin) -> None:
    assert market.base_rate(coin_id=coin.id, asked=UP_TEN, now=NOW) is None
    assert market.base_rates(coin_id=coin.id, direction=Direction.UP, range_pct=10, now=NOW) == {}


def test_other_units_and_other_coins_do_not_count(coin: Coin) -> None:
    make.make_candles(coin, "100", "120", unit=CandleUnit.HOUR)
    make.make_candles(make.make_coin("ETH"), "100", "120")

    assert market.base_rate(coin_id=coin.id, asked=UP_TEN, now=NOW) is None


def test_rates_of_one_range_come_for_every_duration_with_a_window(coin: Coin) -> None:
    make.make_candles(coin, *["100"] * 8)

    found = market.base_rates(coin_id=coin.id, direction=Direction.DOWN, range_pct=3, now=NOW)

    assert {duration: one.windows for duration, one in found.items()} == {
        Duration.DAY: 7,
        Duration.WEEK: 1,
    }


def test_days_that_were_not_over_then_do_not_count(coin: Coin) -> None:
    make.make_candles(coin, "100", "100", "200")
    then = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=5)

    found = market.base_rate(coin_id=coin.id, asked=UP_TEN, now=then)

    assert found == BaseRate(0, 1, date(2026, 2, 27), date(2026, 2, 28))


def test_rates_are_read_once_until_new_days_come(coin: Coin) -> None:
    make.make_candles(coin, "100", "200")
    coin_id, reads = coin.id, 0

    def count(*_: object) -> None:
        nonlocal reads
        reads += 1

    event.listen(db.engine, "before_cursor_execute", count)
    for range_pct in (1, 10, 300):
        make.set_price("BTC", "100")  # prices are written all the time
        before = reads
        asked = Question(Direction.UP, Duration.DAY, range_pct)
        market.base_rate(coin_id=coin_id, asked=asked, now=NOW)
    assert reads == before

    make.make_candles(coin, "100", "200", "300")
    found = market.base_rate(coin_id=coin_id, asked=UP_TEN, now=NOW)

    assert found is not None
    assert found.windows == 2
