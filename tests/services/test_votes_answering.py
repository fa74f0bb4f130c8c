"""Answering: one ballot per person, its stake, the counts, and every refusal."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.points import NotEnoughPoints
from app.domain.votes import AlreadyAnswered, Choice, VoteClosed
from app.models import Ballot, User
from app.services import votes
from app.services.points import audit
from tests import factories as make

STEP = timedelta(microseconds=1)


def ballots(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Ballot)) or 0


def test_answer_costs_ten_and_is_counted(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)

    done = votes.cast_ballot(
        user_id=bob.id,
        vote_id=vote.id,
        choice=Choice.NO,
        whale_min_settled=1,
        now=make.NOW,
    )

    assert (done.stake, done.balance, done.choice) == (10, 290, Choice.NO)
    assert make.balance(bob) == 290
    found = make.reload(vote.id)
    assert (found.yes_count, found.no_count, found.answer_count) == (0, 1, 1)
    assert list(audit()) == []


def test_creator_may_answer_own_vote(session: Session, alice: User) -> None:
    make.answer(alice, make.make_vote(alice))

    assert make.balance(alice) == 240


@pytest.mark.parametrize(("late", "counts"), [(-STEP, True), (timedelta(0), False), (STEP, False)])
def test_deadline_is_too_late_though_no_job_has_run(
    session: Session, alice: User, bob: User, late: timedelta, counts: bool
) -> None:
    vote = make.make_vote(alice)

    if counts:
        make.answer(bob, vote, now=vote.finished_at + late)
        assert ballots(session) == 1
        return
    with pytest.raises(VoteClosed):
        make.answer(bob, vote, now=vote.finished_at + late)
    assert (ballots(session), make.balance(bob)) == (0, 300)


def test_second_answer_is_refused_and_free(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "yes")

    with pytest.raises(AlreadyAnswered):
        make.answer(bob, vote, "no")

    assert make.balance(bob) == 290
    assert make.reload(vote.id).no_count == 0
    assert list(audit()) == []


def test_second_answer_after_closing_says_already_answered(
    session: Session, alice: User, bob: User
) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote)
    closed = make.close(vote)

    with pytest.raises(AlreadyAnswered):
        make.answer(bob, closed, now=closed.finished_at)


def test_answer_to_closed_settled_or_void_vote_is_refused(session: Session, bob: User) -> None:
    rich = make.make_user(points=1000)
    closed = make.make_closed_vote(rich)
    settled = make.make_settled_vote(rich)
    void = make.make_vote(rich)
    votes.void_vote(vote_id=void.id, reason="test", now=make.NOW)

    for vote in (closed, settled, void):
        with pytest.raises(VoteClosed):
            make.answer(bob, vote)

    assert (ballots(session), make.balance(bob)) == (0, 300)


@pytest.mark.parametrize(("points", "enough"), [(9, False), (10, True)])
def test_answer_needs_ten_points(session: Session, alice: User, points: int, enough: bool) -> None:
    poor, vote = make.make_user(points=points), make.make_vote(alice)

    if enough:
        make.answer(poor, vote)
        assert make.balance(poor) == 0
        return
    with pytest.raises(NotEnoughPoints) as refused:
        make.answer(poor, vote)
    assert refused.value.params["missing"] == 1
    assert (ballots(session), make.balance(poor)) == (0, points)
    assert list(audit()) == []


def test_staff_vote_is_answered_without_points(session: Session, admin: User) -> None:
    poor, vote = make.make_user(points=0), make.make_vote(admin)

    make.answer(poor, vote)

    assert make.reload(vote.id).yes_count == 1
    assert list(audit()) == []


@pytest.mark.parametrize("vote_id", [0, -1, 99, 2**63 - 1, 2**63, 10**40])
def test_unknown_vote_is_not_found(session: Session, bob: User, vote_id: int) -> None:
    with pytest.raises(NotFound):
        votes.cast_ballot(
            user_id=bob.id,
            vote_id=vote_id,
            choice=Choice.YES,
            whale_min_settled=1,
            now=make.NOW,
        )


def test_unknown_person_is_not_found(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)

    with pytest.raises(NotFound):
        votes.cast_ballot(
            user_id=99, vote_id=vote.id, choice=Choice.YES, whale_min_settled=1, now=make.NOW
        )


@pytest.mark.parametrize(
    ("record", "least", "whale"),
    [((7, 10), 10, True), ((6, 10), 10, False), ((9, 9), 10, False), ((1, 1), 1, True)],
)
def test_whale_is_judged_by_the_record_at_answering(
    session: Session, alice: User, record: tuple[int, int], least: int, whale: bool
) -> None:
    vote, person = make.make_vote(alice), make.make_user(record=record)

    votes.cast_ballot(
        user_id=person.id,
        vote_id=vote.id,
        choice=Choice.YES,
        whale_min_settled=least,
        now=make.NOW,
    )

    assert session.scalars(select(Ballot.is_whale)).one() is whale
    assert make.reload(vote.id).yes_whales == int(whale)


def test_whale_of_then_stays_one_on_the_ballot(session: Session, alice: User, bob: User) -> None:
    first = make.make_vote(alice, now=make.NOW - timedelta(days=2))
    make.answer(bob, first, "yes")
    make.settle(make.close(first), "110")
    second = make.make_vote(alice, now=make.NOW - timedelta(days=1))
    make.answer(bob, second, "yes")

    make.settle(make.close(second), "90")

    assert make.reload(second.id).yes_whales == 1
    assert list(audit()) == []
