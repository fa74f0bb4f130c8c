"""An exchange's own days: where they begin, and which candles are days at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.exchanges import ExchangeName
from app.domain.market import Candle
from app.domain.trading import (
    BadHistory,
    Day,
    as_days,
    check_days,
    day_start,
    finished_before,
    trading_day,
)
from tests.histories import make_days

UPBIT, BITHUMB = ExchangeName.UPBIT, ExchangeName.BITHUMB
NINE = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 09:00 in Korea
MIDNIGHT = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)  # 00:00 of 2 March in Korea
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(("exchange", "begins"), [(UPBIT, NINE), (BITHUMB, MIDNIGHT)])
def test_day_begins_where_the_exchange_begins_it(exchange: ExchangeName, begins: datetime) -> None:
    assert trading_day(begins - MOMENT, exchange) == date(2026, 3, 1)
    assert trading_day(begins, exchange) == date(2026, 3, 2)
    assert day_start(date(2026, 3, 2), exchange) == begins


def candle(opened_at: datetime, prices: str = "10 12 9 11") -> Candle:
    return Candle("KRW-BTC", opened_at, *map(Decimal, prices.split()))


def test_daily_candles_become_days_of_their_exchange() -> None:
    assert as_days([candle(NINE)], UPBIT) == (
        Day(date(2026, 3, 2), *map(Decimal, (10, 12, 9, 11))),
    )
    assert as_days([candle(MIDNIGHT)], BITHUMB)[0].day == date(2026, 3, 2)


def test_candle_of_the_other_exchange_is_no_day() -> None:
    with pytest.raises(BadHistory, match="no day of upbit"):
        as_days([candle(MIDNIGHT)], UPBIT)


@pytest.mark.parametrize("prices", ["10 9 8 9", "10 12 11 12", "10 12 0 11", "10 11 9 12"])
def test_range_that_does_not_hold_is_refused(prices: str) -> None:
    with pytest.raises(BadHistory, match="range of 2026-03-02"):
        as_days([candle(NINE, prices)], UPBIT)


def test_day_told_twice_is_refused() -> None:
    day = make_days("10 12 9 11")

    with pytest.raises(BadHistory, match="2026-01-01 after 2026-01-01"):
        check_days(day * 2)


def test_running_day_is_not_finished() -> None:
    days = make_days("10 12 9 11", "11 12 9 11", "11 12 9 11")

    assert finished_before(days, days[2].day) == tuple(days[:2])


def test_range_is_from_low_to_high() -> None:
    assert make_days("10 12 9 11")[0].range == 3
