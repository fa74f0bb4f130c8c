"""Row by row: what the original did wrong with its strategy, and what is done here instead."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.exchanges import ExchangeName, MarketRules, Offer
from app.domain.runs import OrderReason
from app.domain.trading import (
    USUAL_GRID,
    Allocation,
    Costs,
    EnterAt,
    Exit,
    Held,
    Hold,
    Limits,
    Moment,
    Morning,
    Opening,
    Plan,
    Refusal,
    Search,
    Skip,
    Skipped,
    Standing,
    StopLoss,
    VolatilityBreakout,
    Waiting,
    Watch,
    book_share,
    choose_k,
    day_start,
    decide_all,
    entry_funds,
    exit_volume,
    finished_before,
    refuse_entry,
    replay,
    spendable,
    trading_day,
    walk_forward,
)
from tests.histories import make_days, perturbed

FREE = Costs(Decimal(0), Decimal(0))
FEE = Decimal("0.0005")
HALF = VolatilityBreakout(Decimal("0.5"))
RULES = MarketRules("KRW-BTC", FEE, FEE, Decimal(5000))
GRID = (Decimal("0.2"), Decimal("0.5"))
#: Breaks out by 0.3 of the range before and falls back; by 0.3 and goes on rising.
FALLING = ["1000 1030 930 1000"] * 6
RISING = ["1000 1060 960 1000", "1000 1300 960 1290"] * 3
DAY = make_days("1000 1100 900 1000")[0]
TODAY = DAY.day + timedelta(days=1)


def test_d20_k_is_chosen_per_coin() -> None:
    search = Search(FREE, window=5, grid=GRID)

    assert choose_k(make_days(*FALLING), search) == Decimal("0.5")
    assert choose_k(make_days(*RISING), search) == Decimal("0.2")


def test_d21_k_is_chosen_from_days_that_ended_before_it_is_used() -> None:
    days = make_days(*FALLING, "1000 1045 930 1040")
    search = Search(FREE, window=1, grid=GRID)
    today = days[-1]

    used, _ = walk_forward(days, search)
    with_another_today, _ = walk_forward(perturbed(days, 6), search)

    assert finished_before(days, today.day) == tuple(days[:-1])
    assert used[today.day] == with_another_today[today.day] == Decimal("0.5")
    assert choose_k(days[:-1], search, Opening(today.day, today.open)) == Decimal("0.5")
    assert choose_k(days, search) == Decimal("0.2")  # which only tomorrow may know


def test_d21_window_holds_as_many_usable_days_as_it_says() -> None:
    days = make_days(*FALLING)
    first_used = min(walk_forward(days, Search(FREE, window=4, grid=GRID))[0])

    assert first_used == days[5].day  # the first day has no yesterday, four follow


def test_d22_fees_are_paid_twice_and_slippage_is_counted() -> None:
    days = make_days("1000 1100 900 1000", "1000 1300 1000 1200", "1210 1210 1200 1200")

    (free,) = replay(days, lambda _: HALF, FREE)
    (dear,) = replay(days, lambda _: HALF, Costs(FEE, FEE, Decimal("0.01")))

    assert free.growth == Decimal(1210) / 1100
    assert (dear.bought_at, dear.sold_at) == (1111, 1197)
    assert dear.growth == Decimal(1197) * (1 - FEE) / (Decimal(1111) * (1 + FEE))


def test_d23_mean_is_a_condition_that_can_be_switched() -> None:
    days = make_days("2000 2000 2000 2000", "1000 1100 900 1000")
    morning = Morning(days[-1].day + timedelta(days=1), Decimal(1000), days)
    moment = Moment(morning.day, Decimal(1200))
    without, with_mean = HALF, VolatilityBreakout(Decimal("0.5"), mean_days=2)

    assert without.decide(without.plan(morning), moment) == EnterAt(Decimal(1100))
    assert with_mean.decide(with_mean.plan(morning), moment) == Hold(Waiting.BELOW_TARGET)


def test_d24_grid_is_exact_and_targets_lie_on_the_price_step() -> None:
    days = make_days("0.0123 0.0131 0.0119 0.0125")
    plan = VolatilityBreakout(USUAL_GRID[2]).plan(
        Morning(days[0].day + timedelta(days=1), Decimal("0.0125"), days)
    )

    assert USUAL_GRID[2] == Decimal("0.3")
    assert plan is not None
    assert plan.target == Decimal("0.0128")


def test_d25_one_purchase_per_coin_and_day() -> None:
    plan = Plan(TODAY, Decimal(1100))
    held = Held(Decimal(1101), TODAY)

    assert HALF.decide(plan, Moment(TODAY, Decimal(1200), held)) == Hold(Waiting.HOLDS)
    sold_again = Moment(TODAY, Decimal(1200), traded=True)
    assert HALF.decide(plan, sold_again) == Hold(Waiting.TRADED_TODAY)


def test_d25_first_coin_leaves_the_others_their_part() -> None:
    worth, budget = Decimal(100_000), Allocation(Decimal(25)).budget
    free = worth

    for _ in range(4):
        funds = entry_funds(free=free, budget=budget(worth), rules=RULES)
        assert isinstance(funds, Decimal)
        assert funds >= 24_900
        free -= funds * (1 + FEE)

    assert free >= 0


def test_d26_only_free_money_is_spent_and_the_fee_fits_in() -> None:
    assert spendable(Decimal(10_005), RULES) == 10_000
    assert spendable(Decimal(10_004), RULES) == 9_999


def test_d27_size_follows_the_depth_of_the_book() -> None:
    asks = [Offer(Decimal(1100), Decimal(20)), Offer(Decimal(1200), Decimal(1000))]
    thin = book_share(asks, last=Decimal(1100), rules=RULES, day=TODAY)

    assert entry_funds(
        free=Decimal(10**6), budget=Decimal(10**6), rules=RULES, in_book=thin
    ) == Decimal(5500)


def test_d28_minimum_is_the_exchanges_and_the_reason_is_the_right_one() -> None:
    dearer = MarketRules("KRW-BTC", FEE, FEE, Decimal(20_000))
    order = {"free": Decimal(10**6), "budget": Decimal(10_000)}

    assert entry_funds(**order, rules=RULES) == 10_000
    too_small = Skipped(Skip.TOO_SMALL, Decimal(10_000), Decimal(20_000))
    assert entry_funds(**order, rules=dearer) == too_small


def test_d29_sale_is_due_on_any_later_day_however_late() -> None:
    held = Held(Decimal(1101), TODAY)
    due = Exit(OrderReason.DAY_END, Decimal(900))

    for late in (1, 2, 30):
        moment = Moment(TODAY + timedelta(days=late), Decimal(900), held)
        assert HALF.decide(None, moment) == due


def test_d30_new_day_is_the_same_for_all_coins() -> None:
    held = Held(Decimal(1101), TODAY)
    watches = [Watch(1, market, HALF, None, held) for market in ("KRW-BTC", "KRW-ETH", "KRW-XRP")]
    prices = {watch.market: Decimal(900) for watch in watches}

    due = decide_all(watches, prices, TODAY + timedelta(days=1))

    assert [(watch.market, decision) for watch, decision in due] == [
        (watch.market, Exit(OrderReason.DAY_END, Decimal(900))) for watch in watches
    ]


def test_d30_coin_without_a_price_keeps_no_other_waiting() -> None:
    held = Held(Decimal(1101), TODAY)
    watches = [Watch(1, market, HALF, None, held) for market in ("KRW-BTC", "KRW-ETH")]

    due = decide_all(watches, {"KRW-ETH": Decimal(900)}, TODAY + timedelta(days=1))

    assert [watch.market for watch, _ in due] == ["KRW-ETH"]
    assert decide_all(watches, {"KRW-ETH": Decimal(900)}, TODAY) == []


def test_d31_only_what_was_bought_is_sold() -> None:
    assert exit_volume(
        bought=Decimal("0.5"), free=Decimal(7), last=Decimal(10**6), rules=RULES
    ) == Decimal("0.5")


@pytest.mark.parametrize(
    ("exchange", "hour"), [(ExchangeName.UPBIT, 0), (ExchangeName.BITHUMB, 15)]
)
def test_d32_day_is_the_exchanges_and_a_stale_candle_plans_nothing(
    exchange: ExchangeName, hour: int
) -> None:
    boundary = datetime(2026, 3, 1, hour, tzinfo=UTC)
    new_day = trading_day(boundary, exchange)

    assert day_start(new_day, exchange) == boundary
    assert trading_day(boundary - timedelta(seconds=1), exchange) < new_day
    stale = Plan(new_day - timedelta(days=1), Decimal(1))
    assert HALF.decide(stale, Moment(new_day, Decimal(9))) == Hold(Waiting.NO_PLAN)


def test_d37_stop_loss_sells_and_a_daily_loss_stops_buying() -> None:
    strategy = VolatilityBreakout(Decimal("0.5"), stop=StopLoss(Decimal(2)))
    fallen = Moment(TODAY, Decimal(980), Held(Decimal(1000), TODAY))
    lost = Standing(Decimal(0), Decimal(1_000_000), Decimal(970_000))

    assert strategy.decide(None, fallen) == Exit(OrderReason.STOP_LOSS, Decimal(980))
    limits = Limits(daily_loss_pct=Decimal(3))
    now = datetime(2026, 3, 2, tzinfo=UTC)
    refusal = refuse_entry(Decimal(5000), limits=limits, standing=lost, now=now)
    assert refusal is Refusal.DAILY_LOSS
