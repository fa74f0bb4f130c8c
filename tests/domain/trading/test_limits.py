"""The limits of a bot: what they let pass and what not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.trading import Limits, Refusal, Standing, refuse_entry

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WORTH = Decimal(1_000_000)
LIMITS = Limits(
    per_order=Decimal(100),
    per_day=Decimal(250),
    daily_loss_pct=Decimal(3),
    rest=timedelta(hours=6),
)


def refused(
    funds: int = 100, *, spent: int = 0, worth: int = 1_000_000, rested: timedelta | None = None
) -> Refusal | None:
    sold_at = None if rested is None else NOW - rested
    standing = Standing(Decimal(spent), WORTH, Decimal(worth), sold_at)
    return refuse_entry(Decimal(funds), limits=LIMITS, standing=standing, now=NOW)


def test_order_of_exactly_the_limit_passes() -> None:
    assert refused(100) is None
    assert refused(101) is Refusal.PER_ORDER


def test_day_of_exactly_the_limit_passes() -> None:
    assert refused(100, spent=150) is None
    assert refused(100, spent=151) is Refusal.PER_DAY


def test_at_exactly_the_daily_loss_nothing_is_bought_any_more() -> None:
    assert refused(worth=970_001) is None
    assert refused(worth=970_000) is Refusal.DAILY_LOSS


def test_coin_rests_after_its_sale() -> None:
    moment = timedelta(microseconds=1)

    assert refused(rested=timedelta(hours=6) - moment) is Refusal.RESTING
    assert refused(rested=timedelta(hours=6)) is None


def test_without_limits_everything_passes() -> None:
    standing = Standing(WORTH, WORTH, Decimal(0))

    assert refuse_entry(WORTH, limits=Limits(), standing=standing, now=NOW) is None


def test_bot_worth_nothing_has_lost_nothing() -> None:
    nothing = Standing(Decimal(0), Decimal(0), Decimal(0))

    assert refuse_entry(Decimal(1), limits=LIMITS, standing=nothing, now=NOW) is None


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"per_order": Decimal(0)}, "per_order"),
        ({"per_day": Decimal("1.5")}, "per_day"),
        ({"daily_loss_pct": Decimal("100.01")}, "daily_loss"),
        ({"rest": timedelta(seconds=-1)}, "rest"),
        ({"rest": timedelta(days=8)}, "rest"),
    ],
)
def test_limits_that_cannot_be_are_refused(settings: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as told:
        Limits(**settings)  # type: ignore[arg-type]

    assert told.value.field == field


@given(st.lists(st.integers(1, 200), max_size=12))
def test_limits_hold_for_any_sequence_of_orders(orders: list[int]) -> None:
    spent = 0
    for funds in orders:
        if refused(funds, spent=spent) is None:
            assert funds <= 100
            spent += funds

    assert spent <= 250
