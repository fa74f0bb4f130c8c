"""Candles as pages read them: finished ones only, longer ones put together, wishes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.market import CandleUnit
from app.extensions import db
from app.models import CandleWish, Coin
from app.services import market
from tests import factories as make

NOW = make.NOW  # 2026-03-02 03:04:30 UTC, a Monday
DAY, HOUR, MINUTE = CandleUnit.DAY, CandleUnit.HOUR, CandleUnit.MINUTE


@pytest.fixture
def coin(session: Session) -> Coin:
    return make.make_coin()


def closes(coin: Coin, frame: int, *, until: datetime = NOW, count: int = 10) -> list[str]:
    found = market.candle_series(coin_id=coin.id, frame=frame, until=until, count=count)
    return [f"{candle.close:f}" for candle in found]


def test_series_is_oldest_first_and_as_long_as_asked(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", None, "4")

    assert closes(coin, DAY) == ["1", "2", "4"]
    assert closes(coin, DAY, count=2) == ["2", "4"]
    assert closes(coin, HOUR) == closes(coin, 240) == []


def test_series_ends_with_what_was_over(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", "3")
    end = datetime(2026, 3, 1, tzinfo=UTC)

    assert closes(coin, DAY, until=end) == ["1", "2"]
    assert closes(coin, DAY, until=end - timedelta(seconds=1)) == ["1"]


def test_candle_keeps_every_figure(coin: Coin) -> None:
    make.make_candles(coin, "0.00012345", "0.00012346")

    last = market.candle_series(coin_id=coin.id, frame=DAY, until=NOW, count=1)[0]

    assert (last.market, last.opened_at) == ("KRW-BTC", datetime(2026, 3, 1, tzinfo=UTC))
    assert (last.open, last.close) == (Decimal("0.00012345"), Decimal("0.00012346"))
    assert (last.volume, last.turnover) == (1.0, 0.00012346)


def test_week_that_is_not_over_is_no_candle(coin: Coin) -> None:
    make.make_candles(coin, *map(str, range(1, 22)))

    assert closes(coin, 10080) == ["7", "14", "21"]
    assert closes(coin, 10080, until=NOW - timedelta(days=1)) == ["7", "14"]


def test_longer_candle_of_which_a_part_is_unknown_is_not_shown(coin: Coin) -> None:
    make.make_candles(coin, *map(str, range(1, 13)))  # five days of a week, and a whole one

    assert closes(coin, 10080) == ["12"]
    assert closes(coin, 10080, until=NOW + timedelta(days=30)) == ["12"]


def test_part_without_trades_is_known_all_the_same(coin: Coin) -> None:
    make.make_candles(coin, "1", None, None, None, "5", None, None)

    assert closes(coin, 10080) == ["5"]


def test_first_longer_candle_of_a_new_coin_is_shown(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", "3")
    assert closes(coin, 10080) == []

    make.know_the_start(coin)

    assert closes(coin, 10080) == ["3"]


@pytest.mark.parametrize("frame", [15, 240])
def test_short_frames_are_put_together_from_minutes_and_hours(coin: Coin, frame: int) -> None:
    unit = MINUTE if frame == 15 else HOUR
    make.make_candles(coin, *map(str, range(1, 1 + 3 * frame // unit)), unit=unit)

    found = market.candle_series(coin_id=coin.id, frame=frame, until=NOW, count=2)

    assert len(found) == 2
    assert all(candle.volume == frame // unit for candle in found)
    assert found[-1].opened_at + timedelta(minutes=frame) <= NOW


def test_count_of_longer_candles_is_whole(coin: Coin) -> None:
    make.make_candles(coin, *map(str, range(1, 400)), unit=HOUR)

    found = market.candle_series(coin_id=coin.id, frame=240, until=NOW, count=50)

    assert len(found) == 50
    assert all(candle.volume == 4 for candle in found)


def test_unknown_frame_is_refused(coin: Coin) -> None:
    with pytest.raises(ValueError, match="no frame of 30"):
        closes(coin, 30)


def wished_at(session: Session) -> datetime | None:
    session.rollback()
    return session.scalar(select(CandleWish.wanted_at))


def test_wish_is_noted_at_most_once_a_minute(session: Session, coin: Coin) -> None:
    for seconds in (0, 59):
        market.want_candles(coin_id=coin.id, unit=HOUR, now=NOW + timedelta(seconds=seconds))
        assert wished_at(session) == NOW

    market.want_candles(coin_id=coin.id, unit=HOUR, now=NOW + timedelta(seconds=60))

    assert wished_at(session) == NOW + timedelta(seconds=60)
    assert db.session.scalar(select(func.count()).select_from(CandleWish)) == 1


def test_each_unit_has_a_wish_of_its_own(session: Session, coin: Coin) -> None:
    for unit in CandleUnit:
        market.want_candles(coin_id=coin.id, unit=unit, now=NOW)

    assert session.scalar(select(func.count()).select_from(CandleWish)) == 3


def test_week_in_lines_goes_on_where_nothing_was_traded(coin: Coin) -> None:
    make.make_candles(coin, *map(str, range(1, 169)), unit=HOUR)
    quiet = make.make_coin("QUIET")
    make.make_candles(quiet, "5", *[None] * 9, "7", *[None] * 9, unit=HOUR)
    make.make_coin("NONE")

    lines = market.week_lines(NOW)

    assert [int(price) for price in lines[coin.id]] == list(range(6, 169, 6))
    assert [int(price) for price in lines[quiet.id]] == [5, 5, 7, 7]
    assert len(lines) == 2


def test_lines_are_of_active_coins_and_of_this_week(session: Session, coin: Coin) -> None:
    make.make_candles(coin, "5", unit=HOUR, until=NOW - timedelta(days=8))
    gone = make.make_coin("GONE", delisted_at=NOW)
    make.make_candles(gone, "5", unit=HOUR)

    assert market.week_lines(NOW) == {}


def test_last_finished_day_is_the_newest_that_is_over(coin: Coin) -> None:
    make.make_candles(coin, "1", "2", None)
    make.make_coin("NONE")

    found = market.last_finished_day(NOW)

    assert {ident: int(candle.close) for ident, candle in found.items()} == {coin.id: 2}


def test_day_counts_as_finished_from_nine_in_korea(coin: Coin) -> None:
    make.make_candles(coin, "1", "2")
    nine = datetime(2026, 3, 2, tzinfo=UTC)

    assert market.last_finished_day(nine + timedelta(seconds=4))[coin.id].close == 1
    assert market.last_finished_day(nine + timedelta(minutes=2))[coin.id].close == 2
