"""Volatility breakout: its target, when it buys, when it sells."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput
from app.domain.runs import OrderReason
from app.domain.trading import (
    Day,
    EnterAt,
    Exit,
    Held,
    Hold,
    Moment,
    Morning,
    Plan,
    StopLoss,
    VolatilityBreakout,
    Waiting,
)
from tests.histories import make_days

HALF = VolatilityBreakout(Decimal("0.5"))
YESTERDAY = make_days("1000 1100 900 1050")
TODAY = YESTERDAY[0].day + timedelta(days=1)
MORNING = Morning(TODAY, Decimal(1050), YESTERDAY)
PLAN = Plan(TODAY, Decimal(1150))


def moment(last: str, held: Held | None = None, *, traded: bool = False) -> Moment:
    return Moment(TODAY, Decimal(last), held, traded)


def test_target_is_todays_open_and_k_of_yesterdays_range() -> None:
    assert HALF.plan(MORNING) == PLAN


def test_target_is_rounded_down_to_a_price_step() -> None:
    uneven = VolatilityBreakout(Decimal("0.333"))

    assert uneven.plan(MORNING) == Plan(TODAY, Decimal(1116))


def test_without_yesterday_there_is_no_plan() -> None:
    the_day_after = Morning(TODAY + timedelta(days=1), Decimal(1050), YESTERDAY)

    assert HALF.plan(the_day_after) is None
    assert HALF.plan(Morning(TODAY, Decimal(1050), ())) is None


def test_morning_knows_no_day_that_has_not_ended() -> None:
    with pytest.raises(ValueError, match="hasn't ended"):
        Morning(YESTERDAY[0].day, Decimal(1050), YESTERDAY)


@pytest.mark.parametrize(
    ("last", "decision"),
    [("1150", Hold(Waiting.BELOW_TARGET)), ("1151", EnterAt(Decimal(1150)))],
)
def test_price_must_be_above_the_target(last: str, decision: object) -> None:
    assert HALF.decide(PLAN, moment(last)) == decision


def test_plan_of_another_day_is_none() -> None:
    stale = Plan(YESTERDAY[0].day, Decimal(1150))

    assert HALF.decide(stale, moment("9999")) == Hold(Waiting.NO_PLAN)
    assert HALF.decide(None, moment("9999")) == Hold(Waiting.NO_PLAN)


def test_what_was_bought_today_is_kept() -> None:
    held = Held(Decimal(1151), TODAY)

    assert HALF.decide(PLAN, moment("2000", held)) == Hold(Waiting.HOLDS)


def test_price_must_be_above_the_mean_too_where_that_is_asked() -> None:
    days = make_days("2000 2000 2000 2000", "1000 1100 900 1050")
    strategy = VolatilityBreakout(Decimal("0.5"), mean_days=2)

    plan = strategy.plan(Morning(days[-1].day + timedelta(days=1), Decimal(1050), days))

    assert plan is not None
    assert plan.target == 1525
    assert strategy.days_needed == 2
    assert strategy.plan(MORNING) is None


@pytest.mark.parametrize(("last", "sells"), [("981", False), ("980", True), ("1", True)])
def test_stop_sells_at_exactly_its_percentage_below_what_was_paid(last: str, sells: bool) -> None:
    strategy = VolatilityBreakout(Decimal("0.5"), stop=StopLoss(Decimal(2)))

    decision = strategy.decide(PLAN, moment(last, Held(Decimal(1000), TODAY)))

    expected = Exit(OrderReason.STOP_LOSS, Decimal(980)) if sells else Hold(Waiting.HOLDS)
    assert decision == expected


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"k": Decimal(0)}, "k"),
        ({"k": Decimal("5.001")}, "k"),
        ({"k": Decimal("0.0005")}, "k"),
        ({"k": Decimal(1), "mean_days": 0}, "mean_days"),
        ({"k": Decimal(1), "mean_days": 201}, "mean_days"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        VolatilityBreakout(**settings)  # type: ignore[arg-type]

    assert (refused.value.field, refused.value.code) == (field, "setting_out_of_bounds")


@pytest.mark.parametrize(
    ("pct", "code"),
    [
        ("0", "setting_out_of_bounds"),
        ("51", "setting_out_of_bounds"),
        ("1.005", "setting_too_fine"),
    ],
)
def test_stop_that_cannot_be_is_refused(pct: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        StopLoss(Decimal(pct))

    assert refused.value.code == code


def test_day_without_range_asks_for_any_rise() -> None:
    still = Day(YESTERDAY[0].day, *[Decimal(1050)] * 4)

    assert HALF.plan(Morning(TODAY, Decimal(1050), [still])) == Plan(TODAY, Decimal(1050))
