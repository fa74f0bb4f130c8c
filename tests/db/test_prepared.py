"""Prepared statements: the same values there and back as through SQLAlchemy."""

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Prepared, cursor_of, read_one, table_of, transaction, write
from app.models import Ballot, LedgerEntry, User, Vote
from tests import factories as make

VOTES = table_of(Vote)
#: One column of every kind that turns its values: times, prices, enumerations, yes or no.
KINDS = (VOTES.c.created_at, VOTES.c.created_price, VOTES.c.state, VOTES.c.is_staff_vote)
ONE = Prepared(select(*KINDS, VOTES.c.settled_at).where(VOTES.c.id == bindparam("vote_id")))
ADD = Prepared(insert(table_of(Ballot)), "vote_id", "user_id", "choice", "is_whale", "created_at")


def test_values_come_back_as_sqlalchemy_reads_them(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)

    found = read_one(ONE, {"vote_id": vote.id})

    expected = (vote.created_at, vote.created_price, vote.state, vote.is_staff_vote, None)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_values_go_in_as_sqlalchemy_writes_them(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    given = {"vote_id": vote.id, "user_id": bob.id, "choice": "no", "is_whale": True}

    assert write(lambda cursor: cursor.run(ADD, {**given, "created_at": make.NOW})) == 1

    ballot = session.scalars(select(Ballot)).one()
    assert (ballot.choice, ballot.is_whale, ballot.created_at) == ("no", True, make.NOW)


def test_what_is_not_there_is_none(session: Session) -> None:
    assert read_one(ONE, {"vote_id": 99}) is None


def test_cursor_of_a_session_works_inside_its_transaction(session: Session, bob: User) -> None:
    with transaction() as open_session:
        cursor_of(open_session).say("UPDATE users SET points = 7")
        open_session.rollback()

    assert make.balance(bob) == 300


def test_error_is_sqlalchemys_and_holds_no_values(session: Session, alice: User) -> None:
    secret = {"vote_id": 99, "user_id": alice.id, "choice": "no", "is_whale": False}

    with pytest.raises(IntegrityError) as refused:
        write(lambda cursor: cursor.run(ADD, {**secret, "created_at": make.NOW}))

    assert "99" not in str(refused.value)


def test_each_database_hears_its_own_words() -> None:
    points = Prepared(insert(table_of(LedgerEntry)), "user_id", "amount")

    spoken = points.spoken(postgresql.dialect())  # type: ignore[no-untyped-call]

    assert spoken.text.endswith("VALUES (%(user_id)s::BIGINT, %(amount)s::INTEGER)")
    assert spoken.values({"user_id": 1, "amount": -10}) == {"user_id": 1, "amount": -10}
