"""The audit names every figure that two books disagree about; the ledger can't be edited."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import User
from app.services import votes
from app.services.points import Difference, audit
from tests import factories as make

Sql = Callable[..., None]


@pytest.fixture
def people(session: Session) -> tuple[int, int, int]:
    """Alice's vote with bob's answer: (alice, bob, vote)."""
    alice, bob = make.make_user("alice"), make.make_user("bob")
    vote = make.make_vote(alice)
    make.answer(bob, vote, "yes")
    return alice.id, bob.id, vote.id


@pytest.fixture
def sql(session: Session) -> Sql:
    """Run a statement behind the services' back."""

    def run(statement: str, **values: object) -> None:
        session.rollback()
        session.execute(text(statement), values)
        session.commit()

    return run


def found() -> set[tuple[str, int]]:
    return {(one.what, one.ident) for one in audit()}


def settle(vote_id: int) -> None:
    make.settle(make.close(make.reload(vote_id)), "110")


def test_books_of_real_deeds_are_right(people: tuple[int, int, int]) -> None:
    settle(people[2])

    assert list(audit()) == []


def test_audit_sees_what_was_written_since_the_session_last_looked(
    session: Session, people: tuple[int, int, int]
) -> None:
    assert session.get(User, people[1]) is not None

    with session.get_bind().engine.connect() as elsewhere:
        elsewhere.execute(text("UPDATE users SET points = points + 7 WHERE id = 1"))
        elsewhere.commit()

    assert found() == {("points of user", 1)}


def test_difference_tells_both_figures(people: tuple[int, int, int], sql: Sql) -> None:
    sql("UPDATE users SET points = points + 7 WHERE id = :bob", bob=people[1])

    assert list(audit()) == [Difference("points of user", people[1], 297, 290)]


def test_audit_names_a_balance_without_entries(session: Session, sql: Sql) -> None:
    nobody = make.make_user(points=0).id

    sql("UPDATE users SET points = 1 WHERE id = :nobody", nobody=nobody)

    assert found() == {("points of user", nobody)}


def test_audit_names_an_entry_that_is_not_in_the_balance(
    people: tuple[int, int, int], sql: Sql
) -> None:
    sql(
        "INSERT INTO ledger_entries (user_id, reason, amount, created_at)"
        " VALUES (:alice, 'grant', 5, '2026-01-01')",
        alice=people[0],
    )

    assert found() == {("points of user", people[0])}


def test_audit_names_wrong_settled_count(people: tuple[int, int, int], sql: Sql) -> None:
    sql("UPDATE users SET settled_count = 1 WHERE id = :bob", bob=people[1])

    assert found() == {("settled answers of user", people[1])}


def test_audit_names_wrong_right_count(people: tuple[int, int, int], sql: Sql) -> None:
    settle(people[2])

    sql("UPDATE users SET right_count = 0 WHERE id = :bob", bob=people[1])

    assert found() == {("right answers of user", people[1])}


def test_audit_names_a_lost_ballot(people: tuple[int, int, int], sql: Sql) -> None:
    sql("DELETE FROM ballots")

    vote_id = people[2]
    assert {("answers of vote", vote_id), ("yes answers of vote", vote_id)} <= found()


def test_audit_names_wrong_answer_count(people: tuple[int, int, int], sql: Sql) -> None:
    sql("UPDATE votes SET no_count = no_count + 1")

    assert found() == {("answers of vote", people[2]), ("stakes of vote", people[2])}


def test_audit_names_answers_counted_on_the_wrong_side(
    people: tuple[int, int, int], sql: Sql
) -> None:
    sql("UPDATE votes SET yes_count = 0, no_count = 1")

    assert found() == {("yes answers of vote", people[2])}


def test_audit_names_wrong_whale_count(people: tuple[int, int, int], sql: Sql) -> None:
    sql("UPDATE votes SET yes_whales = 1")

    assert found() == {("whales of vote", people[2])}


def test_audit_names_a_missing_stake(people: tuple[int, int, int], sql: Sql) -> None:
    sql("UPDATE votes SET spent_point = 11")

    assert ("stakes of vote", people[2]) in found()


def test_audit_names_a_missing_reward(people: tuple[int, int, int], sql: Sql) -> None:
    settle(people[2])

    sql("UPDATE votes SET earned_point = 21")

    assert ("rewards of vote", people[2]) in found()


def test_audit_names_a_reward_before_settlement(people: tuple[int, int, int], sql: Sql) -> None:
    _alice, bob, vote_id = people
    sql(
        "INSERT INTO ledger_entries (user_id, vote_id, reason, amount, created_at)"
        " VALUES (:bob, :vote, 'reward', 20, '2026-01-01')",
        bob=bob,
        vote=vote_id,
    )

    assert {("rewards of vote", vote_id), ("points of user", bob)} <= found()


def test_audit_names_a_missing_refund(people: tuple[int, int, int], sql: Sql) -> None:
    vote_id = people[2]
    votes.void_vote(vote_id=vote_id, reason="test", now=make.NOW)
    assert found() == set()

    sql("UPDATE votes SET creation_cost = 49")

    assert ("refunds of vote", vote_id) in found()


def test_audit_names_a_refund_of_a_vote_that_is_not_void(
    people: tuple[int, int, int], sql: Sql
) -> None:
    _alice, bob, vote_id = people
    sql(
        "INSERT INTO ledger_entries (user_id, vote_id, reason, amount, created_at)"
        " VALUES (:bob, :vote, 'stake_refund', 10, '2026-01-01')",
        bob=bob,
        vote=vote_id,
    )

    assert found() == {("refunds of vote", vote_id), ("points of user", bob)}


def test_audit_names_a_missing_creation(people: tuple[int, int, int], sql: Sql) -> None:
    sql("UPDATE votes SET creation_cost = 40")

    assert found() == {("creation of vote", people[2])}


def test_audit_names_a_reward_of_the_wrong_person(people: tuple[int, int, int], sql: Sql) -> None:
    alice, _bob, vote_id = people
    settle(vote_id)
    # The sums stay right: the answer and its counts move to somebody who staked nothing.
    sql("UPDATE ballots SET user_id = :alice", alice=alice)

    assert ("entries of vote without reason", vote_id) in found()


def test_audit_names_a_reward_for_a_wrong_answer(people: tuple[int, int, int], sql: Sql) -> None:
    settle(people[2])

    sql("UPDATE votes SET outcome = 'no', yes_count = 0, no_count = 1")

    assert ("entries of vote without reason", people[2]) in found()


@pytest.mark.parametrize(
    "deed", ["UPDATE ledger_entries SET amount = amount + 1", "DELETE FROM ledger_entries"]
)
def test_ledger_refuses_to_be_edited(session: Session, alice: User, sql: Sql, deed: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        sql(deed)

    assert list(audit()) == []
