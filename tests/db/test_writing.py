"""Writing: whose turn it is, what is committed together, and what a failure undoes."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError, OperationalError

from app.db import Cursor, transaction, write, writing
from app.extensions import db
from app.models import User
from tests import factories as make

Deed = Callable[[Cursor], object]
Told = list[Future[object]]
GIVE = "UPDATE users SET points = points + 1"


class Crowd:
    """Threads that write at the same moment: the first alone, all others together."""

    def __init__(self, app: Flask, pool: ThreadPoolExecutor) -> None:
        self._app, self._pool = app, pool
        self.groups: list[int] = []

    def write(self, *deeds: Deed) -> Told:
        """What each was told; returns when all are over."""
        with writing._writer:  # somebody else writes, while they come
            told = []
            for deed in deeds:
                told.append(self._pool.submit(self._write, deed))
                self._wait_for(len(told) - 1)
        for one in told:
            one.exception(timeout=10)
        db.session.rollback()
        return told

    def _write(self, deed: Deed) -> object:
        with self._app.app_context():
            return write(deed)

    def _wait_for(self, number: int) -> None:
        while (line := writing._lines.get(db.engine)) is None or len(line._waiting) != number:
            sleep(0.001)


@pytest.fixture
def crowd(app: Flask, bob: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    together = writing._commit_together
    with ThreadPoolExecutor(8) as pool:
        made = Crowd(app, pool)

        def note(engine: Any, group: list[Any]) -> Any:
            made.groups.append(len(group))
            return together(engine, group)

        monkeypatch.setattr(writing, "_commit_together", note)
        yield made


def give(cursor: Cursor) -> str:
    cursor.say(GIVE)
    return "given"


def refuse(cursor: Cursor) -> None:
    cursor.say(GIVE)
    raise KeyError("changed my mind")


def overdraw(cursor: Cursor) -> None:
    cursor.say(GIVE)
    cursor.say("UPDATE users SET points = -1")


def lose_everything(cursor: Cursor) -> None:
    """As SQLite does by itself when the disk is full."""
    cursor.say("ROLLBACK")
    raise KeyError("disk full")


def errors(told: Told) -> list[type | None]:
    found = [one.exception() for one in told]
    return [None if error is None else type(error) for error in found]


def test_deeds_that_wait_share_a_commit(crowd: Crowd, bob: User) -> None:
    told = crowd.write(give, give, give, give)

    assert [one.result() for one in told] == ["given"] * 4
    assert crowd.groups == [1, 3]
    assert make.balance(bob) == 304


def test_more_deeds_than_may_share_a_commit_take_several(
    crowd: Crowd, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_TOGETHER", 2)

    crowd.write(*[give] * 6)

    assert crowd.groups == [1, 2, 2, 1]
    assert make.balance(bob) == 306


def test_deed_that_raises_undoes_itself_alone(crowd: Crowd, bob: User) -> None:
    told = crowd.write(give, give, refuse, overdraw, give)

    assert errors(told) == [None, None, KeyError, IntegrityError, None]
    assert make.balance(bob) == 303


def test_nobody_is_told_of_success_when_the_commit_fails(
    crowd: Crowd, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = Cursor.say

    def full(cursor: Cursor, text: str) -> None:
        if text == "COMMIT" and crowd.groups == [1, 3]:
            raise OperationalError(text, None, Exception("disk I/O error"))
        say(cursor, text)

    monkeypatch.setattr(Cursor, "say", full)

    told = crowd.write(give, give, refuse, give)

    assert errors(told) == [None, *[OperationalError] * 3]
    assert make.balance(bob) == 301


def test_transaction_lost_under_a_deed_is_lost_for_all(crowd: Crowd, bob: User) -> None:
    told = crowd.write(give, give, lose_everything, give)

    assert errors(told) == [None, *[OperationalError] * 3]
    assert make.balance(bob) == 301


def test_next_deeds_are_done_after_a_failure(crowd: Crowd, bob: User) -> None:
    crowd.write(lose_everything, lose_everything)

    assert errors(crowd.write(give, give)) == [None, None]
    assert make.balance(bob) == 302


def test_deed_begins_no_transaction_of_its_own(bob: User) -> None:
    def nested(_cursor: Cursor) -> None:
        with transaction():
            pass

    for deed in (nested, lambda _cursor: write(give)):
        with pytest.raises(RuntimeError, match="one deed has one transaction"):
            write(deed)
    with transaction(), pytest.raises(RuntimeError, match="one deed has one transaction"):
        write(give)


def test_crowd_of_deeds_and_transactions_ends_and_loses_nothing(app: Flask, bob: User) -> None:
    def come(number: int) -> None:
        with app.app_context():
            if number % 5 == 0:
                with transaction() as session:
                    session.connection().exec_driver_sql(GIVE)
            elif number % 5 == 1:
                with pytest.raises(KeyError):
                    write(refuse)
            else:
                write(give)

    with ThreadPoolExecutor(16) as pool:
        for one in [pool.submit(come, number) for number in range(200)]:
            one.result(timeout=30)

    db.session.rollback()
    assert make.balance(bob) == 300 + 160
