"""What a chart shows: finished candles, the one that still forms, a line of prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.market import Candle, CandleUnit
from app.models import Coin, Quote
from app.services import market
from app.services.market import CatalogueCoin
from tests import factories as make

NOW = make.NOW  # 2026-03-02 03:04:30 UTC, a Monday
DAY, HOUR, MINUTE = CandleUnit.DAY, CandleUnit.HOUR, CandleUnit.MINUTE
WEEK, FOUR_HOURS, QUARTER = 10_080, 240, 15


@pytest.fixture
def coin(session: Session) -> Coin:
    return make.make_coin(price="107")


def listed(now: datetime = NOW) -> CatalogueCoin:
    found = market.find_coin("BTC", now)
    assert found is not None
    return found


def say(**figures: object) -> None:
    """Let the exchange have said this beside the price."""
    with transaction() as session:
        session.execute(update(Quote).values(**figures))
    market.coins_now.forget()


def forming(frame: int, now: datetime = NOW) -> tuple[str, str, str, str, str] | None:
    one = market.forming_candle(coin=listed(now), frame=frame, now=now)
    return one and (
        f"{one.opened_at:%d %H:%M}",
        *map(str, (one.open, one.high, one.low, one.close)),
    )


def test_the_forming_candle_begins_with_the_finished_parts(coin: Coin) -> None:
    make.make_candles(coin, "90", "120", "100", "105", unit=MINUTE)  # 03:00 to 03:03

    assert forming(QUARTER) == ("02 03:00", "90", "120", "90", "107")
    assert forming(HOUR) == ("02 03:00", "90", "120", "90", "107")


def test_hours_and_then_minutes_make_four_hours(coin: Coin) -> None:
    make.make_candles(coin, "80", "130", "110", unit=HOUR)  # 00:00 to 02:00
    make.make_candles(coin, "999", "112", "104", unit=MINUTE, until=NOW - timedelta(minutes=1))

    assert forming(FOUR_HOURS) == ("02 00:00", "80", "999", "80", "107")


def test_minutes_that_an_hour_holds_already_are_not_counted_again(coin: Coin) -> None:
    make.make_candles(coin, "100", unit=HOUR)
    make.make_candles(coin, "999", unit=MINUTE, until=datetime(2026, 3, 2, 3, 0, 30, tzinfo=UTC))

    assert forming(FOUR_HOURS) == ("02 00:00", "100", "107", "100", "107")


def test_what_was_over_before_is_no_part_of_it(coin: Coin) -> None:
    make.make_candles(coin, "500", unit=MINUTE, until=NOW - timedelta(minutes=30))

    assert forming(QUARTER) == ("02 03:00", "107", "107", "107", "107")


def test_of_the_day_the_exchange_itself_tells(coin: Coin) -> None:
    say(open=Decimal(100), high=Decimal(110), low=Decimal(95))

    assert forming(DAY) == ("02 00:00", "100", "110", "95", "107")


def test_a_price_above_the_told_high_raises_it(coin: Coin) -> None:
    say(open=Decimal(100), high=Decimal(105), low=Decimal(95))

    assert forming(DAY) == ("02 00:00", "100", "107", "95", "107")


def test_a_week_is_its_days_and_today(coin: Coin) -> None:
    tuesday = NOW + timedelta(days=1)
    make.make_candles(coin, "70", "150", until=tuesday)  # Sunday, Monday
    make.set_price("BTC", "140", at=tuesday)
    say(open=Decimal(149), high=Decimal(151), low=Decimal(135))

    assert forming(WEEK, tuesday) == ("02 00:00", "70", "151", "70", "140")


def test_a_minute_begins_with_the_latest_price(coin: Coin) -> None:
    assert forming(MINUTE) == ("02 03:04", "107", "107", "107", "107")


@pytest.mark.parametrize("frame", [MINUTE, QUARTER, HOUR, FOUR_HOURS, DAY, WEEK])
def test_without_a_trade_in_it_nothing_forms(coin: Coin, frame: int) -> None:
    later = NOW + timedelta(minutes=frame)
    say(open=Decimal(100), high=Decimal(110), low=Decimal(95))

    assert forming(frame, later) is None


def test_a_coin_without_a_price_forms_nothing(session: Session) -> None:
    make.make_coin(price=None)

    assert forming(DAY) is None


def chart(coin: Coin, count: int, now: datetime = NOW) -> market.Chart:
    return market.coin_chart(coin=listed(), frame=DAY, count=count, now=now)


def test_chart_keeps_finished_and_forming_apart(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", "3")

    found = chart(coin, 2)

    assert [str(one.close) for one in found.candles] == ["2", "3"]
    assert isinstance(found.forming, Candle)
    assert found.forming.opened_at > found.candles[-1].opened_at


def test_chart_is_complete_when_all_that_was_asked_for_is_there(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", "3")

    assert chart(coin, 3).is_complete
    assert not chart(coin, 4).is_complete


def test_chart_is_complete_when_the_exchange_has_nothing_older(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", "3")
    make.know_the_start(coin)

    assert chart(coin, 4).is_complete


def test_chart_of_a_coin_that_nothing_is_known_of_is_empty(coin: Coin) -> None:
    assert chart(coin, 4).candles == ()
    assert not chart(coin, 4).is_complete


def line(coin: Coin, *, hours: int, points: int = 160) -> list[tuple[str, str]]:
    since = NOW - timedelta(hours=hours)
    found = market.price_line(coin_id=coin.id, since=since, until=NOW, points=points)
    return [(f"{moment:%d %H:%M}", f"{price:f}") for moment, price in found]


def test_line_holds_what_was_observed_and_the_closes_of_candles(coin: Coin) -> None:
    make.make_candles(coin, "80", "90", unit=HOUR)  # over at 02:00 and at 03:00
    market.remember_prices(code="BTC", prices=[(NOW.replace(hour=2, minute=30), Decimal(85))])

    assert line(coin, hours=2) == [
        ("02 02:00", "80"), ("02 02:30", "85"), ("02 03:00", "90"), ("02 03:04", "107"),
    ]  # fmt: skip


def test_closes_from_before_the_line_are_left_out(coin: Coin) -> None:
    make.make_candles(coin, "80", "90", unit=HOUR)

    assert line(coin, hours=1) == [("02 03:00", "90"), ("02 03:04", "107")]


def test_of_times_long_ago_the_days_remain(coin: Coin) -> None:
    make.make_candles(coin, "80", "90")  # over at midnight of the 1st and the 2nd

    assert line(coin, hours=48) == [("01 00:00", "80"), ("02 00:00", "90"), ("02 03:04", "107")]


def test_a_long_line_is_thinned_and_keeps_its_end(coin: Coin) -> None:
    make.make_candles(coin, *map(str, range(1, 25)), unit=HOUR)

    found = line(coin, hours=24, points=10)

    assert len(found) <= 14
    assert found[-1] == ("02 03:04", "107")


def test_a_line_of_nothing_is_empty(session: Session) -> None:
    assert line(make.make_coin(price=None), hours=2) == []
