"""All base rates at once: the same as the rule that counts them one by one."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.base_rates import Table, base_rate_table
from app.domain.base_rates import WINDOW_DAYS, moves
from app.domain.votes import Direction, Duration

LAST = date(2026, 3, 3)
WON = 10**8


def years(*coins: list[int]) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    """A year that ends with these closes of each coin, in counts of 1e-8 won; 0 is no trade."""
    columns = [[0] * (WINDOW_DAYS - len(closes)) + closes for closes in coins]
    return np.array(columns, dtype=np.int64).reshape(len(coins), WINDOW_DAYS).T


def agrees(table: Table, coins: list[list[int]]) -> None:
    """The table says of each coin what the rule says."""
    for place, closes in enumerate(coins):
        first = LAST - timedelta(days=len(closes) - 1)
        days = {first + timedelta(days=number): price for number, price in enumerate(closes)}
        days = {day: price for day, price in days.items() if price}
        for number, duration in enumerate(Duration):
            found = moves(days, duration, LAST)
            assert table.windows[number, place] == (len(found.rises) if found else 0)
            for way, direction in enumerate(Direction):
                expected = [
                    found.rate(direction, range_pct).hits if found else 0
                    for range_pct in range(1, 301)
                ]
                assert table.hits[number, way, 1:, place].tolist() == expected


def test_move_of_exactly_the_range_counts() -> None:
    table = base_rate_table(years([100 * WON, 110 * WON, 99 * WON]), LAST)

    assert table.windows[0].tolist() == [2]
    assert table.hits[0, 0, 9:12, 0].tolist() == [1, 1, 0]
    assert table.hits[0, 1, 9:12, 0].tolist() == [1, 1, 0]


def test_prices_too_large_for_64_bits_are_compared_exactly() -> None:
    coins = [[10**18, 10**18, 11 * 10**17, 99 * 10**16], [2**62 - 1, 2**62], [100, 110]]

    agrees(base_rate_table(years(*coins), LAST), coins)


def test_coin_without_trades_has_no_window() -> None:
    table = base_rate_table(years([], [0, 5, 0]), LAST)

    assert table.windows.sum() == 0
    assert table.hits.sum() == 0


def test_without_coins_the_table_is_empty() -> None:
    assert base_rate_table(years(), LAST).hits.shape == (3, 2, 301, 0)


def test_less_or_more_than_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="364 days"):
        base_rate_table(years([1])[1:], LAST)


def test_whole_year_of_random_walks_agrees_with_the_rule() -> None:
    dice = np.random.default_rng(7)
    coins = []
    for scale in (1e-6, 0.01, 1.0, 5e3, 1.5e8):
        path = scale * WON * np.exp(np.cumsum(dice.normal(0, 0.09, WINDOW_DAYS)))
        closes = np.maximum(1, path.round()).astype(np.int64)
        closes[dice.random(WINDOW_DAYS) < 0.05] = 0
        coins.append(closes.tolist())

    agrees(base_rate_table(years(*coins), LAST), coins)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(st.integers(0, 5), st.integers(90, 110), st.integers(0, 2**63 - 1)),
            max_size=40,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_prices_agree_with_the_rule(coins: list[list[int]]) -> None:
    agrees(base_rate_table(years(*coins), LAST), coins)


@given(st.integers(1, 2**55), st.integers(1, 300), st.integers(-2, 2), st.booleans())
def test_prices_at_the_very_threshold_agree_with_the_rule(
    start: int, range_pct: int, off: int, rises: bool
) -> None:
    end = max(1, start * (100 + (range_pct if rises else -range_pct)) // 100 + off)
    coins = [[start, end]]

    agrees(base_rate_table(years(*coins), LAST), coins)
