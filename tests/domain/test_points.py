"""Points and records: accuracy, and what makes a whale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.points import (
    TOP_UP_POINTS,
    WELCOME_POINTS,
    NotEnoughPoints,
    accuracy_pct,
    crowd_pct,
    hits_to_whale,
    is_whale,
)

counts = st.integers(0, 10**6)


@st.composite
def records(draw: st.DrawFn) -> tuple[int, int]:
    settled = draw(counts)
    return draw(st.integers(0, settled)), settled


def test_figures_of_the_game() -> None:
    assert (WELCOME_POINTS, TOP_UP_POINTS) == (300, 10)


@pytest.mark.parametrize(
    ("right", "settled", "pct"),
    [(0, 0, "0.00"), (0, 3, "0.00"), (3, 3, "100.00"), (2, 3, "66.66"), (1, 8, "12.50")],
)
def test_accuracy_is_right_of_settled_in_percent(right: int, settled: int, pct: str) -> None:
    assert str(accuracy_pct(right=right, settled=settled)) == pct


@given(records())
def test_accuracy_reads_70_for_nobody_who_is_less_than_a_whale(record: tuple[int, int]) -> None:
    right, settled = record

    whale = is_whale(right=right, settled=settled, min_settled=1)
    assert (accuracy_pct(right=right, settled=settled) >= 70) == whale


def test_one_answer_short_of_a_whale_reads_less_than_70() -> None:
    assert str(accuracy_pct(right=69_999, settled=100_000)) == "69.99"


@pytest.mark.parametrize(
    ("right", "settled", "pct"), [(0, 0, "0.0"), (2, 3, "66.7"), (1, 16, "6.3"), (3, 3, "100.0")]
)
def test_crowd_is_rounded_to_one_decimal(right: int, settled: int, pct: str) -> None:
    assert str(crowd_pct(right=right, settled=settled)) == pct


@given(records())
def test_accuracy_stays_within_0_and_100(record: tuple[int, int]) -> None:
    right, settled = record

    assert 0 <= accuracy_pct(right=right, settled=settled) <= 100


@pytest.mark.parametrize(
    ("right", "settled", "whale"),
    [(7, 10, True), (69, 100, False), (70, 100, True), (699, 1000, False), (6, 9, False)],
)
def test_whale_has_at_least_70_percent(right: int, settled: int, whale: bool) -> None:
    assert is_whale(right=right, settled=settled, min_settled=1) is whale


def test_seven_of_nine_is_no_whale_while_ten_are_wanted() -> None:
    assert not is_whale(right=9, settled=9, min_settled=10)
    assert is_whale(right=10, settled=10, min_settled=10)


def test_one_lucky_answer_is_a_whale_by_the_original_rule() -> None:
    assert is_whale(right=1, settled=1, min_settled=1)


@pytest.mark.parametrize("min_settled", [0, 1, -3])
def test_nobody_is_a_whale_without_settled_answers(min_settled: int) -> None:
    assert not is_whale(right=0, settled=0, min_settled=min_settled)


@given(records(), st.integers(1, 50))
def test_hits_to_whale_is_the_fewest_that_suffice(record: tuple[int, int], least: int) -> None:
    right, settled = record
    hits = hits_to_whale(right=right, settled=settled, min_settled=least)

    assert is_whale(right=right + hits, settled=settled + hits, min_settled=least)
    assert hits == 0 or not is_whale(
        right=right + hits - 1, settled=settled + hits - 1, min_settled=least
    )


def test_too_few_points_says_how_many_are_missing() -> None:
    refusal = NotEnoughPoints(cost=50, balance=30)

    assert refusal.code == "not_enough_points"
    assert refusal.params == {"cost": 50, "balance": 30, "missing": 20}
