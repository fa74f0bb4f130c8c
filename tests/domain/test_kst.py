"""Korean time: where a day begins, and what a calendar month is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.kst import (
    KST,
    add_month,
    floor_minute,
    kst_day,
    month_start,
    next_kst_day,
    to_kst,
)

SPAN = timedelta(days=25_000)
moments = st.timedeltas(timedelta(0), SPAN).map(datetime(2020, 1, 1, tzinfo=UTC).__add__)


def korean(text: str) -> datetime:
    """A moment by its Korean wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=KST)


def test_korean_day_begins_at_15_utc() -> None:
    before = datetime(2026, 3, 1, 14, 59, 59, 999_999, tzinfo=UTC)

    assert kst_day(before) == date(2026, 3, 1)
    assert kst_day(before + timedelta(microseconds=1)) == date(2026, 3, 2)


def test_korean_clock_is_nine_hours_ahead_also_in_summer() -> None:
    for month in (1, 7):
        assert to_kst(datetime(2026, month, 1, tzinfo=UTC)).hour == 9


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-31T10:00", "2026-02-28T10:00"),
        ("2028-01-31T10:00", "2028-02-29T10:00"),
        ("2026-03-31T10:00", "2026-04-30T10:00"),
        ("2026-02-28T10:00", "2026-03-28T10:00"),
        ("2026-12-15T10:00", "2027-01-15T10:00"),
        ("2026-12-31T23:59", "2027-01-31T23:59"),
        ("2026-02-01T00:30", "2026-03-01T00:30"),
        ("2028-02-29T00:00", "2028-03-29T00:00"),
    ],
)
def test_month_ends_on_same_korean_day_or_last_of_month(start: str, end: str) -> None:
    later = add_month(korean(start))

    assert later == korean(end)
    assert later.tzinfo is UTC


@given(moments)
def test_month_is_28_to_31_days(moment: datetime) -> None:
    assert timedelta(days=28) <= add_month(moment) - moment <= timedelta(days=31)


@given(moments, moments)
def test_later_start_never_ends_earlier(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))

    # Two starts in the last days of January may end together, at the end of February's last day.
    assert kst_day(add_month(first)) <= kst_day(add_month(second))


@given(moments)
def test_floor_cuts_to_whole_minute(moment: datetime) -> None:
    cut = floor_minute(moment)

    assert timedelta(0) <= moment - cut < timedelta(minutes=1)
    assert (cut.second, cut.microsecond) == (0, 0)


def test_next_day_begins_at_the_next_korean_midnight() -> None:
    midnight = datetime(2026, 3, 1, 15, tzinfo=UTC)

    assert next_kst_day(midnight - timedelta(microseconds=1)) == midnight
    assert next_kst_day(midnight) == midnight + timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        ("2026-03-01T00:00", "2026-03-01T00:00"),
        ("2026-02-28T23:59", "2026-02-01T00:00"),
        ("2026-12-31T12:00", "2026-12-01T00:00"),
    ],
)
def test_month_starts_at_its_first_korean_midnight(moment: str, start: str) -> None:
    assert month_start(korean(moment)) == korean(start)


@given(moments)
def test_moment_lies_between_its_days_midnights(moment: datetime) -> None:
    tomorrow = next_kst_day(moment)

    assert month_start(moment) <= moment < tomorrow
    assert tomorrow - moment <= timedelta(days=1)
