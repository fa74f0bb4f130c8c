"""The queue of backtests: one's own alone, never too many, ended when asked to."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.runs import BacktestState
from app.domain.trading import BacktestSettings
from app.extensions import db
from app.models import Backtest, User
from app.services.idempotency import Asked, Kept
from app.services.trading import backtest_queue, backtests
from app.services.trading.results import BacktestResult
from tests import factories as make

NOW = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
USUAL = BacktestSettings()
EMPTY: BacktestResult = {"version": 2, "coins": []}


@pytest.fixture(autouse=True)
def _bitcoin(session: Session) -> None:
    make.make_coin("BTC")


def ask(user: User, now: datetime = NOW) -> int:
    return backtests.ask(user_id=user.id, settings=USUAL, now=now)


def state(user: User, ident: int) -> BacktestState:
    db.session.rollback()
    return backtests.get_backtest(user_id=user.id, backtest_id=ident).row.state


def finish(ident: int) -> None:
    backtest_queue.finish(backtest_id=ident, result=EMPTY, now=NOW)


def test_what_was_asked_waits_and_is_made_in_order(alice: User, bob: User) -> None:
    first, second = ask(alice), ask(bob)

    work = backtest_queue.take_next(NOW)

    assert work is not None
    assert (work.id, work.settings, work.asked_at) == (first, USUAL, NOW)
    assert state(alice, first) is BacktestState.RUNNING
    assert state(bob, second) is BacktestState.WAITING


def test_result_is_kept_with_all_steps_done(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)

    finish(ident)

    view = backtests.get_backtest(user_id=alice.id, backtest_id=ident)
    assert view.result == EMPTY
    assert (view.row.is_over, view.row.pct) == (True, 100)
    assert backtest_queue.is_waited_for() is False
    assert backtest_queue.take_next(NOW) is None


def test_nobody_sees_or_ends_anybody_elses(alice: User, bob: User) -> None:
    ident = ask(alice)

    for wrong in (ident, ident + 1, 2**70):
        with pytest.raises(NotFound):
            backtests.get_backtest(user_id=bob.id, backtest_id=wrong)
        with pytest.raises(NotFound):
            backtests.cancel(user_id=bob.id, backtest_id=wrong, now=NOW)
    assert backtests.list_backtests(user_id=bob.id) == []
    assert state(alice, ident) is BacktestState.WAITING


def test_one_that_a_killed_process_left_is_begun_again(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)
    assert backtest_queue.note_progress(backtest_id=ident, done=7) is True

    again = backtest_queue.take_next(NOW + timedelta(minutes=1))

    assert again is not None
    assert again.id == ident
    row = backtests.get_backtest(user_id=alice.id, backtest_id=ident).row
    assert (row.done, row.started_at) == (0, NOW)


def test_one_over_which_three_processes_died_is_given_up_in_plain_words(alice: User) -> None:
    ident, next_one = ask(alice), ask(alice)
    for _ in range(3):
        work = backtest_queue.take_next(NOW)
        assert work is not None
        assert work.id == ident

    assert backtest_queue.take_next(NOW) is None
    assert state(alice, ident) is BacktestState.FAILED
    assert backtests.get_backtest(user_id=alice.id, backtest_id=ident).row.was_killed
    work = backtest_queue.take_next(NOW)
    assert work is not None
    assert work.id == next_one


def test_one_that_was_given_back_in_good_order_is_begun_as_often_as_it_takes(alice: User) -> None:
    ident = ask(alice)

    for _ in range(5):
        assert backtest_queue.take_next(NOW) is not None
        backtest_queue.give_back(backtest_id=ident)

    assert state(alice, ident) is BacktestState.RUNNING


def test_waiting_one_ends_at_once_when_cancelled(alice: User) -> None:
    ident = ask(alice)

    backtests.cancel(user_id=alice.id, backtest_id=ident, now=NOW)

    assert state(alice, ident) is BacktestState.CANCELLED
    assert backtest_queue.take_next(NOW) is None


def test_running_one_is_told_to_end_at_its_next_step(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)

    backtests.cancel(user_id=alice.id, backtest_id=ident, now=NOW)

    assert state(alice, ident) is BacktestState.RUNNING
    assert backtest_queue.note_progress(backtest_id=ident, done=9) is False
    backtest_queue.end_cancelled(backtest_id=ident, now=NOW)
    assert state(alice, ident) is BacktestState.CANCELLED


def test_cancelled_one_never_shows_a_result(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)
    backtests.cancel(user_id=alice.id, backtest_id=ident, now=NOW)

    finish(ident)

    assert state(alice, ident) is BacktestState.CANCELLED


def test_cancelled_one_that_was_killed_is_not_begun_again(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)
    backtests.cancel(user_id=alice.id, backtest_id=ident, now=NOW)

    assert backtest_queue.take_next(NOW) is None
    assert state(alice, ident) is BacktestState.CANCELLED


def test_what_is_over_stays_as_it_is(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)
    finish(ident)

    backtests.cancel(user_id=alice.id, backtest_id=ident, now=NOW)
    backtest_queue.fail(backtest_id=ident, problem="late", now=NOW)

    assert state(alice, ident) is BacktestState.DONE


def test_failure_is_told_shortly(alice: User) -> None:
    ident = ask(alice)
    backtest_queue.take_next(NOW)

    backtest_queue.fail(backtest_id=ident, problem="x" * 999, now=NOW)

    assert state(alice, ident) is BacktestState.FAILED
    assert len(db.session.scalar(select(Backtest.problem)) or "") == 200


def test_one_that_runs_is_not_forgotten_however_many_come_after_it(alice: User) -> None:
    oldest = ask(alice)
    backtest_queue.take_next(NOW)

    for _ in range(backtests.KEEP + 1):
        backtests.cancel(user_id=alice.id, backtest_id=ask(alice), now=NOW)

    assert state(alice, oldest) is BacktestState.RUNNING


def test_fourth_unfinished_one_is_refused_but_not_anybody_elses(alice: User, bob: User) -> None:
    for _ in range(3):
        ask(alice)

    with pytest.raises(Conflict) as refused:
        ask(alice)

    assert refused.value.code == "backtests_unfinished"
    assert ask(bob) > 0


def test_newest_twenty_are_kept(alice: User, bob: User) -> None:
    kept = ask(bob)
    idents = []
    for _ in range(22):
        idents.append(ask(alice))
        backtests.cancel(user_id=alice.id, backtest_id=idents[-1], now=NOW)

    shown = [row.id for row in backtests.list_backtests(user_id=alice.id)]

    assert shown == idents[:1:-1]
    assert db.session.scalar(select(func.count()).select_from(Backtest)) == 21
    assert state(bob, kept) is BacktestState.WAITING


def test_coin_that_nobody_knows_is_refused(alice: User) -> None:
    with pytest.raises(InvalidInput) as refused:
        backtests.ask(user_id=alice.id, settings=BacktestSettings(codes=("GONE",)), now=NOW)

    assert (refused.value.field, refused.value.code) == ("codes", "coin_unknown")


def test_same_key_asks_once(alice: User) -> None:
    def asked() -> Kept:
        return backtests.ask_once(
            asked=Asked(alice.id, "key", "f" * 64),
            user_id=alice.id,
            settings=USUAL,
            told=lambda ident: Kept(201, str(ident)),
            now=NOW,
        )

    assert asked() == asked()
    assert len(backtests.list_backtests(user_id=alice.id)) == 1


def test_two_at_once_never_pass_the_limit(app: Flask, alice: User) -> None:
    user_id, made, refused = alice.id, list[int](), list[str]()
    ready = threading.Barrier(6)

    def try_one() -> None:
        with app.app_context():
            ready.wait()
            try:
                made.append(backtests.ask(user_id=user_id, settings=USUAL, now=NOW))
            except Conflict as error:
                refused.append(error.code)

    threads = [threading.Thread(target=try_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(refused)) == (3, 3)
