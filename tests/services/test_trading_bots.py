"""What people do with bots: set up, start, stop, say yes, halt; and who may not."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.exchanges import (
    Balance,
    ExchangeName,
    Fill,
    KeyState,
    MarketRules,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    PaperOrder,
    Side,
)
from app.domain.runs import BotMode, BotState, LogKind, OrderReason
from app.domain.trading import BotSettings
from app.extensions import db
from app.models import Bot, BotRun, LinkedAccount, Order, OrderFill, Position, User
from app.services.trading import bots, orders, runs
from app.services.trading.books import BotBook
from app.services.trading.checking import Known
from app.services.trading.lines import list_lines
from app.services.trading.orders import Wish
from app.services.trading.values import Prices, held_since, worth_of
from tests.conftest import NOW
from tests.factories import make_coin

SETTINGS = BotSettings(codes=("BTC",))
FEE = Decimal("0.0005")
RULES = MarketRules("KRW-BTC", FEE, FEE, Decimal(5_000))
KNOWN = Known(RULES, Decimal(100), Decimal(10**6), Decimal(10**6), Decimal(10**6), True)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _coins(session: Session) -> None:
    make_coin("BTC")
    make_coin("ETH")


def start(user: User, mode: BotMode = BotMode.PAPER, **given: Any) -> None:
    bots.start_bot(**{"user_id": user.id, "mode": mode, "live_trading": True, "now": NOW} | given)


def link(user: User, **about: Any) -> int:
    values = {
        "user_id": user.id, "exchange": ExchangeName.BITHUMB, "sealed_keys": "sealed",
        "fingerprint": f"f{user.id}{about}", "last_four": "abcd", "state": KeyState.GOOD,
        "can_trade": True, "linked_at": NOW,
    }  # fmt: skip
    with transaction() as session:
        account = LinkedAccount(**(values | about))
        session.add(account)
        session.flush()
        return account.id


def hold_a_coin(bot_id: int) -> None:
    with transaction() as session:
        session.add(
            Position(
                bot_id=bot_id, market="KRW-BTC", volume=Decimal(1), cost=Decimal(1),
                day=NOW.date(), opened_at=NOW,
            )
        )  # fmt: skip


def make_live(user: User, **about: Any) -> None:
    bots.choose_account(user_id=user.id, account_id=link(user, **about), now=NOW)
    bots.save_settings(user_id=user.id, mode=BotMode.LIVE, settings=SETTINGS, now=NOW)


def say_yes(user: User, typed: str = "Real  MONEY") -> None:
    bots.confirm_live(user_id=user.id, typed=typed, sentence="real money", now=NOW)


def state_of(user: User, mode: BotMode = BotMode.PAPER) -> BotState:
    db.session.rollback()
    return bots.get_bot(user_id=user.id, mode=mode).state


def refused(deed: Any, *given: Any, **named: Any) -> str:
    with pytest.raises((Conflict, InvalidInput)) as error:
        deed(*given, **named)
    return error.value.code


def intend(user: User, **about: Any) -> int | None:
    bot = db.session.scalars(select(Bot).where(Bot.user_id == user.id)).one()
    wish = Wish(bot.id, "KRW-BTC", NOW.date(), OrderReason.ENTRY, Decimal(100), Decimal(10_000))
    return orders.intend(wish=replace(wish, **about), known=KNOWN, now=NOW)


def test_bot_nobody_set_up_has_the_usual_settings(alice: User) -> None:
    found = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER)

    assert (found.id, found.state, found.settings) == (None, BotState.OFF, BotSettings())
    assert not found.is_on


def test_paper_bot_starts_at_once_and_starting_again_is_harmless(alice: User) -> None:
    start(alice, live_trading=False)
    start(alice, live_trading=False)
    found = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER)

    assert found.is_on
    assert (found.run_started_at, found.end_reason, found.has_pending) == (NOW, None, False)
    assert len(list(db.session.scalars(select(BotRun)))) == 1


def test_two_people_have_two_bots(alice: User, bob: User) -> None:
    start(alice)
    bots.halt_all(user_id=bob.id, sells=True, now=NOW)

    assert (state_of(alice), state_of(bob)) == (BotState.RUNNING, BotState.OFF)


def test_stopped_bot_ends_and_stopping_again_is_harmless(alice: User) -> None:
    bots.stop_bot(user_id=alice.id, mode=BotMode.PAPER, now=NOW)
    start(alice)
    bots.stop_bot(user_id=alice.id, mode=BotMode.PAPER, now=NOW)
    assert refused(start, alice) == "bot_is_stopping"
    bot_id = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).id or 0
    runs.rest(bot_id=bot_id, now=LATER)
    runs.rest(bot_id=bot_id, now=LATER)

    assert state_of(alice) is BotState.OFF
    assert bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).end_reason == "stopped"


def test_bot_does_not_rest_while_an_order_is_in_the_air(alice: User) -> None:
    start(alice)
    assert intend(alice) is not None
    bots.stop_bot(user_id=alice.id, mode=BotMode.PAPER, now=NOW)

    runs.rest(bot_id=db.session.scalars(select(Bot.id)).one(), now=LATER)

    assert state_of(alice) is BotState.STOPPING
    assert db.session.scalars(select(BotRun.ended_at)).one() is None


def test_settings_are_changed_while_the_bot_is_off(alice: User) -> None:
    save = {"user_id": alice.id, "mode": BotMode.PAPER, "now": NOW}
    bots.save_settings(settings=SETTINGS, **save)  # type: ignore[arg-type]
    assert bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).settings == SETTINGS
    start(alice)

    assert refused(bots.save_settings, settings=SETTINGS, **save) == "bot_is_on"


def test_coins_that_are_not_listed_are_refused(alice: User) -> None:
    save = {"user_id": alice.id, "mode": BotMode.PAPER, "now": NOW}
    nothing = BotSettings(codes=("NOPE",))

    assert refused(bots.save_settings, settings=nothing, **save) == "bot_coin_unknown"


def test_live_bot_needs_an_account_of_ones_own(alice: User, bob: User) -> None:
    live = {"user_id": alice.id, "mode": BotMode.LIVE, "now": NOW}
    assert refused(bots.save_settings, settings=SETTINGS, **live) == "live_key_not_good"
    with pytest.raises(NotFound):
        bots.choose_account(user_id=alice.id, account_id=link(bob), now=NOW)
    with pytest.raises(NotFound):
        say_yes(alice)
    make_live(alice)
    found = bots.get_bot(user_id=alice.id, mode=BotMode.LIVE)

    assert (found.exchange, found.confirmed_at) == (ExchangeName.BITHUMB, None)


def test_real_money_needs_three_yeses(alice: User) -> None:
    make_live(alice)
    assert refused(start, alice, BotMode.LIVE) == "live_not_confirmed"
    assert refused(say_yes, alice, "real") == "sentence_differs"
    say_yes(alice)
    assert refused(start, alice, BotMode.LIVE, live_trading=False) == "live_trading_off"
    start(alice, BotMode.LIVE)

    assert state_of(alice, BotMode.LIVE) is BotState.RUNNING


@pytest.mark.parametrize(
    "about", [{"can_trade": None}, {"can_trade": False}, {"state": KeyState.UNKNOWN}]
)
def test_key_that_may_not_trade_is_no_yes(alice: User, about: dict[str, Any]) -> None:
    make_live(alice, **about)

    assert refused(say_yes, alice) == "live_key_not_good"


def test_another_account_takes_the_yes_back(alice: User) -> None:
    make_live(alice)
    say_yes(alice)
    bots.choose_account(user_id=alice.id, account_id=link(alice, last_four="zzzz"), now=NOW)

    assert bots.get_bot(user_id=alice.id, mode=BotMode.LIVE).confirmed_at is None
    assert refused(start, alice, BotMode.LIVE) == "live_not_confirmed"


def test_yes_can_be_withdrawn_while_the_bot_runs(alice: User) -> None:
    make_live(alice)
    say_yes(alice)
    start(alice, BotMode.LIVE)
    bots.withdraw_yes(user_id=alice.id, now=NOW)

    assert intend(alice) is None


def test_account_is_not_changed_under_a_bot_that_runs_or_holds_coins(alice: User) -> None:
    make_live(alice)
    say_yes(alice)
    start(alice, BotMode.LIVE)
    other = {"user_id": alice.id, "account_id": link(alice, last_four="zzzz"), "now": NOW}
    assert refused(bots.choose_account, **other) == "bot_is_on"
    bot_id = bots.get_bot(user_id=alice.id, mode=BotMode.LIVE).id or 0
    bots.stop_bot(user_id=alice.id, mode=BotMode.LIVE, now=NOW)
    runs.rest(bot_id=bot_id, now=NOW)
    hold_a_coin(bot_id)

    assert refused(bots.choose_account, **other) == "bot_holds_coins"


def test_halt_is_lifted_by_the_person_alone(alice: User) -> None:
    start(alice)
    assert bots.halt_all(user_id=alice.id, sells=False, now=NOW) == 1
    assert bots.halt_all(user_id=alice.id, sells=True, now=LATER) == 1
    found = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER)
    assert (found.state, found.halted_at, found.halt_sells) == (BotState.HALTED, NOW, True)
    assert refused(start, alice) == "bot_halted"
    runs.stop_for(bot_id=found.id or 0, problem="key_expired", now=NOW)
    assert state_of(alice) is BotState.HALTED

    bots.lift_halt(user_id=alice.id, now=LATER)
    start(alice)
    assert state_of(alice) is BotState.RUNNING


def test_nothing_is_lifted_or_started_while_an_order_is_in_the_air(alice: User) -> None:
    start(alice)
    assert intend(alice) is not None
    bots.halt_all(user_id=alice.id, sells=False, now=NOW)
    assert refused(bots.lift_halt, user_id=alice.id, now=NOW) == "bot_not_settled"
    bot = db.session.scalars(select(Bot)).one()
    runs.rest(bot_id=bot.id, now=NOW)
    with transaction() as session:
        again = session.get_one(Bot, bot.id)
        again.state, again.halted_at = BotState.OFF, None

    assert refused(start, alice) == "bot_not_settled"


def test_more_capital_comes_to_the_paper_books_and_less_goes(alice: User) -> None:
    save = {"user_id": alice.id, "mode": BotMode.PAPER, "now": NOW}
    bots.save_settings(settings=SETTINGS, **save)  # type: ignore[arg-type]
    bot_id = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).id or 0
    book = BotBook(bot_id, SETTINGS.capital, NOW)
    with book.page() as page:
        page.put_balance(Balance("KRW", Decimal(300_000), Decimal(0)))
    more = replace(SETTINGS, capital=Decimal(1_500_000))
    bots.save_settings(settings=more, **save)  # type: ignore[arg-type]
    with book.page() as page:
        assert page.balances()[0].free == 800_000

    less = replace(SETTINGS, capital=Decimal(600_000))
    assert refused(bots.save_settings, settings=less, **save) == "capital_is_invested"


def test_paper_order_comes_back_from_the_books_as_it_was(alice: User) -> None:
    start(alice)
    bot_id = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).id or 0
    book = BotBook(bot_id, Decimal(5_000), NOW)
    intent = OrderIntent("x", "KRW-BTC", Side.BUY, OrderKind.LIMIT, Decimal(1), None, Decimal(9))
    fills = (
        Fill("1", Decimal(9), Decimal("0.5"), Decimal("4.5"), Decimal("0.002"), NOW),
        Fill("2", Decimal(9), Decimal("0.1"), Decimal("0.9"), Decimal(0)),
    )
    report = OrderReport("x", "p-x", OrderState.OPEN, Decimal("0.6"), Decimal("5.4"), FEE, fills)
    with book.page() as page:
        page.keep(PaperOrder(intent, report))
    with book.page() as page:
        assert page.open_orders() == [page.find("x")] == [PaperOrder(intent, report)]
        page.keep(PaperOrder(intent, replace(report, state=OrderState.CANCELLED)))
    with book.page() as page:
        assert (page.open_orders(), page.find("y")) == ([], None)


def test_same_signal_is_written_down_once(alice: User) -> None:
    start(alice)
    first = intend(alice)

    assert first is not None
    assert intend(alice) is None


def test_two_threads_write_one_signal_once(app: Flask, alice: User) -> None:
    start(alice)
    told: list[int | None] = []

    def attempt() -> None:
        with app.app_context():
            told.append(intend(alice))

    user_id = alice.id
    assert user_id
    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sum(ident is not None for ident in told) == 1


def test_signal_that_another_process_took_meanwhile_is_its_own(alice: User) -> None:
    start(alice)
    ident = intend(alice) or 0
    orders.give_up(order_id=ident, now=NOW - timedelta(minutes=1))
    with transaction() as session:
        session.get_one(Order, ident).attempt = 1

    assert intend(alice) is None


def test_same_account_chosen_again_needs_the_yes_again(alice: User) -> None:
    make_live(alice)
    say_yes(alice)
    account_id = bots.get_bot(user_id=alice.id, mode=BotMode.LIVE).account_id or 0
    bots.choose_account(user_id=alice.id, account_id=account_id, now=NOW)

    assert bots.get_bot(user_id=alice.id, mode=BotMode.LIVE).confirmed_at is None


def test_bot_that_never_ran_can_be_halted_before_its_first_start(alice: User) -> None:
    bots.save_settings(user_id=alice.id, mode=BotMode.PAPER, settings=SETTINGS, now=NOW)

    assert bots.halt_all(user_id=alice.id, sells=True, now=NOW) == 1
    assert refused(start, alice) == "bot_halted"


def test_nothing_is_sold_while_a_purchase_of_the_coin_is_in_the_air(alice: User) -> None:
    start(alice)
    assert intend(alice) is not None
    with transaction() as session:
        session.add(
            Position(
                bot_id=session.scalars(select(Bot.id)).one(), market="KRW-BTC",
                volume=Decimal(1_000), cost=Decimal(1), day=NOW.date(), opened_at=NOW,
            )
        )  # fmt: skip
    sale = {"reason": OrderReason.STOP_LOSS, "funds": None, "volume": Decimal(1_000)}

    assert intend(alice, **sale) is None
    orders.give_up(order_id=db.session.scalars(select(Order.id)).one(), now=NOW)
    assert intend(alice, **sale) is not None


def test_order_is_claimed_once(alice: User) -> None:
    start(alice)
    ident = intend(alice) or 0

    assert orders.claim(order_id=ident, known=KNOWN, now=NOW) is not None
    assert orders.claim(order_id=ident, known=KNOWN, now=NOW) is None


def sent(user: User) -> int:
    start(user)
    ident = intend(user) or 0
    orders.claim(order_id=ident, known=KNOWN, now=NOW)
    return ident


def report(volume: str, state: OrderState = OrderState.OPEN) -> OrderReport:
    amount = Decimal(volume)
    fill = Fill(f"at {volume}", Decimal(100), amount, 100 * amount, amount)
    return OrderReport("x", "e-1", state, amount, 100 * amount, amount, (fill,) if amount else ())


def test_answer_told_twice_counts_once_and_an_older_one_takes_nothing_back(alice: User) -> None:
    ident = sent(alice)
    for volume in ("10", "10", "30", "20"):
        orders.record_report(order_id=ident, report=report(volume), now=NOW)
    db.session.rollback()
    order = db.session.get_one(Order, ident)

    assert (order.executed_volume, order.executed_funds, order.paid_fee) == (30, 3000, 30)
    assert db.session.scalars(select(Position.volume)).one() == 30
    assert len(list(db.session.scalars(select(OrderFill)))) == 3


def test_purchase_cancelled_after_fills_counts_as_bought(alice: User) -> None:
    ident = sent(alice)
    final = report("99", OrderState.CANCELLED)

    assert orders.record_report(order_id=ident, report=final, now=NOW) is OrderState.CANCELLED
    assert db.session.scalars(select(Position.volume)).one() == 99


def test_what_is_over_is_not_refused_missing_doubted_or_given_up_any_more(alice: User) -> None:
    ident = sent(alice)
    orders.record_report(order_id=ident, report=report("1", OrderState.FILLED), now=NOW)

    assert orders.record_refusal(order_id=ident, problem="x", now=NOW) is OrderState.FILLED
    assert orders.record_missing(order_id=ident, now=NOW) is OrderState.FILLED
    orders.record_doubt(order_id=ident, now=NOW)
    orders.give_up(order_id=ident, now=NOW)
    db.session.rollback()
    assert db.session.get_one(Order, ident).state is OrderState.FILLED


def test_bot_without_a_run_orders_nothing(alice: User) -> None:
    bots.save_settings(user_id=alice.id, mode=BotMode.PAPER, settings=SETTINGS, now=NOW)

    assert intend(alice) is None


def test_log_is_the_owners_alone(alice: User, bob: User) -> None:
    start(alice)
    bot_id = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).id or 0
    lines = list_lines(user_id=alice.id, bot_id=bot_id)

    assert [(line.kind, line.code) for line in lines] == [(LogKind.START, "run_started")]
    assert lines[0].params["prices"] == {"KRW-BTC": "100"}
    assert list_lines(user_id=bob.id, bot_id=bot_id) == []


def test_coin_without_a_price_counts_as_what_it_cost_and_has_no_comparison() -> None:
    none = Prices({}, {})

    assert worth_of(Decimal(10), Decimal(-5), {}, none) == 5
    assert held_since(Decimal(10), {"KRW-BTC": Decimal(1)}, none) is None
