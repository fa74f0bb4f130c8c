"""Base rates: the same rule as settlement, one window per finished day."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.base_rates import BaseRate, end_day, last_finished, moves
from app.domain.money import from_units
from app.domain.votes import Choice, Direction, Duration, Question, outcome

UP, DOWN = Direction.UP, Direction.DOWN
LAST = date(2026, 3, 3)
ONE_WON = 10**8


def closes(*prices: int | None, last: date = LAST) -> dict[date, int]:
    """Closes in won of consecutive days up to `last`; None is a day without a trade."""
    first = last - timedelta(days=len(prices) - 1)
    return {
        first + timedelta(days=place): price * ONE_WON
        for place, price in enumerate(prices)
        if price is not None
    }


def rate(
    prices: dict[date, int], direction: Direction, range_pct: int, duration: Duration = Duration.DAY
) -> BaseRate | None:
    found = moves(prices, duration, LAST)
    return found.rate(direction, range_pct) if found else None


@pytest.mark.parametrize(
    ("direction", "range_pct", "hits"),
    [(UP, 9, 1), (UP, 10, 1), (UP, 11, 0), (DOWN, 9, 1), (DOWN, 10, 1), (DOWN, 11, 0)],
)
def test_move_of_exactly_the_range_counts(direction: Direction, range_pct: int, hits: int) -> None:
    found = rate(closes(100, 110, 99), direction, range_pct)

    assert found == BaseRate(hits, 2, LAST - timedelta(days=2), LAST)


def test_price_that_stands_still_moves_in_no_direction() -> None:
    prices = closes(100, 100)

    assert [rate(prices, way, 1).hits for way in Direction] == [0, 0]  # type: ignore[union-attr]


def test_day_without_a_trade_begins_and_ends_no_window() -> None:
    assert rate(closes(100, None, 200, 300), UP, 1) == BaseRate(1, 1, date(2026, 3, 2), LAST)


@pytest.mark.parametrize("prices", [closes(), closes(100), closes(100, None, 100)])
def test_without_a_window_there_is_no_rate(prices: dict[date, int]) -> None:
    assert rate(prices, UP, 1) is None


def test_windows_begin_at_each_of_the_last_365_days_and_end_finished() -> None:
    prices = closes(*[100] * 500)

    found = {duration: rate(prices, UP, 1, duration) for duration in Duration}

    first = LAST - timedelta(days=364)
    assert found[Duration.DAY] == BaseRate(0, 364, first, LAST)
    assert found[Duration.WEEK] == BaseRate(0, 358, first, LAST)
    assert found[Duration.MONTH] == BaseRate(0, 337, first, LAST)


def test_days_after_the_last_one_are_not_known_yet() -> None:
    prices = closes(100, 100, 200, last=LAST + timedelta(days=1))

    assert rate(prices, UP, 1) == BaseRate(0, 1, LAST - timedelta(days=1), LAST)


def test_short_history_tells_how_short_it_is() -> None:
    assert rate(closes(*[100] * 10), UP, 5, Duration.WEEK) == BaseRate(
        0, 3, LAST - timedelta(days=9), LAST
    )


def test_month_ends_as_a_vote_of_a_month_does() -> None:
    assert end_day(date(2026, 1, 30), Duration.MONTH) == date(2026, 2, 27)
    assert end_day(date(2026, 2, 27), Duration.MONTH) == date(2026, 3, 27)
    assert end_day(date(2026, 3, 1), Duration.WEEK) == date(2026, 3, 8)
    assert end_day(date(2026, 12, 31), Duration.DAY) == date(2027, 1, 1)


@pytest.mark.parametrize(("second", "last"), [(4, date(2026, 3, 2)), (5, date(2026, 3, 3))])
def test_day_is_finished_five_seconds_after_nine_in_korea(second: int, last: date) -> None:
    assert last_finished(datetime.combine(date(2026, 3, 4), time(0, 0, second), UTC)) == last


def test_rate_is_told_as_a_share_and_in_percent() -> None:
    found = BaseRate(2, 3, LAST, LAST)

    assert (found.share, found.pct) == (Decimal("0.6667"), Decimal("66.67"))


@given(
    start=st.integers(1, 2**50),
    end=st.integers(1, 2**50),
    direction=st.sampled_from(Direction),
    range_pct=st.integers(1, 300),
)
def test_window_is_hit_exactly_when_a_vote_would_come_out_yes(
    start: int, end: int, direction: Direction, range_pct: int
) -> None:
    asked = Question(direction, Duration.DAY, range_pct)
    found = moves({LAST - timedelta(days=1): start, LAST: end}, Duration.DAY, LAST)
    assert found is not None

    result = outcome(asked, created_price=from_units(start), final_price=from_units(end))

    assert found.rate(direction, range_pct).hits == (result is Choice.YES)


@given(
    start=st.integers(1, 10**12),
    range_pct=st.integers(1, 300),
    off=st.integers(-2, 2),
    direction=st.sampled_from(Direction),
)
def test_window_at_the_very_threshold_is_decided_as_a_vote_is(
    start: int, range_pct: int, off: int, direction: Direction
) -> None:
    sign = 1 if direction is UP else -1
    end = max(1, start * (100 + sign * range_pct) // 100 + off)
    test = test_window_is_hit_exactly_when_a_vote_would_come_out_yes.hypothesis.inner_test  # type: ignore[attr-defined]
    test(start=start, end=end, direction=direction, range_pct=range_pct)
