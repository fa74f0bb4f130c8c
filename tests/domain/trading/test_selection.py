"""The choice of k: exact grids, finished days, the smallest k of those that tie."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.trading import (
    USUAL_GRID,
    BadHistory,
    Costs,
    Opening,
    Search,
    Ticks,
    TooFewDays,
    check_grid,
    choose_k,
    make_grid,
    walk_forward,
)
from app.domain.trading.selection import TIE, best_place
from tests.histories import histories, make_days, perturbed

FREE = Costs(Decimal(0), Decimal(0))
SMALL = (Decimal("0.2"), Decimal("0.5"))
#: Each day breaks out by 0.3 of the range before it and falls back.
FALLS = ("1000 1030 930 1000",) * 5


def test_usual_grid_is_nine_exact_tenths() -> None:
    assert list(map(str, USUAL_GRID)) == [f"0.{tenths}" for tenths in range(1, 10)]


def test_grid_goes_from_first_to_last_in_exact_steps() -> None:
    grid = make_grid(Decimal("0.1"), Decimal("0.35"), Decimal("0.1"))

    assert list(map(str, grid)) == ["0.1", "0.2", "0.3"]


def test_grid_of_a_hundred_values_is_the_largest() -> None:
    step = Decimal("0.01")

    assert len(make_grid(step, Decimal(1), step)) == 100
    with pytest.raises(InvalidInput) as refused:
        make_grid(step, Decimal("1.01"), step)
    assert (refused.value.code, refused.value.params) == ("grid_size", {"limit": 100})


@pytest.mark.parametrize(
    ("grid", "code"),
    [
        ((), "grid_size"),
        (("0.1",) * 101, "grid_size"),
        (("0.2", "0.1"), "grid_out_of_order"),
        (("0.1", "0.1"), "grid_out_of_order"),
        (("0",), "setting_out_of_bounds"),
        (("0.0001",), "setting_out_of_bounds"),
        (("0.1111",), "setting_too_fine"),
    ],
)
def test_grid_that_cannot_be_is_refused(grid: tuple[str, ...], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_grid([Decimal(k) for k in grid])

    assert refused.value.code == code


@pytest.mark.parametrize("step", ["0", "-0.1"])
def test_step_of_a_grid_must_be_positive(step: str) -> None:
    with pytest.raises(InvalidInput):
        make_grid(Decimal("0.1"), Decimal("0.9"), Decimal(step))


def test_grid_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidInput):
        make_grid(Decimal("0.9"), Decimal("0.1"), Decimal("0.1"))


@pytest.mark.parametrize("setting", ["window", "use_for"])
def test_search_over_no_days_is_refused(setting: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Search(FREE, **{setting: 0})  # type: ignore[arg-type]

    assert refused.value.field == setting


def test_highest_score_wins_and_of_a_tie_the_smallest_k() -> None:
    almost = Decimal(2) * (1 - TIE / 2)

    assert best_place([Decimal(1), Decimal(2), Decimal(2)]) == 1
    assert best_place([Decimal(1), almost, Decimal(2)]) == 1
    assert best_place([Decimal(1), Decimal(2) * (1 - 2 * TIE), Decimal(2)]) == 2


def test_k_that_trades_least_into_falls_is_chosen() -> None:
    assert choose_k(make_days(*FALLS), Search(FREE, window=4, grid=SMALL)) == Decimal("0.5")


def test_too_few_days_are_told_with_both_figures() -> None:
    days = make_days("100 110 90 100", "100 110 90 100", "", "100 110 90 100")

    with pytest.raises(TooFewDays) as refused:
        choose_k(days, Search(FREE, window=2))
    assert refused.value.params == {"needed": 2, "had": 1}
    with pytest.raises(TooFewDays) as refused:
        walk_forward(days, Search(FREE, window=1))
    assert refused.value.params == {"needed": 2, "had": 1}


def test_days_out_of_order_are_refused() -> None:
    days = make_days("100 110 90 100", "100 110 90 100")

    with pytest.raises(BadHistory):
        choose_k(days[::-1], Search(FREE, window=1))


def test_choice_is_used_for_as_many_days_as_asked() -> None:
    days = make_days(*["1000 1010 990 1000", "1000 1300 990 1290"] * 5)

    used, _ = walk_forward(days, Search(FREE, window=3, use_for=4, grid=SMALL))

    assert len(used) == len(days) - 1 - 3
    places = list(used.values())
    assert len(set(places[:4])) == len(set(places[4:])) == 1


def test_open_of_today_ends_the_last_day_of_the_window() -> None:
    days = make_days(*FALLS[:2])
    rises, falls = (
        choose_k(
            days,
            Search(FREE, window=1, grid=SMALL),
            Opening(days[-1].day + timedelta(1), Decimal(price)),
        )
        for price in ("2000", "500")
    )

    assert (rises, falls) == SMALL


@settings(max_examples=40, deadline=None)
@given(histories(ticks=Ticks(), fewest=6, most=14), st.integers(0, 14))
def test_later_days_change_no_earlier_choice_and_no_earlier_trade(days: list, after: int) -> None:
    search = Search(FREE, window=3, grid=SMALL)
    changed = perturbed(days, after)
    try:
        (used, trades), (used_then, trades_then) = (
            walk_forward(one, search) for one in (days, changed)
        )
    except TooFewDays:
        return
    if after >= len(days):
        return

    opened = days[after].day
    assert all(used_then[day] == k for day, k in used.items() if day <= opened)
    early, early_then = (
        [(t.day, t.bought_at, t.sold_at) for t in one if t.sold_on < opened]
        for one in (trades, trades_then)
    )
    assert early == early_then
