"""How often it happened before, as pages tell it."""

from collections.abc import Callable
from datetime import date

import pytest

from app.domain.base_rates import BaseRate
from app.domain.votes import Duration
from app.services.votes import VoteView
from app.web.base_rates import Past, calendar_day, past, past_at_creation, rate_bars

SINCE, UNTIL = date(2025, 11, 20), date(2026, 11, 19)


def rate(hits: int, windows: int) -> BaseRate:
    return BaseRate(hits, windows, SINCE, UNTIL)


@pytest.mark.parametrize(
    ("hits", "windows", "shown"),
    [
        (82, 365, "22.5"),
        (0, 365, "0.0"),
        (365, 365, "100.0"),
        (1, 5000, "0.1"),
        (4999, 5000, "99.9"),
    ],
)
def test_percent_has_one_decimal_and_is_never_all_or_nothing_by_rounding(
    hits: int, windows: int, shown: str
) -> None:
    assert str(Past(hits, windows, Duration.DAY).pct) == shown


@pytest.mark.parametrize(
    ("duration", "fewest"), [(Duration.DAY, 357), (Duration.WEEK, 351), (Duration.MONTH, 327)]
)
def test_a_year_may_lack_a_few_days(duration: Duration, fewest: int) -> None:
    assert Past(1, fewest, duration).is_year
    assert not Past(1, fewest - 1, duration).is_year


def test_nothing_known_is_nothing_told() -> None:
    assert past(None, Duration.DAY) is None


def test_what_is_known_carries_its_days() -> None:
    assert past(rate(3, 10), Duration.WEEK) == Past(3, 10, Duration.WEEK, SINCE, UNTIL)


def test_a_vote_keeps_what_was_known_at_its_birth(make_view: Callable[..., VoteView]) -> None:
    known = make_view(base_rate_hits=0, base_rate_windows=121)

    assert past_at_creation(known) == Past(0, 121, Duration.WEEK)
    assert past_at_creation(make_view()) is None


@pytest.mark.usefixtures("korean")
def test_bars_are_there_for_the_periods_that_are_known() -> None:
    bars = rate_bars({Duration.DAY: rate(23, 364), Duration.MONTH: rate(139, 334)}, -5)

    assert [(label, str(pct), days) for label, pct, days in bars] == [
        ("1일 −5%", "6.3", "23일"),
        ("1개월 −5%", "41.6", "139일"),
    ]


@pytest.mark.usefixtures("korean")
def test_days_are_told_with_their_year() -> None:
    assert calendar_day(SINCE) == "2025.11.20"


@pytest.mark.usefixtures("english")
def test_days_are_told_with_their_year_in_english_too() -> None:
    assert calendar_day(SINCE) == "2025-11-20"
