"""A strategy that chooses nothing: its line is its trades', its days are all out of sample."""

from decimal import Decimal
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.following import follow
from app.domain.trading import Costs, Day, Doubt, MovingAverageCrossing, Ticks, TooFewDays, replay
from tests.histories import histories, make_days

FREE = Costs(Decimal(0), Decimal(0), Decimal(0), Ticks(Decimal(1)))
DEAR = Costs(Decimal("0.0005"), Decimal("0.0005"), Decimal("0.001"))
CROSSING = MovingAverageCrossing(1, 2)


def flat(*closes: int) -> list[Day]:
    """Days that open and close at one price."""
    return make_days(*(f"{price} {price} {price} {price}" for price in closes))


def test_money_follows_the_close_while_held_and_rests_after_the_sale() -> None:
    days = flat(100, 100, 100, 120, 150, 180, 90, 90)

    found = follow(days, CROSSING, FREE, Decimal(1000), min_total=Decimal(1))

    assert [one.day for one in found.trades] == [days[4].day]
    assert found.trades[0].bought_at == 150
    assert found.trades[0].sold_on == days[7].day
    assert found.line.curve.tolist() == [1.0, 1.0, 1.2, 0.6, 0.6]  # 150 → 180 → 90, sold at 90
    assert found.line.drawdown == pytest.approx(0.5)
    assert (found.line.trades, found.line.hits) == (1, 0)
    assert found.holding.curve.tolist() == [1.0, 1.25, 1.5, 0.75, 0.75]  # since the 120 of day 4


def test_each_trade_spends_what_the_one_before_left() -> None:
    days = flat(100, 100, 200, 200, 100, 100, 200, 200, 100, 100, 100)
    costs = Costs(Decimal("0.01"), Decimal("0.01"), Decimal(0), Ticks(Decimal(1)))

    found = follow(days, CROSSING, costs, Decimal(1000), min_total=Decimal(1))

    first, second = found.trades
    assert second.fee / first.fee == pytest.approx(first.growth)


@given(histories(ticks=Ticks(), fewest=4), st.sampled_from((FREE, DEAR)))
def test_curve_ends_where_the_trades_of_the_rules_end(days: list[Day], costs: Costs) -> None:
    found = follow(days, CROSSING, costs, Decimal(10**6), min_total=Decimal(5000))

    trades = replay(days, lambda _morning: CROSSING, costs)
    growth = prod((one.growth for one in trades), start=Decimal(1))
    assert found.line.growth == pytest.approx(float(growth))
    assert found.line.trades == len(trades) == len(found.trades)


def test_money_that_falls_below_the_least_order_is_a_doubt() -> None:
    days = flat(100, 100, 100, 120, 150, 180, 90, 90)  # 1,000 won fall to 600

    found = [
        follow(days, CROSSING, FREE, Decimal(1000), min_total=Decimal(least))
        for least in (600, 601)
    ]

    assert [Doubt.TOO_LITTLE_MONEY in one.doubts for one in found] == [False, True]


def test_one_missing_day_is_a_doubt() -> None:
    whole = flat(100, 100, 100, 120, 150, 180)

    found = [
        follow(days, CROSSING, FREE, Decimal(1000), min_total=Decimal(1))
        for days in (whole, [*whole[:4], *whole[5:]])
    ]

    assert [Doubt.MISSING_DAYS in one.doubts for one in found] == [False, True]


def test_too_few_days_are_refused() -> None:
    with pytest.raises(TooFewDays):
        follow(flat(1, 2, 3), CROSSING, FREE, Decimal(1000), min_total=Decimal(1))
