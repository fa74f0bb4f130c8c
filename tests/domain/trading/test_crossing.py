"""Moving-average crossing: a second strategy that the engine needn't know of."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput
from app.domain.runs import OrderReason
from app.domain.trading import (
    Costs,
    EnterAt,
    Exit,
    Held,
    Hold,
    Moment,
    Morning,
    MovingAverageCrossing,
    Opening,
    Plan,
    StopLoss,
    Waiting,
    replay,
)
from tests.histories import make_days

CROSSING = MovingAverageCrossing(1, 2)
FREE = Costs(Decimal(0), Decimal(0))
#: The close falls, rises above the mean of two, stays, falls below it.
DAYS = make_days(
    "100 100 80 80", "80 80 60 60", "60 120 60 120", "120 130 110 130", "130 130 70 70"
)


def plan_after(count: int) -> Plan | None:
    last = DAYS[count - 1]
    return CROSSING.plan(Morning(last.day + timedelta(days=1), last.close, DAYS[:count]))


def test_it_buys_on_the_day_after_the_crossing_alone() -> None:
    day = DAYS[2].day

    assert plan_after(3) == Plan(day + timedelta(days=1), Decimal(0))
    assert plan_after(4) == Plan(day + timedelta(days=2))


def test_it_leaves_when_the_short_mean_is_not_above_any_more() -> None:
    assert plan_after(5) == Plan(DAYS[4].day + timedelta(days=1), leaves=True)


def test_equal_means_are_not_above() -> None:
    flat = make_days(*["100 100 100 100"] * 3)
    plan = CROSSING.plan(Morning(flat[-1].day + timedelta(days=1), Decimal(100), flat))

    assert plan is not None
    assert plan.leaves


def test_too_few_days_or_a_hole_before_today_give_no_plan() -> None:
    assert CROSSING.days_needed == 3
    assert plan_after(2) is None
    late = Morning(DAYS[-1].day + timedelta(days=2), Decimal(70), DAYS)
    assert CROSSING.plan(late) is None


def decide(plan: Plan | None, held: Held | None = None, *, traded: bool = False) -> object:
    day = DAYS[3].day
    stopping = MovingAverageCrossing(1, 2, StopLoss(Decimal(10)))
    return stopping.decide(plan, Moment(day, Decimal(90), held, traded))


def test_decisions_follow_the_plan_of_the_day() -> None:
    day = DAYS[3].day
    held = Held(Decimal(90), DAYS[0].day)

    assert decide(Plan(day, Decimal(0))) == EnterAt(Decimal(90))
    assert decide(Plan(day)) == Hold(Waiting.NO_SIGNAL)
    assert decide(None) == Hold(Waiting.NO_PLAN)
    assert decide(Plan(DAYS[0].day, Decimal(0))) == Hold(Waiting.NO_PLAN)
    assert decide(Plan(day, Decimal(0)), traded=True) == Hold(Waiting.TRADED_TODAY)
    assert decide(Plan(day), held) == Hold(Waiting.HOLDS)
    assert decide(Plan(day, leaves=True), held) == Exit(OrderReason.SIGNAL, Decimal(90))
    assert decide(None, Held(Decimal(100), day)) == Exit(OrderReason.STOP_LOSS, Decimal(90))


def test_engine_trades_it_like_any_other_and_keeps_over_days() -> None:
    (trade,) = replay(
        DAYS, lambda _: CROSSING, FREE, Opening(DAYS[4].day + timedelta(days=1), Decimal(72))
    )

    assert (trade.day, trade.bought_at) == (DAYS[3].day, 120)
    assert (trade.sold_at, trade.reason) == (72, OrderReason.SIGNAL)
    assert trade.growth == Decimal("0.6")


@pytest.mark.parametrize(
    ("short", "long", "field", "code"),
    [
        (2, 2, "short", "means_out_of_order"),
        (0, 2, "short", "setting_out_of_bounds"),
        (1, 201, "long", "setting_out_of_bounds"),
    ],
)
def test_means_that_cannot_be_are_refused(short: int, long: int, field: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        MovingAverageCrossing(short, long)

    assert (refused.value.field, refused.value.code) == (field, code)
