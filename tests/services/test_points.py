"""The daily top-up, the ledger as its owner sees it, and the sums kept beside it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.points import AlreadyToppedUp, Reason
from app.models import LedgerEntry, User
from app.services import points
from app.services.points import audit
from tests import factories as make

NOW = make.NOW
#: 2 March 2026 ends in Korea at this moment.
MIDNIGHT = datetime(2026, 3, 2, 15, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def top_up(user: User, at: datetime = NOW) -> int:
    return points.take_top_up(user_id=user.id, now=at)


def test_top_up_gives_10_and_says_the_balance(session: Session, alice: User) -> None:
    assert points.can_top_up(user_id=alice.id, now=NOW)

    assert top_up(alice) == 310

    assert not points.can_top_up(user_id=alice.id, now=NOW)
    assert list(audit()) == []


def test_second_top_up_of_a_korean_day_is_refused(session: Session, alice: User) -> None:
    top_up(alice, MIDNIGHT - timedelta(hours=24))

    with pytest.raises(AlreadyToppedUp):
        top_up(alice, MIDNIGHT - TICK)

    assert make.balance(alice) == 310
    assert top_up(alice, MIDNIGHT) == 320


def test_top_up_of_one_isnt_anothers(session: Session, alice: User, bob: User) -> None:
    top_up(alice)

    assert points.can_top_up(user_id=bob.id, now=NOW)
    assert top_up(bob) == 310


def test_top_up_asked_eight_times_at_once_is_given_once(app: Flask) -> None:
    with app.app_context():
        alice = make.make_user("alice").id

    def attempt(_number: int) -> bool:
        with app.app_context():
            try:
                points.take_top_up(user_id=alice, now=NOW)
            except AlreadyToppedUp:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))

    assert outcomes.count(True) == 1
    with app.app_context():
        assert points.ledger_page(user_id=alice).balance == 310
        assert list(audit()) == []


@pytest.mark.parametrize("name", ["take_top_up", "grant"])
def test_nobody_gets_no_points(session: Session, name: str) -> None:
    more = {"amount": 10} if name == "grant" else {}

    with pytest.raises(NotFound):
        getattr(points, name)(user_id=99, now=NOW, **more)

    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_grant_goes_through_the_ledger(session: Session, alice: User) -> None:
    assert points.grant(user_id=alice.id, amount=25, now=NOW) == 325

    assert points.ledger_page(user_id=alice.id).rows[0].reason is Reason.GRANT
    assert list(audit()) == []


def test_ledger_runs_newest_first_with_its_balance(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)
    top_up(alice)

    page = points.ledger_page(user_id=alice.id)

    assert [(row.reason, row.amount, row.balance) for row in page.rows] == [
        (Reason.TOP_UP, 10, 260),
        (Reason.CREATION, -50, 250),
        (Reason.WELCOME, 300, 300),
    ]
    assert [row.vote_id for row in page.rows] == [None, vote.id, None]
    assert (page.rows[1].coin_code, page.rows[1].range_pct) == ("BTC", 10)
    assert (page.balance, page.ledger_sum, page.entry_count) == (260, 260, 3)
    assert page.agrees


def test_ledger_pages_hold_every_entry_once(session: Session, alice: User) -> None:
    for number in range(6):
        points.grant(user_id=alice.id, amount=number + 1, now=NOW)

    seen, cursor = [], None
    while True:
        page = points.ledger_page(user_id=alice.id, before=cursor, limit=3)
        seen.append([row.amount for row in page.rows])
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [[6, 5, 4], [3, 2, 1], [300]]


def test_one_side_of_the_ledger_keeps_its_running_balance(session: Session, alice: User) -> None:
    make.make_vote(alice)
    top_up(alice)

    received = points.ledger_page(user_id=alice.id, received=True)
    spent = points.ledger_page(user_id=alice.id, received=False)

    assert [(row.amount, row.balance) for row in received.rows] == [(10, 260), (300, 300)]
    assert [(row.amount, row.balance) for row in spent.rows] == [(-50, 250)]
    assert received.entry_count == spent.entry_count == 3


def test_ledger_of_nobody_is_empty(session: Session) -> None:
    page = points.ledger_page(user_id=99)

    assert (page.rows, page.next_cursor, page.entry_count, page.agrees) == ((), None, 0, True)


def test_month_begins_at_its_first_korean_midnight(session: Session, alice: User) -> None:
    first = datetime(2026, 2, 28, 15, tzinfo=UTC)
    points.grant(user_id=alice.id, amount=7, now=first - TICK)
    points.grant(user_id=alice.id, amount=5, now=first)
    make.make_vote(alice)

    month = points.month_sums(user_id=alice.id, now=NOW)

    assert (month.received, month.spent) == (305, -50)


def test_month_without_entries_is_zero(session: Session, alice: User) -> None:
    month = points.month_sums(user_id=alice.id, now=NOW + timedelta(days=60))

    assert (month.received, month.spent) == (0, 0)


def test_platform_is_right_when_its_majority_was(session: Session, alice: User, bob: User) -> None:
    hit = make.make_vote(alice, range_pct=5, now=NOW - timedelta(days=1))
    miss = make.make_vote(alice, range_pct=20, now=NOW - timedelta(days=1))
    for vote in (hit, miss):
        make.answer(bob, vote, "yes")
    for vote in (hit, miss):
        make.settle(make.close(vote), "110", now=NOW)

    assert points.platform_accuracy(NOW) == Decimal("50.0")


def test_platform_without_results_stands_at_zero(session: Session) -> None:
    assert points.platform_accuracy(NOW) == 0
