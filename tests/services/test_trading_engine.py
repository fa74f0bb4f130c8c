"""The engine: what it does at each price, at the day's end, after a halt, and in every doubt."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import KeyProblem, OrderState
from app.domain.runs import BotMode, BotState, LogKind
from app.domain.trading import Limits, Plays
from app.exchanges.base import (
    BadCredentials,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    OrderRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
)
from app.extensions import db
from app.models import Bot, BotRun, BotValue, Coin, LinkedAccount, Position, Quote, StoredCandle
from app.services import market
from app.services.trading import bots, orders, runs
from app.services.trading.cases import read_cases
from app.services.trading.values import worth_at_day_start
from tests.factories import make_coin
from tests.flows.bot_world import (
    ABOVE,
    BELOW,
    BITHUMB,
    OWN_COINS,
    SETTINGS,
    STOPPED_OUT,
    UPBIT,
    WON,
    BotWorld,
    bot_of,
    check_truth,
    failing,
    open_world,
    orders_of,
    plant_candles,
    told,
    trader,
)


@pytest.fixture
def world(session: Session) -> Iterator[BotWorld]:
    with open_world() as made:
        yield made


@pytest.mark.parametrize("seeds", [UPBIT, BITHUMB], ids=["upbit", "bithumb"])
def test_bot_waits_below_the_target_buys_above_it_once_and_sells_when_the_day_ends(
    world: BotWorld, seeds: range
) -> None:
    one = trader(world, seeds=seeds)
    world.tick(1, BELOW)
    assert orders_of(one) == []

    world.tick(1, ABOVE)
    world.tick(60, ABOVE)
    bought = orders_of(one)
    assert [(order.side, order.reason, order.funds) for order in bought] == [
        ("buy", "entry", 500_000)
    ]

    world.now += timedelta(days=1)
    world.tick(1, BELOW)
    world.tick(1, BELOW)
    assert [order.reason for order in orders_of(one)] == ["entry", "day_end"]
    assert check_truth(world, one)["orders"] == 2


def test_position_sold_late_after_downtime_is_sold_all_the_same(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.now += timedelta(days=3, hours=5)
    world.engine = world.born()
    world.tick(1, BELOW)

    assert [order.reason for order in orders_of(one)] == ["entry", "day_end"]


def test_stop_sells_and_the_coin_is_not_bought_again_that_day(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.tick(1, STOPPED_OUT)
    world.tick(120, ABOVE)

    assert [order.reason for order in orders_of(one)] == ["entry", "stop_loss"]


def test_what_the_person_held_before_is_never_sold(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.now += timedelta(days=1)
    world.tick(1, BELOW)

    assert world.sim.balances(one.access)["BTC"].free == OWN_COINS


def test_order_whose_answer_was_lost_is_asked_about_and_counted_once(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    real = one.broker._inner.place

    def lose(intent: Any) -> Any:
        real(intent)
        raise OutcomeUnknown("no answer")

    monkeypatch.setattr(one.broker._inner, "place", lose)
    world.tick(1, ABOVE)
    assert orders_of(one)[0].state is OrderState.UNKNOWN
    assert "order_unknown" in told(one)

    world.tick(6, ABOVE)
    assert check_truth(world, one) == {"orders": 1, "never_sent": 0}


def test_order_that_never_arrived_is_tried_again_only_when_that_is_proven(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    failing(monkeypatch, one, "place", OutcomeUnknown("lost"))
    world.tick(1, ABOVE)
    for _ in range(3):
        world.tick(6, ABOVE)
    assert [order.state for order in orders_of(one)] == [OrderState.UNKNOWN]

    for _ in range(3):  # said, said again and so believed, and tried anew
        world.tick(6, ABOVE)
    assert [order.state for order in orders_of(one)] == [
        OrderState.NEVER_SENT,
        OrderState.CANCELLED,
    ]
    assert check_truth(world, one) == {"orders": 1, "never_sent": 1}


@pytest.mark.parametrize(
    ("error", "state", "problem"),
    [
        (OrderRefused("market_offline"), OrderState.REJECTED, "market_offline"),
        (InsufficientFunds("no"), OrderState.REJECTED, "insufficient_funds"),
        (Rejected("no"), OrderState.REJECTED, "rejected"),
        (RateLimited("slow", 1.0), OrderState.NEVER_SENT, "rate_limited"),
    ],
)
def test_refused_order_is_told_and_tried_again_later(
    world: BotWorld,
    monkeypatch: pytest.MonkeyPatch,
    error: ExchangeError,
    state: OrderState,
    problem: str,
) -> None:
    one = trader(world)
    failing(monkeypatch, one, "place", error)
    world.tick(1, ABOVE)
    first = orders_of(one)[0]
    assert (first.state, first.problem) == (state, problem)

    world.tick(2, ABOVE)
    assert len(orders_of(one)) == 1
    world.tick(6, ABOVE)
    assert check_truth(world, one) == {"orders": 1, "never_sent": 1}


def test_order_that_the_exchange_has_seen_before_is_asked_about(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    failing(monkeypatch, one, "place", DuplicateOrder("again"))
    world.tick(1, ABOVE)

    assert orders_of(one)[0].state is OrderState.UNKNOWN


@pytest.mark.parametrize("call", ["place", "balances", "order"])
def test_refused_key_stops_the_bot_in_plain_words(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    one = trader(world)
    failing(monkeypatch, one, call, BadCredentials(KeyProblem.EXPIRED))
    if call == "order":
        failing(monkeypatch, one, "place", OutcomeUnknown("lost"))
    world.tick(1, ABOVE)
    world.tick(6, ABOVE)

    assert bot_of(one).state is BotState.OFF
    assert db.session.scalars(select(BotRun.end_reason)).one() == "key_expired"
    assert db.session.scalars(select(LinkedAccount.problem)).one() is KeyProblem.EXPIRED
    assert told(one)[-1] == "run_broke_off"


def test_exchange_that_fails_is_left_alone_for_a_moment(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    failing(monkeypatch, one, "balances", Unavailable("closed"))
    world.tick(1, ABOVE)
    world.tick(2, ABOVE)
    assert orders_of(one) == []

    world.tick(4, ABOVE)
    assert len(orders_of(one)) == 1


def test_halt_lets_nothing_in_and_survives_a_restart(world: BotWorld) -> None:
    one = trader(world)
    bots.halt_all(user_id=one.user_id, sells=False, now=world.now)
    world.engine = world.born()
    world.tick(1, ABOVE)
    world.tick(1, ABOVE)

    assert orders_of(one) == []
    assert bot_of(one).state is BotState.HALTED
    assert told(one) == ["run_started", "halted", "run_ended"]


def test_halt_sells_what_the_bot_bought_and_nothing_else(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    bots.halt_all(user_id=one.user_id, sells=True, now=world.now)
    world.tick(1, BELOW)
    world.tick(1, BELOW)

    assert [order.reason for order in orders_of(one)] == ["entry", "halt"]
    assert world.sim.balances(one.access)["BTC"].free == OWN_COINS
    assert db.session.scalars(select(BotRun.ended_at)).one() is not None


def test_halt_sells_although_prices_are_down(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    bots.halt_all(user_id=one.user_id, sells=True, now=world.now)
    world.now += timedelta(hours=2)  # the board is two hours old
    for task in world.engine.look():
        world.engine.work(task)

    assert [order.reason for order in orders_of(one)] == ["entry", "halt"]


def test_halt_goes_on_selling_once_a_closed_market_opens_again(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    with monkeypatch.context() as closed:
        shut = replace(one.broker._inner.rules("KRW-BTC"), is_open=False)
        closed.setattr(one.broker._inner, "rules", lambda _market: shut)
        bots.halt_all(user_id=one.user_id, sells=True, now=world.now)
        world.tick(1, BELOW)
        assert told(one, LogKind.SKIPPED) == ["skip_market_closed"]
        assert db.session.scalars(select(BotRun.ended_at)).one() is None

    world.tick(61, BELOW)
    world.tick(1, BELOW)
    assert [order.reason for order in orders_of(one)] == ["entry", "halt"]
    assert db.session.scalars(select(BotRun.ended_at)).one() is not None


def test_halt_sells_what_an_ended_run_has_left(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    bots.stop_bot(user_id=one.user_id, mode=BotMode.LIVE, now=world.now)
    world.tick(1, ABOVE)
    assert bot_of(one).state is BotState.OFF

    bots.halt_all(user_id=one.user_id, sells=True, now=world.now)
    world.tick(1, ABOVE)
    world.tick(1, ABOVE)
    assert [order.reason for order in orders_of(one)] == ["entry", "halt"]


def test_halt_wins_against_an_order_that_is_written_but_not_sent(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    claim = orders.claim

    def halted_in_between(**given: Any) -> Any:
        bots.halt_all(user_id=one.user_id, sells=False, now=world.now)
        return claim(**given)

    monkeypatch.setattr(orders, "claim", halted_in_between)
    world.tick(1, ABOVE)

    assert world.sim.orders(one.access) == []
    assert [(order.state, order.problem) for order in orders_of(one)] == [
        (OrderState.NEVER_SENT, "not_running")
    ]


def test_halt_takes_off_what_is_open(world: BotWorld) -> None:
    one = trader(world)
    world.sim.fault("slow_fill", for_s=60, group="order", seconds=60)
    world.tick(1, ABOVE)
    assert orders_of(one)[0].state is OrderState.OPEN

    bots.halt_all(user_id=one.user_id, sells=False, now=world.now)
    world.tick(1, ABOVE)
    world.tick(1, ABOVE)
    assert orders_of(one)[0].state is OrderState.CANCELLED
    assert world.sim.balances(one.access)["KRW"].free == WON
    assert told(one)[-1] == "run_ended"


def test_stopped_bot_takes_its_purchase_off_and_rests(world: BotWorld) -> None:
    one = trader(world)
    world.sim.fault("slow_fill", for_s=60, group="order", seconds=60)
    world.tick(1, ABOVE)
    bots.stop_bot(user_id=one.user_id, mode=BotMode.LIVE, now=world.now)
    world.tick(2, ABOVE)
    world.tick(2, ABOVE)

    assert orders_of(one)[0].state is OrderState.CANCELLED
    assert bot_of(one).state is BotState.OFF
    assert told(one)[-1] == "run_ended"


def test_purchase_that_stays_open_is_taken_off_and_a_sale_is_not(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.sim.fault("slow_fill", for_s=60, group="order", seconds=60)
    world.tick(1, STOPPED_OUT)
    world.tick(90, STOPPED_OUT)
    assert orders_of(one)[1].state is OrderState.OPEN

    two = trader(world)
    world.tick(1, ABOVE)
    world.tick(61, ABOVE)
    world.tick(2, ABOVE)
    assert orders_of(two)[0].state is OrderState.CANCELLED
    assert orders_of(two)[0].executed_volume == 0


def test_order_is_asked_about_less_often_the_longer_it_takes(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.sim.fault("slow_fill", for_s=60, group="order", seconds=60)
    world.tick(1, STOPPED_OUT)
    asked = []
    real = one.broker._inner.order
    one.broker._inner.order = lambda name: asked.append(world.now) or real(name)  # type: ignore[method-assign,func-returns-value]
    for seconds in (2, 2, 120, 5, 5, 7200, 30, 31):
        world.tick(seconds, STOPPED_OUT)

    assert len(asked) == 6


def test_intended_order_of_a_dead_server_was_never_sent(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    claim = orders.claim
    monkeypatch.setattr(orders, "claim", lambda **_: None)
    world.tick(1, ABOVE)
    monkeypatch.setattr(orders, "claim", claim)
    world.engine = world.born()
    world.tick(1, ABOVE)
    world.tick(6, ABOVE)

    assert [(order.state, order.problem) for order in orders_of(one)] == [
        (OrderState.NEVER_SENT, "interrupted"),
        (OrderState.CANCELLED, None),
    ]


def test_limits_hold_and_are_told_once_a_day(world: BotWorld) -> None:
    one = trader(world, replace(SETTINGS, limits=Limits(per_day=Decimal(499_999))))
    for _ in range(3):
        world.tick(61, ABOVE)

    assert orders_of(one) == []
    assert told(one, LogKind.SKIPPED) == ["per_day"]


def test_day_of_too_great_a_loss_ends_purchases(world: BotWorld) -> None:
    one = trader(world, replace(SETTINGS, limits=Limits(daily_loss_pct=Decimal(1))))
    world.tick(1, BELOW)
    with transaction() as session:
        session.execute(update(BotValue).values(value=Decimal(1_020_000)))
    world.tick(1, ABOVE)

    assert orders_of(one) == []
    assert told(one, LogKind.SKIPPED) == ["daily_loss"]


@pytest.mark.parametrize("capital", [500_000, 2_000_000])
def test_capital_that_comes_or_goes_is_no_gain_and_no_loss_of_the_day(
    world: BotWorld, capital: int
) -> None:
    limited = replace(SETTINGS, limits=Limits(daily_loss_pct=Decimal(1)))
    one = trader(world, limited)
    world.tick(1, BELOW)
    bots.stop_bot(user_id=one.user_id, mode=BotMode.LIVE, now=world.now)
    world.tick(1, BELOW)
    changed = replace(limited, capital=Decimal(capital))
    bots.save_settings(user_id=one.user_id, mode=BotMode.LIVE, settings=changed, now=world.now)
    bots.start_bot(user_id=one.user_id, mode=BotMode.LIVE, live_trading=True, now=world.now)

    world.tick(1, ABOVE)
    assert [order.side for order in orders_of(one)] == ["buy"]

    (case,) = read_cases(world.now)
    assert worth_at_day_start(case, Decimal(0)) == capital


def test_account_without_money_is_skipped_and_told_once(world: BotWorld) -> None:
    one = trader(world)
    world.sim.change_balance(one.access, "KRW", -1_999_000)
    for _ in range(3):
        world.tick(61, ABOVE)

    assert orders_of(one) == []
    assert told(one, LogKind.SKIPPED) == ["skip_no_money"]


def test_d27_purchase_takes_a_quarter_of_what_is_for_sale_near_the_price(world: BotWorld) -> None:
    one = trader(world)
    near = sum(ask.won for ask in one.broker.asks("KRW-BTC"))
    share = Decimal(400_000) / near
    world.sim.fault("thin", for_s=600, group="orderbook", share=float(share))
    world.tick(1, ABOVE)

    (order,) = orders_of(one)
    assert float(order.funds or 0) == pytest.approx(100_000, rel=0.01)


@pytest.mark.parametrize(
    ("share", "code"), [(1e-9, "skip_thin_book"), (0.0, "skip_price_ran_away")]
)
def test_d27_purchase_that_the_book_cannot_bear_is_not_made_and_told_once(
    world: BotWorld, share: float, code: str
) -> None:
    one = trader(world)
    world.sim.fault("thin", for_s=600, group="orderbook", share=share)
    for _ in range(3):
        world.tick(61, ABOVE)

    assert orders_of(one) == []
    assert told(one, LogKind.SKIPPED) == [code]


def test_d27_purchase_waits_while_nobody_tells_what_is_for_sale(world: BotWorld) -> None:
    one = trader(world)
    world.sim.fault("5xx", for_s=600, group="orderbook")
    world.tick(1, ABOVE)
    assert orders_of(one) == []

    world.sim.clear_faults()
    world.tick(6, ABOVE)
    assert [order.side for order in orders_of(one)] == ["buy"]


def test_d27_sale_asks_for_no_book(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.sim.fault("5xx", for_s=600, group="orderbook")
    world.tick(1, STOPPED_OUT)

    assert [order.reason for order in orders_of(one)] == ["entry", "stop_loss"]


def test_coins_that_the_person_took_away_are_not_sold(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.sim.change_balance(one.access, "BTC", -1)
    world.tick(1, STOPPED_OUT)
    bots.halt_all(user_id=one.user_id, sells=True, now=world.now)
    world.tick(61, STOPPED_OUT)

    assert len(orders_of(one)) == 1
    assert told(one, LogKind.SKIPPED) == ["skip_too_small"]
    assert db.session.scalars(select(BotRun.ended_at)).one() is not None


def test_rest_too_small_to_sell_does_not_count_as_held(world: BotWorld) -> None:
    world.sim.fault("partial", for_s=600, group="order", share=0.005)
    one = trader(world)
    world.tick(1, ABOVE)
    world.sim.clear_faults()
    world.now += timedelta(days=1)
    world.tick(1, ABOVE)

    assert [order.side for order in orders_of(one)] == ["buy", "buy"]
    world.now += timedelta(days=1)
    world.tick(1, BELOW)
    assert db.session.scalars(select(func.count()).select_from(Position)).one() == 0


def test_coin_that_was_taken_out_of_the_settings_is_still_sold(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    with transaction() as session:
        other = replace(SETTINGS, codes=("ETH",))
        session.execute(update(Bot).values(settings=other.to_json()))
    world.now += timedelta(days=1)
    world.tick(1, ABOVE)
    world.tick(61, ABOVE)

    assert [order.reason for order in orders_of(one)] == ["entry", "day_end"]


def trade_at(world: BotWorld, **prices: Decimal) -> None:
    """The prices of these coins, at the exchange and on the board; then every bot works."""
    world.set_price(BELOW)
    for code, price in prices.items():
        world.sim.set_price(f"KRW-{code}", price)
        coin_id = select(Coin.id).where(Coin.code == code).scalar_subquery()
        with transaction() as session:
            session.execute(update(Quote).where(Quote.coin_id == coin_id).values(price=price))
    market.coins_now.forget()
    for task in world.engine.look():
        world.engine.work(task)


def test_sale_goes_before_the_purchase_that_needs_its_money(world: BotWorld) -> None:
    plant_candles(make_coin("ETH", price=str(ABOVE), observed_at=world.now).id)
    one = trader(world, replace(SETTINGS, codes=("BTC", "ETH"), share_pct=Decimal(100)))
    trade_at(world, BTC=BELOW, ETH=ABOVE)
    world.now += timedelta(days=1)
    trade_at(world, BTC=ABOVE, ETH=ABOVE)

    assert [(order.market, order.side) for order in orders_of(one)][:3] == [
        ("KRW-ETH", "buy"),
        ("KRW-ETH", "sell"),
        ("KRW-BTC", "buy"),
    ]


def test_order_in_the_air_counts_as_spent(world: BotWorld) -> None:
    plant_candles(make_coin("ETH", price=str(ABOVE), observed_at=world.now).id)
    limits = Limits(per_day=Decimal(700_000))
    one = trader(world, replace(SETTINGS, codes=("BTC", "ETH"), limits=limits))
    world.sim.fault("slow_fill", for_s=60, group="order", seconds=60)
    trade_at(world, BTC=ABOVE, ETH=ABOVE)

    assert [(order.market, order.state) for order in orders_of(one)] == [
        ("KRW-BTC", OrderState.OPEN)
    ]
    assert told(one, LogKind.SKIPPED) == ["per_day"]


def test_second_coin_of_a_tick_is_judged_by_what_the_first_left(world: BotWorld) -> None:
    coin = make_coin("ETH", price=str(ABOVE), observed_at=world.now)
    plant_candles(coin.id)
    two = replace(SETTINGS, codes=("BTC", "ETH"), limits=Limits(daily_loss_pct=Decimal(1)))
    one = trader(world, two)
    world.sim.set_price("KRW-ETH", ABOVE)
    world.tick(1, ABOVE)

    assert told(one, LogKind.SKIPPED) == []
    assert [(order.market, order.funds) for order in orders_of(one)] == [
        ("KRW-BTC", 500_000),
        ("KRW-ETH", 499_501),
    ]


def test_order_of_a_bot_that_is_off_is_asked_about_all_the_same(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    failing(monkeypatch, one, "place", OutcomeUnknown("lost"))
    world.tick(1, ABOVE)
    runs.stop_for(bot_id=one.bot_id, problem="key_expired", now=world.now)
    for _ in range(6):
        world.tick(6, ABOVE)

    assert [order.state for order in orders_of(one)] == [OrderState.NEVER_SENT]


def test_stale_price_decides_nothing(world: BotWorld) -> None:
    one = trader(world)
    world.set_price(ABOVE)
    world.now += timedelta(seconds=61)

    assert world.engine.look() == []
    assert orders_of(one) == []


def test_decision_that_waited_too_long_is_made_anew(world: BotWorld) -> None:
    one = trader(world)
    world.set_price(ABOVE)
    (late,) = world.engine.look()
    world.now += timedelta(seconds=11)
    world.engine.work(late)
    assert orders_of(one) == []

    world.tick(1, ABOVE)
    assert [order.side for order in orders_of(one)] == ["buy"]


def test_order_whose_machine_slept_between_claim_and_sending_is_not_sent(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    claim = orders.claim

    def and_sleep(**given: Any) -> Any:
        claimed = claim(**given)
        world.now += timedelta(minutes=5)
        return claimed

    monkeypatch.setattr(orders, "claim", and_sleep)
    world.tick(1, ABOVE)
    monkeypatch.setattr(orders, "claim", claim)
    assert world.sim.orders(one.access) == []
    assert [order.state for order in orders_of(one)] == [OrderState.UNKNOWN]

    for _ in range(4):
        world.tick(61, ABOVE)
    assert [order.state for order in orders_of(one)] == [
        OrderState.NEVER_SENT,
        OrderState.CANCELLED,
    ]
    assert check_truth(world, one) == {"orders": 1, "never_sent": 1}


def test_clock_that_jumps_back_over_midnight_neither_sells_nor_buys_twice(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    world.now -= timedelta(hours=20)
    world.tick(1, ABOVE)
    world.now += timedelta(hours=20)
    world.tick(1, ABOVE)

    assert [order.side for order in orders_of(one)] == ["buy"]


def test_best_k_is_chosen_from_days_that_have_ended(world: BotWorld) -> None:
    one = trader(world, replace(SETTINGS, k=None, window=1))
    world.tick(1, ABOVE)

    assert [order.side for order in orders_of(one)] == ["buy"]


def test_too_few_days_plan_nothing(world: BotWorld) -> None:
    one = trader(world, replace(SETTINGS, k=None, window=100))
    world.tick(1, ABOVE)
    world.tick(11, ABOVE)

    assert orders_of(one) == []


def test_second_strategy_trades_through_the_same_engine(world: BotWorld) -> None:
    one = trader(world, replace(SETTINGS, plays=Plays.CROSSING, short=1, long=2))
    world.tick(1, ABOVE)

    assert orders_of(one) == []  # flat days never cross


def test_value_of_each_run_is_noted_beside_buying_and_waiting(world: BotWorld) -> None:
    trader(world)
    world.tick(1, BELOW)
    world.tick(301, ABOVE)
    noted = db.session.execute(select(BotValue.value, BotValue.hold).order_by(BotValue.at)).all()

    assert tuple(noted[0]) == (1_000_000, 1_000_000)
    assert noted[1].hold == (1_000_000 * ABOVE / BELOW).quantize(Decimal("1e-8"))


def test_bot_at_bithumb_waits_until_its_own_day_is_known(world: BotWorld) -> None:
    with transaction() as session:
        session.execute(StoredCandle.__table__.delete())  # type: ignore[attr-defined]
    one, two = trader(world), trader(world, seeds=BITHUMB)
    world.tick(1, ABOVE)

    assert orders_of(one) == orders_of(two) == []
