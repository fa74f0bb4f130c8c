"""One coin's backtest: its trades, its curve, and what it is compared with."""

from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from operator import mul

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.backtest import BookedTrade, judge, with_k
from app.analysis.history import History
from app.analysis.shuffle import shuffled
from app.analysis.steps import Floats
from app.domain.runs import OrderReason
from app.domain.trading import (
    Costs,
    Day,
    Doubt,
    Opening,
    Search,
    Ticks,
    TooFewDays,
    Trade,
    replay,
    walk_forward,
)
from tests.histories import RECORDINGS, histories, make_days, recorded

FEE = Decimal("0.0005")
FREE = Costs(Decimal(0), Decimal(0))
COSTS = Costs(FEE, FEE, Decimal("0.001"))
HALF = (Decimal("0.5"),)
CAPITAL, MINIMUM = Decimal(1_000_000), Decimal(5000)
DAYS = make_days(
    "1000 1100 900 1000", "1000 1300 1000 1200", "1200 1210 1100 1150", "1210 1270 1090 1100"
)


def booked(trade: Trade, k: Decimal, money: Decimal, costs: Costs) -> BookedTrade:
    """The reference's trade as it is booked when it spends so much money."""
    volume = money / (trade.bought_at * (1 + costs.bid_fee))
    return BookedTrade(
        day=trade.day,
        k=k,
        target=trade.target,
        bought_at=trade.bought_at,
        sold_on=trade.sold_on,
        sold_at=trade.sold_at,
        reason=trade.reason,
        fee=volume * (trade.bought_at * costs.bid_fee + trade.sold_at * costs.ask_fee),
        growth=trade.growth,
    )


def test_trades_are_booked_with_their_fee_in_won() -> None:
    tested = with_k(History.of(DAYS), Search(Costs(FEE, FEE), grid=HALF), HALF[0])

    first, second = tested.trades(CAPITAL)

    assert (first.day, first.bought_at, first.sold_at) == (DAYS[1].day, 1100, 1200)
    assert first.reason is OrderReason.DAY_END
    volume = CAPITAL / (1100 * (1 + FEE))
    assert first.fee == volume * (1100 * FEE + 1200 * FEE)
    assert (second.reason, second.sold_on, second.sold_at) == (None, DAYS[3].day, 1100)


def test_stop_is_told_as_the_reason_and_ends_the_trade_on_its_day() -> None:
    search = Search(FREE, grid=HALF, stop_loss_pct=Decimal(5))

    first, *_ = with_k(History.of(DAYS), search, HALF[0]).trades(CAPITAL)

    assert (first.reason, first.sold_on, first.sold_at) == (
        OrderReason.STOP_LOSS,
        DAYS[1].day,
        1045,
    )


def test_curve_falls_and_rises_with_the_trades() -> None:
    line = with_k(History.of(DAYS), Search(FREE, grid=HALF), HALF[0]).line

    gain, loss = 1200 / 1100, 1100 / 1265
    assert line.curve == pytest.approx([gain, gain, gain * loss])
    assert line.growth == line.curve[-1]
    assert line.drawdown == pytest.approx(1 - loss)
    assert (line.trades, line.hits) == (2, 1)


def test_fall_below_the_start_is_a_drawdown_too() -> None:
    down = make_days("1000 1100 900 1000", "1000 1300 1000 1200", "550 550 550 550")

    assert with_k(History.of(down), Search(FREE, grid=HALF), HALF[0]).line.drawdown == 0.5


def test_sale_that_brings_less_than_its_fees_is_no_hit() -> None:
    days = make_days("1000 1100 900 1000", "1000 1300 1000 1101", "1101 1101 1101 1101")

    line = with_k(History.of(days), Search(Costs(FEE, FEE), grid=HALF), HALF[0]).line

    assert (line.trades, line.hits) == (1, 0)  # bought at 1100, sold at 1101


def test_no_trade_changes_nothing() -> None:
    calm = make_days("1000 1100 900 1000", "1000 1010 1000 1000")

    line = with_k(History.of(calm), Search(FREE, grid=HALF), HALF[0]).line

    assert (line.growth, line.trades, line.hits, line.drawdown) == (1, 0, 0, 0)


def test_history_without_a_day_that_counts_has_an_empty_line() -> None:
    line = with_k(History.of(DAYS[:1]), Search(FREE, grid=HALF), HALF[0]).line

    assert (len(line.curve), line.growth, line.trades) == (0, 1, 0)


@pytest.mark.parametrize("name", RECORDINGS)
def test_walk_forward_of_a_recording_books_the_trades_of_the_reference(name: str) -> None:
    days = recorded(name)[-60:]
    search = Search(COSTS, window=20, use_for=5, stop_loss_pct=Decimal(4))
    used, trades = walk_forward(days, search)

    judged = judge(History.of(days), search, capital=CAPITAL, min_total=MINIMUM, shuffles=0)

    money = [CAPITAL, *accumulate((trade.growth for trade in trades), mul)]
    expected = [
        booked(trade, used[trade.day], CAPITAL * grown if place else CAPITAL, COSTS)
        for place, (trade, grown) in enumerate(zip(trades, [Decimal(1), *money[1:]], strict=False))
    ]
    told = list(judged.out_of_sample.trades(CAPITAL))
    assert [(one.day, one.k, one.bought_at, one.sold_at, one.reason) for one in told] == [
        (one.day, one.k, one.bought_at, one.sold_at, one.reason) for one in expected
    ]
    for ours, theirs in zip(told, expected, strict=True):
        assert ours.fee == pytest.approx(theirs.fee, rel=Decimal("1e-9"))
        assert ours.growth == theirs.growth
    product = float(np.prod([float(trade.growth) for trade in trades]))
    assert judged.out_of_sample.line.growth == pytest.approx(product, rel=1e-9)


def test_in_sample_and_out_of_sample_are_told_of_the_same_days() -> None:
    days = make_days(*["1000 1060 960 1000", "1000 1300 960 1290"] * 10)
    search = Search(COSTS, window=6, use_for=4)

    judged = judge(History.of(days), search, capital=CAPITAL, min_total=MINIMUM, shuffles=0)

    lines = (judged.in_sample.line, judged.out_of_sample.line, judged.holding)
    assert {tuple(line.days) for line in lines} == {tuple(one.day.toordinal() for one in days[7:])}
    assert judged.in_sample.line.growth == pytest.approx(judged.searched.growth.max())
    assert len(set(judged.in_sample.places)) == 1
    assert judged.p_value is None


def test_holding_buys_once_at_the_same_costs_and_is_valued_each_morning() -> None:
    search = Search(COSTS, window=1, grid=HALF)
    judged = judge(
        History.of(DAYS),
        search,
        capital=CAPITAL,
        min_total=MINIMUM,
        running=Opening(DAYS[-1].day + timedelta(days=1), Decimal(1500)),
        shuffles=0,
    )

    expected = [
        float(COSTS.growth(Decimal(1202), COSTS.sold_at(Decimal(price), DAYS[2].day)))
        for price in (1210, 1500)
    ]
    assert judged.holding.curve == pytest.approx(expected)
    assert judged.holding.trades == 1


def test_missing_days_and_few_trades_are_doubts() -> None:
    days = [*DAYS, *make_days("1100 1200 1000 1100", first=DAYS[-1].day + timedelta(days=3))]

    found = judge(
        History.of(days), Search(FREE, window=1), capital=CAPITAL, min_total=MINIMUM, shuffles=0
    )

    assert {Doubt.MISSING_DAYS, Doubt.FEW_TRADES} <= set(found.doubts)


def test_too_little_money_is_a_doubt_from_the_lowest_point_on() -> None:
    days = make_days(  # bought at 1200 and sold at 600, then bought at 1000 and sold at 2000
        "1000 1400 1000 1000", "1000 1100 700 1000", "1000 1400 600 600", "600 2100 600 2000",
        "2000 2000 2000 2000",
    )  # fmt: skip
    search = Search(FREE, window=1, grid=HALF)

    found = [
        judge(History.of(days), search, capital=capital, min_total=MINIMUM, shuffles=0)
        for capital in (Decimal(9999), Decimal(10_000))
    ]

    assert [Doubt.TOO_LITTLE_MONEY in one.doubts for one in found] == [True, False]


def test_too_few_days_are_refused() -> None:
    with pytest.raises(TooFewDays):
        judge(History.of(DAYS), Search(FREE, window=3), capital=CAPITAL, min_total=MINIMUM)


def test_shuffled_markets_tell_luck_from_memory() -> None:
    chance = np.random.default_rng(5)
    lucky = remembering(chance, memory=False)
    telling = remembering(chance, memory=True)
    search = Search(FREE, window=20, grid=(Decimal("0.3"), Decimal("0.6"), Decimal("0.9")))

    values = [
        judge(one, search, capital=CAPITAL, min_total=MINIMUM, shuffles=60).p_value
        for one in (telling, lucky)
    ]

    assert values[0] is not None
    assert values[1] is not None
    assert 0 < values[0] < 0.05 < values[1]


def test_shuffled_market_that_does_exactly_as_well_counts() -> None:
    calm = make_days(*["1000 1010 990 1000"] * 12)
    search = Search(FREE, window=3, grid=(Decimal(2),))

    found = judge(History.of(calm), search, capital=CAPITAL, min_total=MINIMUM, shuffles=9)

    assert found.out_of_sample.line.trades == 0
    assert found.p_value == 1


def remembering(chance: np.random.Generator, *, memory: bool) -> History:
    """A market that rises after each calm day and falls after each wide one, or doesn't care."""
    rows, price, wide = [], 10_000_000, False
    for day in range(1, 241):
        rises = not wide if memory else bool(chance.integers(2))
        wide = bool(chance.integers(2))
        reach = price // 25 if wide else price // 250
        close = price + reach if rises else price - reach
        high, low = max(price, close) + reach // 10, min(price, close) - reach // 10
        rows.append([day, *(10**8 * one for one in (price, high, low, close))])
        price = close
    return History.from_rows(rows)


def test_same_seed_gives_the_same_shuffles_and_progress_is_told() -> None:
    days = make_days(*["1000 1060 960 1000", "1000 1300 960 1290", "1290 1300 900 1000"] * 10)
    steps: list[tuple[int, int]] = []

    values = [
        judge(
            History.of(days),
            Search(COSTS, window=6),
            capital=CAPITAL,
            min_total=MINIMUM,
            shuffles=9,
            seed=seed,
            progress=lambda done, total: steps.append((done, total)),
        ).p_value
        for seed in (3, 3)
    ]

    assert values[0] == values[1]
    assert steps[:9] == [(done, 9) for done in range(1, 10)]


class Cancelled(Exception):
    """What a test raises to stop."""


def test_work_ends_when_the_one_who_watches_says_so() -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled

    days = make_days(*["1000 1060 960 1000"] * 10)
    with pytest.raises(Cancelled):
        judge(
            History.of(days),
            Search(COSTS, window=6),
            capital=CAPITAL,
            min_total=MINIMUM,
            progress=stop,
        )


@settings(max_examples=30, deadline=None)
@given(histories(ticks=Ticks(), fewest=2, most=30), st.integers(0, 2**32))
def test_shuffled_market_moves_as_much_as_the_true_one(days: list[Day], seed: int) -> None:
    history = History.of(days)

    other = shuffled(history, Ticks(), np.random.default_rng(seed))

    assert list(other.days) == list(history.days)
    assert len(other) == len(history)
    moved, moves = (one.close[-1] / one.open[0] for one in (other, history))
    assert moved == pytest.approx(moves, rel=0.05)
    for before, after in zip(days, range(len(days)), strict=True):
        step = int(Ticks().step(Decimal(int(other.high[after])) / 10**8, before.day) * 10**8)
        assert other.high[after] % step == 0


def test_days_and_nights_are_shuffled_each_for_themselves() -> None:
    chance = np.random.default_rng(8)
    market = remembering(chance, memory=False)
    gaps = chance.uniform(0.99, 1.01, len(market))
    days = [np.round(price * gaps).astype(np.int64) for price in (market.open, market.close)]
    jumpy = History(market.days, days[0], market.high * 2, market.low // 2, days[1])

    other = shuffled(jumpy, Ticks(Decimal(1)), np.random.default_rng(1))

    for before, after in ((days_of(jumpy), days_of(other)), (nights_of(jumpy), nights_of(other))):
        assert np.allclose(np.sort(before), np.sort(after), rtol=1e-5)
        assert not np.allclose(before, after, rtol=1e-3)


def days_of(history: History) -> Floats:
    """What one won became from open to close."""
    return history.close / history.open


def nights_of(history: History) -> Floats:
    """What one won became from close to open."""
    return history.open[1:] / history.close[:-1]


def test_trades_of_a_replay_with_one_k_are_booked_alike() -> None:
    days = make_days(*["1000 1060 960 1000", "1000 1300 960 1290", "1290 1300 900 1000"] * 10)
    search = Search(COSTS, grid=HALF)

    tested = with_k(History.of(days), search, HALF[0])

    expected = replay(days, lambda _: search.strategy(HALF[0]), COSTS)
    assert [trade.growth for trade in tested.trades(CAPITAL)] == [one.growth for one in expected]
