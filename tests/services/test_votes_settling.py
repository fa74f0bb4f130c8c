"""Settling: who is paid, exactly once, with what evidence."""

from sqlalchemy.orm import Session

from app.models import User
from app.services.points import audit
from tests import factories as make


def test_right_answer_is_paid_and_counted(session: Session, alice: User, bob: User) -> None:
    vote = make.make_closed_vote(alice, now=make.NOW)

    make.settle(vote, "110")

    assert make.reload(vote.id).outcome == "yes"
    assert list(audit()) == []


def test_wrong_answer_loses_its_stake(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "no")
    make.close(vote)

    make.settle(vote, "110")

    assert make.balance(bob) == 290
    assert list(audit()) == []
