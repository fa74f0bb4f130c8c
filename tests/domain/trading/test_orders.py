"""What a silence means, when to try again, what was bought, and the last check before sending."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.exchanges import (
    MarketRules,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    Side,
)
from app.domain.trading import (
    Bought,
    LastCheck,
    Limits,
    Objection,
    Refusal,
    Silence,
    Standing,
    Traded,
    Tried,
    Yeses,
    bought_by,
    judge_silence,
    may_enter,
    may_exit,
    state_after,
)
from app.domain.trading.orders import ARRIVES_WITHIN, MOST_ENTRIES, SAID_AGAIN_AFTER

NOW = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
SECOND = timedelta(seconds=1)
FEE = Decimal("0.0005")
RULES = MarketRules("KRW-BTC", FEE, FEE, Decimal(5_000), Decimal(1_000_000_000))
BUY = OrderIntent("a", "KRW-BTC", Side.BUY, OrderKind.MARKET, funds=Decimal(100_000))
SELL = OrderIntent("b", "KRW-BTC", Side.SELL, OrderKind.MARKET, volume=Decimal(2))
CHECK = LastCheck(
    rules=RULES,
    limits=Limits(),
    standing=Standing(Decimal(0), Decimal(1_000_000), Decimal(1_000_000)),
    yeses=None,
    is_allowed=True,
    bought=Decimal(2),
    last=Decimal(10_000),
    day=TODAY,
)


def report(state: OrderState) -> OrderReport:
    return OrderReport("a", "x", state, Decimal(0), Decimal(0), Decimal(0))


def tried(state: OrderState, volume: str = "0", ended_at: datetime | None = NOW) -> Tried:
    return Tried(state, Decimal(volume), ended_at)


def test_order_that_may_be_under_way_is_not_missed_yet() -> None:
    just = NOW + ARRIVES_WITHIN - SECOND
    assert judge_silence(sent_at=NOW, missed_at=None, now=just) is Silence.TOO_EARLY


def test_no_such_order_counts_only_when_it_is_said_again_later() -> None:
    due = NOW + ARRIVES_WITHIN
    again = due + SAID_AGAIN_AFTER

    assert judge_silence(sent_at=NOW, missed_at=None, now=due) is Silence.ASK_AGAIN
    assert judge_silence(sent_at=NOW, missed_at=due, now=again - SECOND) is Silence.ASK_AGAIN
    assert judge_silence(sent_at=NOW, missed_at=due, now=again) is Silence.NEVER_ARRIVED


def test_clock_that_was_set_back_proves_nothing() -> None:
    before = NOW - timedelta(days=1)
    assert judge_silence(sent_at=NOW, missed_at=NOW, now=before) is Silence.TOO_EARLY


@pytest.mark.parametrize("over", [state for state in OrderState if state.is_final])
def test_order_that_is_over_stays_over(over: OrderState) -> None:
    assert state_after(over, report(OrderState.OPEN)) is over


def test_order_the_exchange_has_is_open_whatever_it_calls_that() -> None:
    assert state_after(OrderState.UNKNOWN, report(OrderState.UNKNOWN)) is OrderState.OPEN
    assert state_after(OrderState.UNKNOWN, report(OrderState.OPEN)) is OrderState.OPEN
    assert state_after(OrderState.OPEN, report(OrderState.CANCELLED)) is OrderState.CANCELLED


def test_coin_is_bought_once_a_day() -> None:
    later = NOW + timedelta(hours=1)
    assert may_enter([], NOW)
    for state in (OrderState.UNKNOWN, OrderState.OPEN, OrderState.FILLED, OrderState.CANCELLED):
        assert not may_enter([tried(state)], later)
    assert not may_enter([tried(OrderState.REJECTED, volume="0.1")], later)


def test_purchase_that_surely_was_not_made_is_tried_again_after_a_pause() -> None:
    once = [tried(OrderState.NEVER_SENT)]

    assert not may_enter(once, NOW + 4 * SECOND)
    assert may_enter(once, NOW + 5 * SECOND)
    assert not may_enter(once * 2, NOW + 9 * SECOND)
    assert may_enter(once * 2, NOW + 10 * SECOND)
    assert not may_enter(once * MOST_ENTRIES, NOW + timedelta(days=1))


def test_what_a_sale_left_is_sold_again_once_it_is_over() -> None:
    assert may_exit([], NOW)
    assert may_exit([tried(OrderState.CANCELLED, "0.5")], NOW)
    assert not may_exit([tried(OrderState.OPEN, "0.5", None)], NOW)
    assert not may_exit([tried(OrderState.REJECTED)], NOW + 4 * SECOND)
    assert may_exit([tried(OrderState.REJECTED)], NOW + 5 * SECOND)
    assert may_exit([tried(OrderState.REJECTED)] * 99, NOW + timedelta(minutes=10))


def trade(side: Side, volume: str, funds: str, day: date = TODAY) -> Traded:
    return Traded(side, Decimal(volume), Decimal(funds), day, NOW)


def test_sale_takes_its_part_of_the_cost() -> None:
    held = bought_by([trade(Side.BUY, "3", "300"), trade(Side.SELL, "1", "150")])

    assert held == Bought(Decimal(2), Decimal(200), TODAY, NOW)
    assert held is not None
    assert held.price == 100


def test_rest_becomes_part_of_the_next_purchase_and_is_of_its_day() -> None:
    tomorrow = TODAY + timedelta(days=1)
    held = bought_by([trade(Side.BUY, "1", "100"), trade(Side.BUY, "1", "300", tomorrow)])

    assert held is not None
    assert (held.volume, held.price, held.day) == (2, 200, tomorrow)


def test_nothing_is_left_of_what_was_sold_whole_or_never_executed() -> None:
    assert bought_by([trade(Side.BUY, "1", "100"), trade(Side.SELL, "1", "90")]) is None
    assert bought_by([trade(Side.BUY, "0", "0"), trade(Side.SELL, "1", "90")]) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10**12), st.integers(1, 10**12))))
def test_position_is_never_negative_and_its_volume_is_exact(
    trades: list[tuple[bool, int, int]],
) -> None:
    steps = [
        Traded(Side.BUY if buys else Side.SELL, Decimal(v).scaleb(-8), Decimal(f), TODAY, NOW)
        for buys, v, f in trades
    ]
    exact = Decimal(0)
    for one in steps:
        exact = exact + one.volume if one.side is Side.BUY else max(exact - one.volume, Decimal(0))
    held = bought_by(steps)

    assert (held.volume if held else 0) == exact
    assert held is None or held.cost >= 0


def test_order_without_any_objection_is_sent() -> None:
    assert CHECK.object_to(BUY, NOW) is None
    assert CHECK.object_to(SELL, NOW) is None


def test_bot_that_does_not_run_sends_nothing() -> None:
    assert replace(CHECK, is_allowed=False).object_to(BUY, NOW) is Objection.NOT_RUNNING


@pytest.mark.parametrize(
    ("yeses", "objection"),
    [
        (Yeses(server=False, person=True, key=True), Objection.SERVER_SAYS_NO),
        (Yeses(server=True, person=False, key=True), Objection.PERSON_SAYS_NO),
        (Yeses(server=True, person=True, key=False), Objection.KEY_SAYS_NO),
        (Yeses(server=True, person=True, key=True), None),
    ],
)
def test_real_money_needs_all_three_yeses(yeses: Yeses, objection: Objection | None) -> None:
    check = replace(CHECK, yeses=yeses)

    assert check.object_to(BUY, NOW) is objection
    assert check.object_to(SELL, NOW) is objection


def test_rules_of_the_exchange_are_kept() -> None:
    closed = replace(CHECK, rules=replace(RULES, is_open=False))
    small = replace(BUY, funds=Decimal(4_999))
    large = replace(BUY, funds=Decimal(1_000_000_001))

    assert closed.object_to(SELL, NOW) is Objection.MARKET_CLOSED
    assert CHECK.object_to(small, NOW) is Objection.UNDER_MINIMUM
    assert CHECK.object_to(replace(BUY, funds=Decimal(5_000)), NOW) is None
    assert CHECK.object_to(large, NOW) is Objection.OVER_MAXIMUM


def test_price_between_two_steps_is_not_sent() -> None:
    limited = OrderIntent(
        "c", "KRW-BTC", Side.BUY, OrderKind.LIMIT, Decimal(1), None, Decimal(10_001)
    )

    assert CHECK.object_to(limited, NOW) is Objection.OFF_TICK
    assert CHECK.object_to(replace(limited, price=Decimal(10_010)), NOW) is None


def test_never_more_is_sold_than_was_bought() -> None:
    more = replace(SELL, volume=Decimal("2.00000001"))

    assert CHECK.object_to(more, NOW) is Objection.MORE_THAN_BOUGHT


def test_size_of_a_sale_at_an_unknown_price_is_the_exchanges_to_judge() -> None:
    small = replace(SELL, volume=Decimal("0.1"))

    assert CHECK.object_to(small, NOW) is Objection.UNDER_MINIMUM
    assert replace(CHECK, last=None).object_to(small, NOW) is None


def test_limits_hold_purchases_and_never_sales() -> None:
    check = replace(CHECK, limits=Limits(per_order=Decimal(99_999)))

    assert check.object_to(BUY, NOW) is Refusal.PER_ORDER
    assert check.object_to(SELL, NOW) is None
