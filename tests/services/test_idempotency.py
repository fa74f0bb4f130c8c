"""Idempotency keys: one deed, one charge, one answer, whatever happens in between."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, NotFound
from app.domain.points import NotEnoughPoints
from app.domain.votes import AlreadyAnswered, Choice
from app.extensions import db
from app.models import Ballot, KeptAnswer, User, Vote
from app.services import idempotency, votes
from app.services.idempotency import Asked, Kept
from app.services.votes import Answered
from tests import factories as make

NOW = make.NOW
SECOND = timedelta(seconds=1)


def asked(user_id: int, key: str = "k", fingerprint: str = "f") -> Asked:
    return Asked(user_id, key, fingerprint)


def made(vote_id: int) -> Kept:
    return Kept(201, f"vote {vote_id}")


def chosen(done: Answered) -> Kept:
    return Kept(201, f"choice {done.choice}")


def open_once(user_id: int, key: str = "k", fingerprint: str = "f") -> Kept:
    return votes.open_vote_once(
        asked=asked(user_id, key, fingerprint),
        user_id=user_id,
        draft=make.make_draft(),
        told=made,
        now=NOW,
    )


def cast_once(user_id: int, vote_id: int, key: str = "k") -> Kept:
    return votes.cast_ballot_once(
        asked=asked(user_id, key),
        user_id=user_id,
        vote_id=vote_id,
        choice=Choice.YES,
        whale_min_settled=1,
        told=chosen,
        now=NOW,
    )


def count(model: type[Vote] | type[Ballot] | type[KeptAnswer]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_same_key_makes_one_vote_and_answers_the_same(alice: User) -> None:
    make.make_coin()

    first, second = open_once(alice.id), open_once(alice.id)

    assert first == second == Kept(201, "vote 1")
    assert count(Vote) == 1
    assert make.balance(alice) == 250


def test_other_key_makes_another_vote(alice: User) -> None:
    make.make_coin()

    assert open_once(alice.id, "a") != open_once(alice.id, "b")
    assert make.balance(alice) == 200


def test_same_key_with_another_request_is_refused(alice: User) -> None:
    make.make_coin()
    open_once(alice.id)

    with pytest.raises(Conflict, match="idempotency_key_reused"):
        open_once(alice.id, fingerprint="other")

    assert count(Vote) == 1


def test_key_belongs_to_one_person(alice: User, bob: User) -> None:
    make.make_coin()

    open_once(alice.id)
    open_once(bob.id, fingerprint="other")

    assert count(Vote) == 2


def test_same_key_answers_once_and_says_the_same(alice: User, bob: User) -> None:
    vote_id = make.make_vote(alice).id

    first, second = cast_once(bob.id, vote_id), cast_once(bob.id, vote_id)

    assert first == second == Kept(201, "choice yes")
    assert make.balance(bob) == 290


def test_new_key_after_an_answer_is_refused(alice: User, bob: User) -> None:
    vote_id = make.make_vote(alice).id
    cast_once(bob.id, vote_id, "a")

    with pytest.raises(AlreadyAnswered):
        cast_once(bob.id, vote_id, "b")


@pytest.mark.parametrize("vote_id", [0, 2**63, 999])
def test_answer_to_no_vote_is_refused(bob: User, vote_id: int) -> None:
    with pytest.raises(NotFound):
        cast_once(bob.id, vote_id)

    assert count(KeptAnswer) == 0


def test_refused_deed_keeps_no_answer(session: Session) -> None:
    make.make_coin()
    poor = make.make_user("poor", points=49)

    with pytest.raises(NotEnoughPoints):
        open_once(poor.id)

    assert (count(Vote), count(KeptAnswer), make.balance(poor)) == (0, 0, 49)


def test_deed_and_answer_are_there_both_or_neither(session: Session, alice: User) -> None:
    make.make_coin()
    session.execute(
        text(
            "CREATE TRIGGER dies BEFORE INSERT ON kept_answers"
            " BEGIN SELECT RAISE(ABORT, 'killed here'); END"
        )
    )
    session.commit()

    with pytest.raises(IntegrityError, match="killed here"):
        open_once(alice.id)

    assert (count(Vote), make.balance(alice)) == (0, 300)


def test_second_writer_that_saw_nothing_gets_the_first_answer_and_changes_nothing(
    session: Session, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a database that lets two write at once: neither sees what the other keeps."""
    make.make_coin()
    first, look, blind = open_once(alice.id), idempotency._find, [True]

    def find_late(*given: Any) -> Kept | None:
        return None if blind and blind.pop() else look(*given)

    monkeypatch.setattr(idempotency, "_find", find_late)

    assert open_once(alice.id) == first
    assert blind == []
    assert (count(Vote), make.balance(alice)) == (1, 250)


def test_many_at_once_with_one_key_make_one_vote(app: Flask, alice: User) -> None:
    make.make_coin()
    user_id, barrier = alice.id, Barrier(8)
    answers: list[Kept] = []

    def run() -> None:
        with app.app_context():
            barrier.wait()
            answers.append(open_once(user_id))

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    db.session.rollback()
    assert answers == [Kept(201, "vote 1")] * 8
    assert make.balance(alice) == 250


def test_remembered_refusal_does_not_overwrite_an_answer(alice: User) -> None:
    make.make_coin()
    open_once(alice.id)

    idempotency.remember(asked=asked(alice.id), answer=Kept(400, "no"), now=NOW)

    assert idempotency.find(asked(alice.id)) == Kept(201, "vote 1")


def test_answers_are_forgotten_after_a_day(alice: User) -> None:
    idempotency.remember(asked=asked(alice.id), answer=Kept(400, "no"), now=NOW)

    kept_for = idempotency.KEEP_ANSWERS
    assert idempotency.forget_old_answers(now=NOW + kept_for) == 0
    assert idempotency.forget_old_answers(now=NOW + kept_for + SECOND) == 1
    assert idempotency.find(asked(alice.id)) is None
