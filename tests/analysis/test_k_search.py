"""The search over arrays does what the reference does, day by day and trade by trade."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.coin import Ks, TooFine, make_ready
from app.analysis.growth import growths, trades_at
from app.analysis.history import History
from app.analysis.k_search import Searched, search_all, search_coin
from app.analysis.scratch import Scratch
from app.domain.money import from_units
from app.domain.trading import (
    BadHistory,
    Costs,
    Day,
    Opening,
    Search,
    Ticks,
    TooFewDays,
    choose_k,
    make_grid,
    replay,
    walk_forward,
)
from app.domain.trading.days import ONE_DAY
from app.domain.trading.selection import days_that_count
from tests.histories import RECORDINGS, histories, make_days, perturbed, recorded

NEAR = 1e-9
FREE = Costs(Decimal(0), Decimal(0))
shares = st.sampled_from([Decimal(share) for share in ("0", "0.0005", "0.0025")])
slippages = st.sampled_from([Decimal(share) for share in ("0", "0.001", "0.01", "0.07")])
grids = st.lists(st.decimals("0.05", "2", places=2), min_size=1, max_size=5, unique=True).map(
    lambda ks: tuple(sorted(ks))
)
searches = st.builds(
    Search,
    costs=st.builds(
        Costs,
        bid_fee=shares,
        ask_fee=shares,
        slippage=slippages,
        ticks=st.sampled_from([Ticks(), Ticks(), Ticks(Decimal("0.5"))]),
    ),
    window=st.integers(1, 8),
    use_for=st.integers(1, 4),
    grid=grids,
    mean_days=st.sampled_from([None, None, 1, 3]),
    stop_loss_pct=st.sampled_from([None, Decimal("0.5"), Decimal(5)]),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Day], Search, Opening | None]:
    search = draw(searches)
    days = draw(histories(ticks=search.costs.ticks, fewest=2, most=25))
    running = Opening(days[-1].day + ONE_DAY, days[-1].close) if draw(st.booleans()) else None
    return days, search, running


@settings(max_examples=150, deadline=None)
@given(cases())
def test_every_trade_of_every_k_is_that_of_the_reference(
    case: tuple[list[Day], Search, Opening | None],
) -> None:
    days, search, running = case
    coin, ks = make_ready(History.of(days), search, running), Ks.of(search.grid)
    growth, made = growths(coin, ks, search, Scratch())

    assert [days[place].day.toordinal() for place in days_that_count(days, search)] == list(
        coin.days
    )
    for column, k in enumerate(search.grid):
        strategy = search.strategy(k)
        trades = replay(days, lambda _, it=strategy: it, search.costs, running)
        rows = np.flatnonzero(made[:, column])
        assert [trade.day.toordinal() for trade in trades] == list(coin.days[rows])
        assert growth[rows, column] == pytest.approx([float(t.growth) for t in trades], rel=NEAR)
        cells = trades_at(coin, rows, ks.numers[np.full(len(rows), column)], ks.denom, search)
        told = np.array([cells.target, cells.bought, cells.sold]).T * coin.unit
        assert [tuple(map(from_units, map(int, row))) for row in told] == [
            (trade.target, trade.bought_at, trade.sold_at) for trade in trades
        ]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_search_chooses_as_the_reference_does(
    case: tuple[list[Day], Search, Opening | None],
) -> None:
    days, search, running = case
    counted = len(days_that_count(days, search))
    if counted <= search.window:
        with pytest.raises(TooFewDays) as refused:
            search_coin(History.of(days), search, running)
        assert refused.value.params == {"needed": search.window + 1, "had": counted}
        return

    used, trades = walk_forward(days, search, running)
    found = search_coin(History.of(days), search, running)

    must_agree(found, search, days, running)
    assert [search.grid[place] for place in found.chosen] == list(used.values())
    by_day = {trade.day: float(trade.growth) for trade in trades}
    assert found.walked == pytest.approx([by_day.get(day, 1.0) for day in used], rel=NEAR)


def must_agree(found: Searched, search: Search, days: list[Day], running: Opening | None) -> None:
    """The figures of each k over the days out of sample, and the k for the next day."""
    judged = [days[place].day for place in days_that_count(days, search)][search.window :]
    for column, k in enumerate(search.grid):
        strategy = search.strategy(k)
        trades = replay(days, lambda _, it=strategy: it, search.costs, running)
        inside = [float(trade.growth) for trade in trades if trade.day in judged]
        assert found.growth[column] == pytest.approx(np.prod(inside), rel=NEAR)
        assert found.trades[column] == len(inside)
    assert found.growth[found.best] == pytest.approx(found.growth.max())
    assert found.next_k == choose_k(days, search, running)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_markets_are_searched_as_the_reference_does(name: str) -> None:
    days = recorded(name)[-70:]
    search = Search(
        Costs(Decimal("0.0005"), Decimal("0.0005"), Decimal("0.001")), window=20, mean_days=5
    )

    used, trades = walk_forward(days, search)
    found = search_coin(History.of(days), search)

    assert [search.grid[place] for place in found.chosen] == list(used.values())
    by_day = {trade.day: float(trade.growth) for trade in trades}
    assert found.walked == pytest.approx([by_day.get(day, 1.0) for day in used], rel=NEAR)
    assert found.next_k == choose_k(days, search)


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_trade_of_a_recorded_market_is_that_of_the_reference(name: str) -> None:
    days, grid = recorded(name), make_grid(Decimal("0.1"), Decimal("0.9"), Decimal("0.4"))
    for stop in (None, Decimal(3)):
        search = Search(
            Costs(Decimal("0.0005"), Decimal("0.0005"), Decimal("0.001")),
            grid=grid,
            stop_loss_pct=stop,
        )
        coin, ks = make_ready(History.of(days), search), Ks.of(grid)
        growth, made = growths(coin, ks, search, Scratch())
        for column, k in enumerate(grid):
            trades = replay(days, lambda _, k=k, s=search: s.strategy(k), search.costs)
            rows = np.flatnonzero(made[:, column])
            assert list(coin.days[rows]) == [trade.day.toordinal() for trade in trades]
            told = growth[rows, column]
            assert told == pytest.approx([float(trade.growth) for trade in trades], rel=NEAR)


@given(cases(), st.integers(0, 25))
def test_later_days_change_no_earlier_choice(
    case: tuple[list[Day], Search, Opening | None], after: int
) -> None:
    days, search, _ = case
    changed = perturbed(days, after)

    try:
        before, since = (search_coin(History.of(one), search) for one in (days, changed))
    except TooFewDays:
        return

    opened = days[after].day.toordinal() if after < len(days) else np.inf
    known = np.searchsorted(before.coin.days[search.window :], opened, side="right")
    assert list(before.chosen[:known]) == list(since.chosen[:known])


def test_coin_that_cannot_be_searched_keeps_no_other_from_it() -> None:
    days = make_days(*["100 110 95 105", "105 120 100 118"] * 6)
    wild = make_days(*["123456789.12345678 123456789.12345679 0.00000001 123456789"] * 9)
    coins = [History.of(one) for one in (days, days[:2], wild, days)]

    found = list(search_all(coins, Search(FREE, window=3)))

    assert [type(one) for one in found] == [Searched, TooFewDays, TooFine, Searched]
    assert found[1].params == {"needed": 4, "had": 1}


def test_history_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadHistory, match="out of order"):
        History.from_rows([(2, 1, 1, 1, 1), (2, 1, 1, 1, 1)])
    with pytest.raises(BadHistory, match="range of day 2"):
        History.from_rows([(1, 1, 1, 1, 1), (2, 1, 1, 1, 2)])


def test_running_day_comes_after_all_others() -> None:
    days = make_days("100 110 95 105", "105 120 100 118")

    with pytest.raises(BadHistory, match="isn't after"):
        make_ready(History.of(days), Search(FREE), Opening(days[-1].day, days[-1].close))


def test_prices_with_more_digits_than_can_be_counted_are_refused() -> None:
    days = make_days(*["123456789.12345678 123456789.12345679 0.00000001 123456789"] * 4)

    with pytest.raises(TooFine, match="1e-8 won"):
        search_coin(History.of(days), Search(FREE, window=1))
    with pytest.raises(TooFine, match="sum of all closes"):
        make_ready(History.of(days), Search(FREE, window=1, mean_days=1))


def test_no_history_has_no_days_that_count() -> None:
    with pytest.raises(TooFewDays):
        search_coin(History.of([]), Search(FREE, window=1))
