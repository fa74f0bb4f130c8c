"""Several people and several runners at once: real threads on one real file.

Each race is run twice: with the queue that threads of one process stand in, and without it, as
separate processes would meet. Beside each stands the naive way of doing the same; it has to go
wrong, or the race proves nothing.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.db import writing
from app.domain.errors import AppError, Conflict
from app.domain.points import AlreadyToppedUp, NotEnoughPoints, Reason
from app.domain.votes import AlreadyAnswered, Choice, VoteClosed
from app.extensions import db
from app.models import Ballot, LedgerEntry, User, Vote
from app.services import jobs, points, votes
from app.services.points import audit
from tests import factories as make

Deed = Callable[[], object]
Race = Callable[..., list[object]]
THREADS = 8

pytestmark = pytest.mark.slow


@pytest.fixture(params=["threads", "processes"])
def race(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Race:
    """Run deeds at the same moment, each in a thread of its own; results and refusals come back."""
    if request.param == "processes":
        monkeypatch.setattr(writing, "_is_queued", lambda _engine: False)

    def run(*deeds: Deed) -> list[object]:
        ready = threading.Barrier(len(deeds))

        def start(deed: Deed) -> object:
            with app.app_context():
                ready.wait(timeout=10)
                try:
                    return deed()
                except AppError as refusal:
                    return refusal

        with ThreadPoolExecutor(len(deeds)) as pool:
            return list(pool.map(start, deeds))

    return run


@pytest.fixture
def stage(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app
        db.session.rollback()


def done(results: list[object]) -> int:
    return sum(not isinstance(result, Exception) for result in results)


def refusals(results: list[object]) -> set[type]:
    return {type(result) for result in results if isinstance(result, Exception)}


def answering(user_id: int, vote_id: int, choice: Choice = Choice.YES) -> Deed:
    return lambda: votes.cast_ballot(
        user_id=user_id, vote_id=vote_id, choice=choice, whale_min_settled=1, now=make.NOW
    )


def count(model: type[Ballot | Vote]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def paid(reason: Reason) -> int:
    """Points that went out of or into all accounts for one reason."""
    total = select(func.sum(LedgerEntry.amount)).where(LedgerEntry.reason == reason)
    return db.session.scalar(total) or 0


def ended() -> None:
    """See what the threads wrote, and that the books agree."""
    db.session.rollback()
    assert list(audit()) == []


def test_one_person_answers_once(stage: Flask, race: Race) -> None:
    bob, vote_id = make.make_user().id, make.make_vote(make.make_user()).id

    results = race(*[answering(bob, vote_id)] * THREADS)

    assert (done(results), refusals(results)) == (1, {AlreadyAnswered})
    ended()
    assert (count(Ballot), paid(Reason.STAKE)) == (1, -10)


def test_last_ten_points_are_spent_once(stage: Flask, race: Race) -> None:
    rich, poor = make.make_user(points=1000), make.make_user(points=10)
    ids = [make.make_vote(rich).id for _ in range(THREADS)]
    user_id = poor.id

    results = race(*[answering(user_id, vote_id) for vote_id in ids])

    assert (done(results), refusals(results)) == (1, {NotEnoughPoints})
    ended()
    assert make.balance(poor) == 0


def test_no_answer_of_many_is_lost(stage: Flask, race: Race) -> None:
    vote = make.make_vote(make.make_user())
    people = [make.make_user().id for _ in range(THREADS)]
    vote_id = vote.id

    results = race(*[answering(user_id, vote_id) for user_id in people])

    assert done(results) == THREADS
    ended()
    assert make.reload(vote_id).yes_count == THREADS


def test_one_vote_is_settled_once(stage: Flask, race: Race) -> None:
    vote = make.make_vote(make.make_user(), now=make.NOW - timedelta(days=1))
    people = [make.make_user() for _ in range(3)]
    for person in people:
        make.answer(person, vote)
    make.close(vote)
    vote_id, evidence = vote.id, make.make_evidence(vote)

    results = race(
        *[lambda: votes.settle_votes(vote_ids=[vote_id], evidence=evidence, now=make.NOW)] * THREADS
    )

    assert sorted(map(int, results)) == [0] * (THREADS - 1) + [1]
    ended()
    assert paid(Reason.REWARD) == 60
    assert [make.balance(person) for person in people] == [310] * 3


def test_votes_of_overlapping_batches_are_settled_once_each(stage: Flask, race: Race) -> None:
    rich, bob = make.make_user(points=1000), make.make_user()
    ids = []
    for _ in range(4):
        vote = make.make_vote(rich, now=make.NOW - timedelta(days=1))
        make.answer(bob, vote)
        ids.append(make.close(vote).id)
    evidence = make.make_evidence(make.reload(ids[0]))
    batches = [ids[:3], ids[1:], ids[::-1], ids[2:]] * (THREADS // 4)

    results = race(
        *[
            lambda b=batch: votes.settle_votes(vote_ids=b, evidence=evidence, now=make.NOW)
            for batch in batches
        ]
    )

    assert sum(map(int, results)) == 4
    ended()
    assert (paid(Reason.REWARD), make.balance(bob)) == (80, 340)


def test_one_vote_is_void_once(stage: Flask, race: Race) -> None:
    alice = make.make_user()
    vote_id = make.make_vote(alice).id
    make.answer(alice, make.reload(vote_id))

    results = race(*[lambda: votes.void_vote(vote_id=vote_id, reason="x", now=make.NOW)] * THREADS)

    assert (done(results), refusals(results)) == (1, {Conflict})
    ended()
    assert make.balance(alice) == 300


def test_vote_is_settled_or_void_never_both(stage: Flask, race: Race) -> None:
    alice = make.make_user(points=1000)
    ids = []
    for _ in range(THREADS // 2):
        vote = make.make_vote(alice, now=make.NOW - timedelta(days=1))
        make.answer(alice, vote)
        ids.append(make.close(vote).id)
    proofs = [make.make_evidence(make.reload(vote_id)) for vote_id in ids]

    race(
        *[
            lambda v=v, e=e: votes.settle_votes(vote_ids=[v], evidence=e, now=make.NOW)
            for v, e in zip(ids, proofs, strict=True)
        ],
        *[lambda v=v: votes.void_vote(vote_id=v, reason="x", now=make.NOW) for v in ids],
    )

    ended()
    states = {str(make.reload(vote_id).state) for vote_id in ids}
    assert states <= {"tracked", "void"}


def test_daily_points_come_once(stage: Flask, race: Race) -> None:
    bob = make.make_user()
    user_id = bob.id

    results = race(*[lambda: points.take_top_up(user_id=user_id, now=make.NOW)] * THREADS)

    assert (done(results), refusals(results)) == (1, {AlreadyToppedUp})
    ended()
    assert make.balance(bob) == 310


def test_one_request_makes_one_vote(stage: Flask, race: Race) -> None:
    alice = make.make_user()
    make.make_coin("BTC")
    user_id = alice.id

    results = race(
        *[
            lambda: votes.open_vote(
                user_id=user_id, draft=make.make_draft(), request_key="same", now=make.NOW
            )
        ]
        * THREADS
    )

    assert len(set(results)) == 1
    ended()
    assert (count(Vote), make.balance(alice)) == (1, 250)


def test_one_of_many_schedulers_takes_the_lease(stage: Flask, race: Race) -> None:
    minute = timedelta(minutes=1)

    def taking(number: int, round_: int) -> Deed:
        now = make.NOW + round_ * minute
        return lambda: jobs.acquire_lease(name="s", holder=f"h{number}", now=now, keep=minute)

    for round_ in range(5):
        assert sum(map(bool, race(*[taking(n, round_) for n in range(THREADS)]))) == 1


def test_answers_while_closing_and_settling_are_whole_or_refused(stage: Flask, race: Race) -> None:
    rich = make.make_user(points=1000)
    vote = make.make_vote(rich)
    people = [make.make_user() for _ in range(THREADS)]
    vote_id, evidence = vote.id, make.make_evidence(vote)
    deadline = vote.finished_at

    def close_and_settle() -> int:
        votes.close_due_votes(now=deadline)
        return votes.settle_votes(vote_ids=[vote_id], evidence=evidence, now=make.NOW)

    results = race(*[answering(p.id, vote_id) for p in people], close_and_settle)

    assert results[-1] == 1
    assert refusals(results) <= {VoteClosed}
    ended()
    assert count(Ballot) == done(results) - 1
    settled = db.session.scalar(select(func.sum(User.settled_count)))
    assert settled == count(Ballot)


class Naive:
    """The same deeds as many write them: look first, then write; no key, no compare-and-set.

    Both sides have looked before either writes: a real run may meet this, here it always does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked = threading.Barrier(2)
        self._run("CREATE TABLE people (points INTEGER)")
        self._run("INSERT INTO people VALUES (10)")
        self._run("CREATE TABLE ballots (stake INTEGER)")
        self._run("CREATE TABLE votes (state TEXT, answers INTEGER)")
        self._run("INSERT INTO votes VALUES ('finished', 0)")
        self._run("CREATE TABLE leases (holder TEXT)")

    def figure(self, query: str) -> object:
        return self._run(query)[0][0]

    def answer(self) -> bool:
        """Look for a ballot and at the balance, then write both back."""
        there = self.figure("SELECT count(*) FROM ballots")
        balance = self.figure("SELECT points FROM people")
        answers = self.figure("SELECT answers FROM votes")
        self._looked.wait(timeout=10)
        if there or balance < 10:  # type: ignore[operator]
            return False
        self._run("UPDATE people SET points = ?", balance - 10)  # type: ignore[operator]
        self._run("UPDATE votes SET answers = ?", answers + 1)  # type: ignore[operator]
        self._run("INSERT INTO ballots VALUES (10)")
        return True

    def settle(self) -> bool:
        """Look at the state, pay, then write the state."""
        state = self.figure("SELECT state FROM votes")
        self._looked.wait(timeout=10)
        if state != "finished":
            return False
        self._run("UPDATE people SET points = points + 20")
        self._run("UPDATE votes SET state = 'tracked'")
        return True

    def lead(self) -> bool:
        """Look whether somebody leads, then take the lead."""
        taken = self.figure("SELECT count(*) FROM leases")
        self._looked.wait(timeout=10)
        if taken:
            return False
        self._run("INSERT INTO leases VALUES ('me')")
        return True

    def _run(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


@pytest.fixture
def naive(tmp_path: Path) -> Naive:
    return Naive(tmp_path / "naive.db")


def both(deed: Callable[[], bool]) -> int:
    """How many of two threads think that they did it."""
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda _: deed(), range(2)))


def test_control_naive_answer_is_taken_twice_for_ten_points(naive: Naive) -> None:
    assert both(naive.answer) == 2

    assert naive.figure("SELECT sum(stake) FROM ballots") == 20
    assert naive.figure("SELECT points FROM people") == 0


def test_control_naive_count_loses_an_answer(naive: Naive) -> None:
    both(naive.answer)

    assert naive.figure("SELECT count(*) FROM ballots") == 2
    assert naive.figure("SELECT answers FROM votes") == 1


def test_control_naive_settlement_pays_twice(naive: Naive) -> None:
    assert both(naive.settle) == 2

    assert naive.figure("SELECT points FROM people") == 50


def test_control_naive_lease_has_two_leaders(naive: Naive) -> None:
    assert both(naive.lead) == 2
