"""When bots rest, and that a clock that was set back lets none of them rest for ever."""

from datetime import datetime, timedelta

import pytest

from app.domain.exchanges import OrderState, Side
from app.domain.runs import OrderReason
from app.services.trading.cases import Pending
from app.services.trading.pauses import Pauses
from tests.conftest import NOW

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def sent(at: datetime) -> Pending:
    return Pending(7, "wl-7", "KRW-BTC", Side.BUY, OrderReason.ENTRY, OrderState.OPEN, at)


def test_pause_is_of_one_bot_and_market_and_ends() -> None:
    pauses = Pauses()

    pauses.be_quiet(1, "KRW-BTC", until=NOW + 5 * SECOND)

    assert pauses.is_quiet(1, "KRW-BTC", NOW)
    assert not pauses.is_quiet(1, "KRW-BTC", NOW + 5 * SECOND)
    assert not pauses.is_quiet(1, "", NOW)
    assert not pauses.is_quiet(2, "KRW-BTC", NOW)


def test_clock_that_was_set_back_ends_a_pause() -> None:
    pauses = Pauses()

    pauses.be_quiet(1, "", until=NOW + 5 * SECOND)

    assert not pauses.is_quiet(1, "", NOW - 2 * HOUR)


@pytest.mark.parametrize(
    ("age", "pause"), [(0, 1), (59, 1), (60, 10), (3_599, 10), (3_600, 60), (100_000, 60)]
)
def test_order_is_asked_about_less_often_the_older_it_is(age: int, pause: int) -> None:
    pauses, order = Pauses(), sent(NOW - age * SECOND)

    pauses.note_asked(order, NOW)

    assert not pauses.should_ask(order, NOW + (pause - 1) * SECOND)
    assert pauses.should_ask(order, NOW + pause * SECOND)


def test_clock_that_was_set_back_keeps_nobody_from_asking() -> None:
    pauses, order = Pauses(), sent(NOW)

    pauses.note_asked(order, NOW)

    assert pauses.should_ask(order, NOW - 2 * HOUR)


def test_nothing_is_kept_of_what_is_over() -> None:
    pauses, order = Pauses(), sent(NOW)
    pauses.note_asked(order, NOW)
    pauses.be_quiet(1, "", until=NOW + SECOND)

    pauses.forget(pending=(), now=NOW + SECOND)

    assert pauses.should_ask(order, NOW)
    assert not pauses.is_quiet(1, "", NOW)
