"""The reference backtest: what is bought, what it is sold for, and when."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.runs import OrderReason
from app.domain.trading import (
    Costs,
    Opening,
    StopLoss,
    Ticks,
    VolatilityBreakout,
    replay,
)
from tests.histories import histories, make_days

HALF = VolatilityBreakout(Decimal("0.5"))
FREE = Costs(Decimal(0), Decimal(0))
DAYS = make_days("1000 1100 900 1000", "1000 1300 1000 1200", "1210 1210 1200 1200")


def test_breakout_buys_at_its_target_and_sells_at_the_next_open() -> None:
    (trade,) = replay(DAYS, lambda _: HALF, FREE)

    assert (trade.day, trade.target, trade.bought_at) == (DAYS[1].day, 1100, 1100)
    assert (trade.sold_on, trade.sold_at) == (DAYS[2].day, 1210)
    assert (trade.reason, trade.growth) == (OrderReason.DAY_END, Decimal("1.1"))
    assert trade.strategy is HALF


def test_what_is_not_sold_yet_is_valued_at_the_last_close() -> None:
    (trade,) = replay(DAYS[:2], lambda _: HALF, FREE)

    assert (trade.reason, trade.sold_on, trade.sold_at) == (None, DAYS[1].day, 1200)


def test_open_of_the_running_day_sells_what_is_held() -> None:
    running = Opening(DAYS[1].day + timedelta(days=1), Decimal(1250))

    (trade,) = replay(DAYS[:2], lambda _: HALF, FREE, running)

    assert (trade.reason, trade.sold_at) == (OrderReason.DAY_END, 1250)


def test_running_day_buys_nothing() -> None:
    high = Opening(DAYS[0].day + timedelta(days=1), Decimal(5000))

    assert replay(DAYS[:1], lambda _: HALF, FREE, high) == []


def test_low_counts_as_after_the_purchase() -> None:
    stopping = VolatilityBreakout(Decimal("0.5"), stop=StopLoss(Decimal(5)))

    (trade,) = replay(DAYS, lambda _: stopping, FREE)

    assert (trade.reason, trade.sold_at) == (OrderReason.STOP_LOSS, 1045)


def test_day_that_opens_beyond_its_target_is_bought_at_its_open() -> None:
    off_the_steps = make_days("1000 1000 1000 1000", "1000.5 1010 1000 1005")

    (trade,) = replay(off_the_steps, lambda _: HALF, FREE)

    assert (trade.target, trade.bought_at) == (1000, 1001)


def test_hole_in_the_days_is_slept_through() -> None:
    days = make_days("1000 1100 900 1000", "1000 1300 1000 1200", "", "1100 1900 1100 1900")

    (trade,) = replay(days, lambda _: HALF, FREE)

    assert (trade.sold_on, trade.sold_at) == (days[2].day, 1100)


def test_day_without_a_strategy_sells_and_buys_nothing() -> None:
    on_the_second = replay(
        [*DAYS, *make_days("1200 9999 1200 9999", first=DAYS[-1].day + timedelta(days=1))],
        lambda morning: HALF if morning.day == DAYS[1].day else None,
        FREE,
    )

    assert [(trade.day, trade.sold_on) for trade in on_the_second] == [(DAYS[1].day, DAYS[2].day)]


def test_no_days_make_no_trades() -> None:
    assert replay([], lambda _: HALF, FREE) == []


@settings(max_examples=50, deadline=None)
@given(histories(ticks=Ticks(), most=12), st.sampled_from(["0", "0.001", "0.02"]))
def test_no_trade_is_better_than_the_market_allowed(days: list, slippage: str) -> None:
    costs = Costs(Decimal("0.0005"), Decimal("0.0005"), Decimal(slippage))
    by_day = {day.day: day for day in days}
    for trade in replay(days, lambda _: HALF, costs):
        assert trade.target < by_day[trade.day].high
        assert trade.bought_at >= max(trade.target, by_day[trade.day].open)
        end = by_day[trade.sold_on]
        assert trade.sold_at <= max(
            end.close if trade.reason is None else end.open, Decimal("1e-4")
        )
