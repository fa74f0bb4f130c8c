"""Whatever people do in whatever order: the books agree, and no point comes from nowhere."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select

from app.domain.errors import AppError
from app.domain.votes import Choice
from app.extensions import db
from app.models import Ballot, LedgerEntry, User, Vote
from app.services import accounts, points, votes
from app.services.points import audit
from tests import factories as make

CHOICES = st.sampled_from(("yes", "no"))
PRICES = st.sampled_from(("89", "90", "100", "110", "111", "400"))
NUMBERS = st.integers(0, 7)


@dataclass
class Book:
    """A vote as this test keeps it: written in the plainest way, from the rules alone."""

    vote_id: int
    creator: int
    cost: int
    stake: int
    reward: int
    answers: dict[int, str] = field(default_factory=dict)
    over: bool = False


class Game(RuleBasedStateMachine):
    """People sign up, top up, ask, answer; votes close, settle, are void: in any order, repeated.

    Beside the database a plain model is kept. After each deed both must agree to the point.
    """

    def __init__(self, template: Path, path: Path, done: Counter[str]) -> None:
        super().__init__()
        self.done = done
        db.session.remove()
        db.engine.dispose()
        for leftover in path.parent.glob(f"{path.name}-*"):
            leftover.unlink()
        shutil.copy(template, path)
        self.now = make.NOW
        self.balances: dict[int, int] = {}
        self.staff: set[int] = set()
        self.toppings: set[tuple[int, object]] = set()
        self.books: list[Book] = []
        self.by_key: dict[tuple[int, str], Book] = {}

    @initialize(staff=st.booleans())
    def begin(self, staff: bool) -> None:
        make.make_coin("BTC")
        for number in range(3):
            self.sign_up(number)
        if staff:
            user_id = min(self.balances)
            accounts.set_staff(name="person0", is_staff=True)
            self.staff.add(user_id)
        for who in (0, 1):
            self.ask(who, 0, "up")
            self.answer(2, who, "yes")
            self.answer(1, who, "no")

    @rule(number=st.integers(0, 5))
    def sign_up(self, number: int) -> None:
        with suppress(AppError):
            user = accounts.sign_up(name=f"person{number}", password=None, now=self.now)
            assert user.id not in self.balances
            self.balances[user.id] = 300

    @rule(who=NUMBERS)
    def top_up(self, who: int) -> None:
        user_id = self._person(who)
        day = (self.now + timedelta(hours=9)).date()
        with suppress(AppError):
            points.take_top_up(user_id=user_id, now=self.now)
            assert (user_id, day) not in self.toppings
            self.done["top-up"] += 1
            self.toppings.add((user_id, day))
            self.balances[user_id] += 10

    @rule(who=NUMBERS, key=st.integers(0, 3), direction=st.sampled_from(("up", "down")))
    def ask(self, who: int, key: int, direction: str) -> None:
        user_id = self._person(who)
        make.set_price("BTC", "100", at=self.now)
        with suppress(AppError):
            vote_id = votes.open_vote(
                user_id=user_id,
                draft=make.make_draft(direction=direction),
                request_key=f"key{key}",
                now=self.now,
            )
            self._asked(user_id, f"key{key}", vote_id)

    def _asked(self, user_id: int, key: str, vote_id: int) -> None:
        known = self.by_key.get((user_id, key))
        if known is not None:
            assert known.vote_id == vote_id
            self.done["asked again"] += 1
            return
        free = user_id in self.staff
        cost, stake, reward = (0, 0, 30) if free else (50, 10, 20)
        book = Book(vote_id, user_id, cost, stake, reward)
        self.books.append(book)
        self.by_key[user_id, key] = book
        self.balances[user_id] -= cost

    @rule(who=NUMBERS, which=NUMBERS, choice=CHOICES)
    def answer(self, who: int, which: int, choice: str) -> None:
        user_id, book = self._person(who), self._book(which)
        if book is None:
            return
        with suppress(AppError):
            votes.cast_ballot(
                user_id=user_id,
                vote_id=book.vote_id,
                choice=Choice(choice),
                whale_min_settled=1,
                now=self.now,
            )
            assert user_id not in book.answers
            assert not book.over
            self.done["answer"] += 1
            book.answers[user_id] = choice
            self.balances[user_id] -= book.stake

    @rule()
    def close(self) -> None:
        votes.close_due_votes(now=self.now)

    @rule()
    def time_runs_out(self) -> None:
        self.now += timedelta(hours=8)
        self.close()

    @rule(which=NUMBERS, price=PRICES)
    def settle(self, which: int, price: str) -> None:
        book = self._book(which)
        if book is None:
            return
        vote = make.reload(book.vote_id)
        if not make.settle(vote, price, now=self.now):
            self.done["settled in vain"] += 1
            return
        assert not book.over
        book.over = True
        up = make.reload(book.vote_id).direction == "up"
        reached = int(price) >= 110 if up else int(price) <= 90
        for user_id, choice in book.answers.items():
            right = choice == ("yes" if reached else "no")
            self.done["reward" if right else "miss"] += 1
            self.balances[user_id] += book.reward * right

    @rule(which=NUMBERS)
    def void(self, which: int) -> None:
        book = self._book(which)
        if book is None:
            return
        with suppress(AppError):
            votes.void_vote(vote_id=book.vote_id, reason="test", now=self.now)
            assert not book.over
            book.over = True
            self.balances[book.creator] += book.cost
            for user_id in book.answers:
                self.done["refund"] += 1
                self.balances[user_id] += book.stake

    @rule(hours=st.sampled_from((1, 8, 24)))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def books_agree(self) -> None:
        assert list(audit()) == []

    @invariant()
    def balances_are_as_the_rules_say(self) -> None:
        stored = {row.id: row.points for row in db.session.execute(select(User.id, User.points))}
        assert stored == self.balances
        assert all(balance >= 0 for balance in stored.values())

    @invariant()
    def each_ballot_has_one_stake_and_at_most_one_payment(self) -> None:
        entries = _entries()
        stakes = {
            (row.user_id, row.vote_id)
            for row in db.session.execute(
                select(Ballot.user_id, Ballot.vote_id)
                .join(Vote, Vote.id == Ballot.vote_id)
                .where(Vote.spent_point > 0)
            )
        }
        assert {key for key, reasons in entries.items() if reasons["stake"]} == stakes
        for reasons in entries.values():
            assert reasons["stake"] <= 1
            assert reasons["reward"] + reasons["stake_refund"] <= 1

    def teardown(self) -> None:
        """In the end everything is settled, then once more."""
        self.time_runs_out()
        for price in ("110", "90"):
            for which in range(len(self.books)):
                self.settle(which, price)
        self.books_agree()
        self.balances_are_as_the_rules_say()
        db.session.remove()

    def _person(self, number: int) -> int:
        people = sorted(self.balances)
        return people[number % len(people)]

    def _book(self, number: int) -> Book | None:
        return self.books[number % len(self.books)] if self.books else None


def _entries() -> dict[tuple[int, int], Counter[str]]:
    found: dict[tuple[int, int], Counter[str]] = {}
    rows = db.session.execute(
        select(LedgerEntry.user_id, LedgerEntry.vote_id, LedgerEntry.reason).where(
            LedgerEntry.vote_id.is_not(None)
        )
    )
    for user_id, vote_id, reason in rows:
        found.setdefault((user_id, vote_id), Counter())[str(reason)] += 1
    return found


@pytest.fixture
def stage(app: Flask) -> Iterator[Flask]:
    """An application whose commits don't wait for the disk: crashes are proven elsewhere."""
    with app.app_context():

        @event.listens_for(db.engine, "connect")
        def _hurry(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        db.session.remove()
        db.engine.dispose()
        yield app


@pytest.mark.slow
def test_books_agree_after_any_sequence_of_deeds(
    stage: Flask, migrated: Path, tmp_path: Path
) -> None:
    done: Counter[str] = Counter()

    run_state_machine_as_test(
        lambda: Game(migrated, tmp_path / "test.db", done),
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    # The machine must have come to every deed, or it proves nothing.
    deeds = ("answer", "settled in vain", "reward", "miss", "refund")
    assert [deed for deed in deeds if not done[deed]] == []


few = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
answer_lists = st.lists(CHOICES, min_size=1, max_size=6)


def _gains(people: list[User], choices: list[str], order: list[int], price: str) -> list[object]:
    """Everybody's gain, and the vote's figures, when they answer in this order."""
    staff = make.make_user(points=100)
    vote = make.make_vote(staff, now=make.NOW - timedelta(days=1))
    before = [make.balance(person) for person in people]
    for place in order:
        make.answer(people[place], vote, choices[place])
    make.settle(make.close(vote), price)
    found = make.reload(vote.id)
    figures = (found.outcome, found.crowd_right, found.yes_count, found.no_count)
    return [figures, *(make.balance(p) - b for p, b in zip(people, before, strict=True))]


@few
@given(choices=answer_lists, data=st.data(), price=PRICES)
def test_answers_in_any_order_settle_alike(
    stage: Flask, choices: list[str], data: st.DataObject, price: str
) -> None:
    people = [make.make_user() for _ in choices]
    order = data.draw(st.permutations(range(len(choices))))

    straight = _gains(people, choices, list(range(len(choices))), price)

    assert _gains(people, choices, order, price) == straight
    assert list(audit()) == []


@few
@given(choices=answer_lists)
def test_void_returns_exactly_what_was_staked(stage: Flask, choices: list[str]) -> None:
    asker, people = make.make_user(), [make.make_user() for _ in choices]
    vote = make.make_vote(asker)
    for person, choice in zip(people, choices, strict=True):
        make.answer(person, vote, choice)

    votes.void_vote(vote_id=vote.id, reason="test", now=make.NOW)

    assert [make.balance(person) for person in (asker, *people)] == [300] * (len(people) + 1)
    assert all(p.settled_count == 0 and p.accuracy_pct == 0 for p in people)
    assert list(audit()) == []


@few
@given(choices=answer_lists, prices=st.lists(PRICES, min_size=2, max_size=4))
def test_settling_again_with_any_price_changes_nothing(
    stage: Flask, choices: list[str], prices: list[str]
) -> None:
    people = [make.make_user() for _ in choices]
    vote = make.make_vote(make.make_user(), now=make.NOW - timedelta(days=1))
    for person, choice in zip(people, choices, strict=True):
        make.answer(person, vote, choice)
    make.close(vote)

    def state() -> tuple[datetime | None, list[int]]:
        return make.reload(vote.id).settled_at, [make.balance(person) for person in people]

    assert make.settle(vote, prices[0])
    first = state()

    assert not any(make.settle(vote, price) for price in prices[1:])
    assert state() == first
    assert list(audit()) == []
