"""Settling: who is paid, exactly once, with what evidence; and who has to wait."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.votes import Choice
from app.models import LedgerEntry, Quote, User, Vote
from app.services import votes
from app.services.market import remember_prices
from app.services.points import audit, platform_accuracy
from app.services.votes import settling
from app.services.votes.settling import VOTE_WEIGHS
from tests import factories as make

STEP = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


def due_ids(now: datetime) -> list[int]:
    return [vote_id for group in votes.due_groups(now=now) for vote_id in group.vote_ids]


def test_right_answer_is_paid_and_counted(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "yes")
    make.close(vote)

    make.settle(vote, "110")

    assert make.reload(vote.id).outcome is Choice.YES
    assert make.balance(bob) == 310
    session.expire_all()
    assert (bob.right_count, bob.settled_count) == (1, 1)
    assert list(audit()) == []


def test_wrong_answer_loses_its_stake_and_counts(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "no")
    make.close(vote)

    make.settle(vote, "110")

    assert make.balance(bob) == 290
    session.expire_all()
    assert (bob.right_count, bob.settled_count) == (0, 1)
    assert list(audit()) == []


def test_right_answer_to_staff_vote_is_paid_30(session: Session, admin: User, bob: User) -> None:
    vote = make.make_vote(admin)
    make.answer(bob, vote, "yes")
    make.close(vote)

    make.settle(vote, "110")

    assert make.balance(bob) == 330
    assert list(audit()) == []


def test_evidence_is_stored_with_the_vote(session: Session, alice: User) -> None:
    vote = make.make_closed_vote(alice)
    evidence = make.make_evidence(vote, "0.00001234")

    votes.settle_votes(vote_ids=[vote.id], evidence=evidence, now=make.NOW)

    found = make.reload(vote.id)
    assert found.final_price == Decimal("0.00001234")
    assert found.candle_opened_at == vote.tracked_at - MINUTE
    assert (found.quote_source, found.raw_quote) == ("upbit", '{"trade_price":0.00001234}')
    assert (found.quote_fetched_at, found.settled_at) == (evidence.fetched_at, make.NOW)
    assert found.updated_at == make.NOW


def test_crowd_is_judged_by_its_majority(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    for person in (alice, bob, make.make_user()):
        make.answer(person, vote, "yes" if person is bob else "no")
    make.close(vote)

    make.settle(vote, "110")

    assert make.reload(vote.id).crowd_right is False


def test_settling_twice_pays_once(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "yes")
    make.close(vote)

    assert make.settle(vote, "110")
    assert not make.settle(vote, "110")
    assert not make.settle(vote, "90")

    assert make.balance(bob) == 310
    assert make.reload(vote.id).outcome is Choice.YES
    assert list(audit()) == []


def test_votes_settled_together_each_come_out_by_their_own_question(
    session: Session, alice: User, admin: User, bob: User
) -> None:
    up = make.make_vote(alice, direction="up")
    down = make.make_vote(alice, direction="down")
    of_staff = make.make_vote(admin, direction="up", range_pct=20)
    for vote in (up, down, of_staff):
        make.answer(bob, vote, "yes")
    make.close(up)
    evidence = make.make_evidence(up, "110")

    settled = votes.settle_votes(
        vote_ids=[up.id, down.id, of_staff.id], evidence=evidence, now=make.NOW
    )

    found = [make.reload(vote.id) for vote in (up, down, of_staff)]
    assert settled == 3
    assert [vote.outcome for vote in found] == ["yes", "no", "no"]
    assert [vote.crowd_right for vote in found] == [True, False, False]
    assert {(vote.final_price, vote.raw_quote, vote.settled_at) for vote in found} == {
        (Decimal(110), evidence.candle.raw, make.NOW)
    }
    assert make.balance(bob) == 300 - 10 - 10 + 20
    assert list(audit()) == []


def test_person_who_was_right_in_several_votes_is_paid_for_each(
    session: Session, alice: User, bob: User
) -> None:
    made = [make.make_vote(alice, range_pct=pct) for pct in (1, 2, 3)]
    for vote in made:
        make.answer(bob, vote, "yes")
    make.close(made[0])

    votes.settle_votes(
        vote_ids=[vote.id for vote in made], evidence=make.make_evidence(made[0]), now=make.NOW
    )

    assert make.balance(bob) == 330
    session.expire_all()
    assert (bob.right_count, bob.settled_count) == (3, 3)
    assert list(audit()) == []


def test_votes_that_wait_for_no_price_are_passed_over(session: Session) -> None:
    rich = make.make_user(points=1000)
    settled, closed = make.make_settled_vote(rich), make.make_closed_vote(rich)
    void, still_open = make.make_closed_vote(rich), make.make_vote(rich)
    votes.void_vote(vote_id=void.id, reason="test", now=make.NOW)
    ids = [settled.id, closed.id, void.id, still_open.id, 10**6]

    assert (
        votes.settle_votes(vote_ids=ids, evidence=make.make_evidence(closed, "90"), now=make.NOW)
        == 1
    )

    states = [str(make.reload(vote_id).state) for vote_id in ids[:4]]
    assert states == ["tracked", "tracked", "void", "ongoing"]
    assert make.reload(settled.id).final_price == 110
    assert list(audit()) == []


def test_candle_that_decides_not_all_decides_none(session: Session, alice: User) -> None:
    vote = make.make_closed_vote(alice)
    later = make.make_closed_vote(alice)
    with transaction() as writing:
        day_on = {"tracked_at": vote.tracked_at + timedelta(hours=25)}
        writing.execute(update(Vote).where(Vote.id == later.id).values(day_on))

    with pytest.raises(ValueError, match=f"vote {later.id}"):
        votes.settle_votes(
            vote_ids=[vote.id, later.id], evidence=make.make_evidence(vote), now=make.NOW
        )

    assert make.is_state(vote, "finished")


def test_vote_that_still_takes_answers_is_not_settled(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)

    assert not make.settle(vote)

    assert make.is_state(vote, "ongoing")


@pytest.mark.parametrize("age", [timedelta(0), -MINUTE, timedelta(hours=24) + MINUTE])
def test_candle_of_another_time_is_refused(
    session: Session, alice: User, bob: User, age: timedelta
) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "yes")
    make.close(vote)
    right = make.make_evidence(vote)
    wrong = replace(right, candle=replace(right.candle, opened_at=vote.tracked_at - age))

    with pytest.raises(ValueError, match="doesn't decide"):
        votes.settle_votes(vote_ids=[vote.id], evidence=wrong, now=make.NOW)

    assert make.is_state(vote, "finished")
    assert make.balance(bob) == 290
    assert list(audit()) == []


def test_failure_half_way_leaves_nothing_behind(session: Session, alice: User, bob: User) -> None:
    other, vote = make.make_vote(alice), make.make_vote(alice)
    make.answer(bob, vote, "yes")
    make.close(vote)
    # An entry that is there already makes the payment fail after the vote was claimed.
    session.add(
        LedgerEntry(
            user_id=bob.id, vote_id=vote.id, reason="reward", amount=20, created_at=make.NOW
        )
    )
    session.commit()

    with pytest.raises(IntegrityError, match="UNIQUE"):
        votes.settle_votes(
            vote_ids=[other.id, vote.id], evidence=make.make_evidence(vote), now=make.NOW
        )

    assert make.is_state(vote, "finished")
    assert make.is_state(other, "finished")
    assert make.balance(bob) == 290


def test_vote_is_due_five_seconds_after_its_time(session: Session, alice: User) -> None:
    vote = make.make_closed_vote(alice)
    final = vote.tracked_at + timedelta(seconds=5)

    assert due_ids(final - STEP) == []
    assert due_ids(final) == [vote.id]


def test_open_settled_and_void_votes_are_not_due(session: Session) -> None:
    rich = make.make_user(points=1000)
    make.make_settled_vote(rich)
    void = make.make_closed_vote(rich)
    votes.void_vote(vote_id=void.id, reason="test", now=make.NOW)
    make.make_vote(rich, now=make.NOW - timedelta(days=1))

    assert due_ids(make.NOW + timedelta(days=9)) == []


def test_votes_of_one_coin_and_minute_make_one_group(session: Session) -> None:
    rich = make.make_user(points=1000)
    yesterday = make.NOW - timedelta(days=1)
    same = [make.make_vote(rich, range_pct=n, now=yesterday + n * STEP).id for n in (1, 2, 3)]
    other_coin = make.make_vote(rich, coin="ETH", now=yesterday).id
    earlier = make.make_vote(rich, coin="ETH", now=yesterday - MINUTE).id
    votes.close_due_votes(now=make.NOW)

    groups = votes.due_groups(now=make.NOW + MINUTE)

    assert [list(group.vote_ids) for group in groups] == [[earlier], same, [other_coin]]
    assert [group.market for group in groups] == ["KRW-ETH", "KRW-BTC", "KRW-ETH"]


def test_group_was_tried_as_often_as_the_vote_that_was_tried_least(session: Session) -> None:
    rich, now = make.make_user(points=1000), make.NOW + MINUTE
    tried, new = make.make_closed_vote(rich), make.make_closed_vote(rich)
    for _ in range(3):
        votes.push_back(vote_ids=[tried.id], problem="down", now=make.NOW, grow=False)
    votes.push_back(vote_ids=[new.id], problem="down", now=make.NOW, grow=False)

    (group,) = votes.due_groups(now=now)

    assert (group.vote_ids, group.attempts) == ((tried.id, new.id), 1)


@pytest.mark.parametrize(
    ("answers", "room", "batches"),
    [
        ([0, 0, 0], 1000, [3]),
        ([0, 0, 0], 2 * VOTE_WEIGHS, [2, 1]),
        ([2, 0, 0], 2 * VOTE_WEIGHS, [1, 2]),
        ([0, 2, 0], 1, [1, 1, 1]),
    ],
)
def test_batch_takes_in_as_many_answers_as_fit_but_always_one_vote(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[int],
    room: int,
    batches: list[int],
) -> None:
    monkeypatch.setattr(settling, "ANSWERS_AT_ONCE", room)
    rich = make.make_user(points=1000)
    yesterday = make.NOW - timedelta(days=1)
    for number in answers:
        vote = make.make_vote(rich, now=yesterday)
        for _ in range(number):
            make.answer(make.make_user(), vote)
    votes.close_due_votes(now=make.NOW)

    (group,) = votes.due_groups(now=make.NOW + MINUTE)

    assert [len(batch) for batch in group.batches] == batches


def test_vote_that_fails_waits_longer_each_time(session: Session, alice: User) -> None:
    vote_id = make.make_closed_vote(alice).id
    waits = []
    for _ in range(4):
        votes.push_back(vote_ids=[vote_id], problem="no candle", now=make.NOW)
        waits.append((make.reload(vote_id).retry_at or make.NOW) - make.NOW)

    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert make.reload(vote_id).attempts == 4


def test_vote_waits_until_its_retry_and_not_longer(session: Session, alice: User) -> None:
    vote_id, now = make.make_closed_vote(alice).id, make.NOW + MINUTE
    votes.push_back(vote_ids=[vote_id], problem="no candle", now=now)

    assert due_ids(now + MINUTE - STEP) == []
    assert due_ids(now + MINUTE) == [vote_id]


def test_unreachable_exchange_is_counted_and_tried_next_minute(
    session: Session, alice: User
) -> None:
    vote_id, now = make.make_closed_vote(alice).id, make.NOW + MINUTE

    votes.push_back(vote_ids=[vote_id], problem="x" * 999, now=now, grow=False)

    assert due_ids(now) == [vote_id]
    found = make.reload(vote_id)
    assert (found.attempts, len(found.last_problem or "")) == (1, 200)


def test_settled_vote_is_not_pushed_back(session: Session, alice: User) -> None:
    vote = make.make_settled_vote(alice)

    votes.push_back(vote_ids=[vote.id], problem="late", now=make.NOW)

    assert make.reload(vote.id).attempts == 0


def test_settling_forgets_why_it_could_not_be_done_before(session: Session, alice: User) -> None:
    vote = make.make_closed_vote(alice)
    votes.push_back(vote_ids=[vote.id], problem="no candle", now=make.NOW)

    make.settle(vote)

    found = make.reload(vote.id)
    assert (found.last_problem, found.retry_at) == (None, None)


@pytest.mark.parametrize(
    ("offsets", "price"),
    [
        ([-2, 1], "102"),
        ([-1, 2], "101"),
        ([-2, 2, 0], "103"),
        ([3], None),
        ([-3], None),
    ],
)
def test_sample_nearest_to_the_minute_speaks_for_it(
    session: Session, offsets: list[int], price: str | None
) -> None:
    coin_id = make.make_coin("BTC", price=None).id
    moment = make.NOW.replace(second=0)
    seen = [(moment + n * MINUTE, Decimal(101 + place)) for place, n in enumerate(offsets)]
    remember_prices(code="BTC", prices=seen)

    found = votes.witnessed_price(coin_id=coin_id, moment=moment)

    assert found == (price and Decimal(price))


def test_platform_accuracy_leaves_out_unanswered_and_void_votes(session: Session) -> None:
    rich = make.make_user(points=2000)
    for answer, final in (("yes", "110"), ("yes", "90"), ("no", "90"), (None, "110")):
        vote = make.make_vote(rich, now=make.NOW - timedelta(days=1))
        if answer:
            make.answer(rich, vote, answer)
        make.settle(make.close(vote), final)
    void = make.make_vote(rich)
    make.answer(rich, void)
    votes.void_vote(vote_id=void.id, reason="test", now=make.NOW)

    assert platform_accuracy(make.NOW) == Decimal("66.7")


def test_result_changes_the_platforms_accuracy_at_once(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)
    make.answer(alice, vote)
    make.close(vote)
    assert platform_accuracy(make.NOW) == 0

    make.settle(vote)

    assert platform_accuracy(make.NOW) == 100


def test_platform_accuracy_of_nothing_is_zero(session: Session) -> None:
    assert platform_accuracy(make.NOW) == 0


def test_each_right_answer_has_one_reward(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    for person in (alice, bob):
        make.answer(person, vote, "yes")
    make.close(vote)

    make.settle(vote, "110")

    paid = select(LedgerEntry.user_id, func.count()).where(LedgerEntry.reason == "reward")
    rows = session.execute(paid.group_by(LedgerEntry.user_id)).all()
    assert sorted(rows) == [(alice.id, 1), (bob.id, 1)]


@pytest.mark.parametrize(
    ("traded", "seen", "rested"),
    [
        (timedelta(0), timedelta(hours=1), True),
        (MINUTE - STEP, timedelta(hours=1), True),
        (MINUTE, timedelta(hours=1), False),
        (-STEP, timedelta(hours=1), False),
        (timedelta(0), timedelta(hours=1) - STEP, False),
    ],
)
def test_coin_rested_if_its_last_trade_is_in_the_candle_as_seen_later(
    session: Session, traded: timedelta, seen: timedelta, rested: bool
) -> None:
    coin_id = make.make_coin("BTC").id
    with transaction() as writing:
        times = {"traded_at": make.NOW + traded, "observed_at": make.NOW + seen}
        writing.execute(update(Quote).values(**times))

    found = votes.rested_since(
        coin_id=coin_id, opened_at=make.NOW, tracked_at=make.NOW + timedelta(hours=1)
    )

    assert found is rested


def test_nothing_is_known_of_a_coin_never_seen(session: Session) -> None:
    coin_id = make.make_coin("BTC", price=None).id
    later = make.NOW + MINUTE

    assert not votes.rested_since(coin_id=coin_id, opened_at=make.NOW, tracked_at=later)
