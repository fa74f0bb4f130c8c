"""Closing votes on time, and giving everything back where a vote is void."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.votes import VoteState
from app.models import LedgerEntry, User
from app.services import votes
from app.services.points import audit
from tests import factories as make

STEP = timedelta(microseconds=1)


def void(vote_id: int, reason: str = "halted") -> int:
    return votes.void_vote(vote_id=vote_id, reason=reason, now=make.NOW)


def test_vote_closes_at_its_deadline(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)
    vote_id, deadline = vote.id, vote.finished_at

    assert votes.close_due_votes(now=deadline - STEP) == 0
    assert votes.close_due_votes(now=deadline) == 1
    found = make.reload(vote_id)
    assert (found.state, found.updated_at) == (VoteState.FINISHED, deadline)


def test_counts_of_the_stages_follow_each_deed_at_once(session: Session) -> None:
    rich, seen = make.make_user(points=1000), []

    def look() -> None:
        seen.append(votes.vote_counts(make.NOW).by_stage)

    look()
    vote = make.make_vote(rich)
    look()
    make.close(vote)
    look()
    make.settle(vote)
    look()
    other = make.make_vote(rich)
    look()
    void(other.id)
    look()

    assert seen == [{}, {0: 1}, {1: 1}, {2: 1}, {0: 1, 2: 1}, {2: 2}]


def test_closing_twice_changes_nothing(session: Session, alice: User) -> None:
    vote = make.make_closed_vote(alice)
    before = vote.updated_at

    assert votes.close_due_votes(now=make.NOW) == 0
    assert make.reload(vote.id).updated_at == before


def test_closing_leaves_settled_and_void_votes_alone(session: Session, alice: User) -> None:
    settled = make.make_settled_vote(alice)
    voided = make.make_vote(alice)
    void(voided.id)

    assert votes.close_due_votes(now=make.NOW + timedelta(days=99)) == 0
    assert make.is_state(settled, "tracked")
    assert make.is_state(voided, "void")


def test_void_gives_back_stakes_and_creation_cost(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(alice, vote, "yes")
    make.answer(bob, vote, "no")

    assert void(vote.id) == 70

    assert (make.balance(alice), make.balance(bob)) == (300, 300)
    found = make.reload(vote.id)
    assert (found.void_reason, found.voided_at, found.updated_at) == (
        "halted",
        make.NOW,
        make.NOW,
    )
    assert list(audit()) == []


def test_void_goes_through_the_ledger(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote)

    void(vote.id)

    rows = session.execute(
        select(LedgerEntry.user_id, LedgerEntry.reason, LedgerEntry.amount).where(
            LedgerEntry.vote_id == vote.id, LedgerEntry.amount > 0
        )
    ).all()
    assert sorted(rows) == [(alice.id, "creation_refund", 50), (bob.id, "stake_refund", 10)]


def test_void_of_free_vote_has_nothing_to_give(session: Session, admin: User, bob: User) -> None:
    vote = make.make_vote(admin)
    make.answer(bob, vote)

    assert void(vote.id) == 0

    assert make.is_state(vote, "void")
    assert list(audit()) == []


def test_closed_vote_can_still_be_void(session: Session, alice: User) -> None:
    assert void(make.make_closed_vote(alice).id) == 50


def test_void_vote_waits_for_no_other_try(session: Session, alice: User) -> None:
    vote = make.make_closed_vote(alice)
    votes.push_back(vote_ids=[vote.id], problem="no candle", now=make.NOW)

    void(vote.id)

    assert make.reload(vote.id).retry_at is None


def test_second_void_gives_nothing(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)
    void(vote.id)

    with pytest.raises(Conflict, match="vote_settled"):
        void(vote.id)

    assert make.balance(alice) == 300
    assert list(audit()) == []


def test_settled_vote_is_never_void(session: Session, alice: User) -> None:
    vote = make.make_settled_vote(alice)

    with pytest.raises(Conflict, match="vote_settled"):
        void(vote.id)

    assert make.is_state(vote, "tracked")
    assert make.balance(alice) == 250


def test_void_vote_is_never_settled(session: Session, alice: User, bob: User) -> None:
    vote = make.make_closed_vote(alice)
    void(vote.id)

    assert not make.settle(vote)

    assert make.is_state(vote, "void")
    assert list(audit()) == []


def test_accuracy_ignores_void_votes(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote)

    void(vote.id)

    assert (bob.right_count, bob.settled_count) == (0, 0)


@pytest.mark.parametrize("vote_id", [0, -5, 99, 2**63, 10**30])
def test_void_of_unknown_vote_is_not_found(session: Session, vote_id: int) -> None:
    with pytest.raises(NotFound):
        void(vote_id)


def test_void_without_reason_is_refused(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)

    with pytest.raises(InvalidInput):
        void(vote.id, reason="  ")

    assert make.is_state(vote, "ongoing")
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 2
