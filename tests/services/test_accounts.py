"""Signing up, signing in, and what changes for oneself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.accounts import NicknameTaken, WrongCredentials
from app.domain.errors import InvalidInput, NotFound
from app.domain.points import Reason
from app.models import LedgerEntry, User
from app.services import accounts, browsers
from app.services.points import audit
from tests import factories as make

PASSWORD = "correct-horse"
NOW = make.NOW


def sign_up(name: str = "alice", password: str | None = PASSWORD) -> User:
    return accounts.sign_up(name=name, password=password, now=NOW)


def people(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(User)) or 0


def test_newcomer_has_300_points_from_the_ledger(session: Session) -> None:
    user = sign_up()

    entry = session.scalars(select(LedgerEntry)).one()
    assert (entry.user_id, entry.reason, entry.amount) == (user.id, Reason.WELCOME, 300)
    assert (user.points, user.created_at) == (300, NOW)
    assert list(audit()) == []


def test_password_is_kept_as_an_argon2_hash_alone(session: Session) -> None:
    kept = sign_up().password_hash

    assert kept
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


@pytest.mark.parametrize("name", ["alice", "ALICE", " alice ", "ａｌｉｃｅ"])
def test_nickname_that_reads_alike_is_taken(session: Session, name: str) -> None:
    sign_up("alice")

    with pytest.raises(NicknameTaken):
        sign_up(name)
    assert people(session) == 1


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), ("bob", "short")])
def test_refused_sign_up_leaves_nothing(session: Session, name: str, password: str) -> None:
    with pytest.raises(InvalidInput):
        sign_up(name, password)

    assert people(session) == 0


def test_two_who_want_one_nickname_at_once_get_one(app: Flask) -> None:
    def attempt(name: str) -> bool:
        with app.app_context():
            try:
                sign_up(name)
            except NicknameTaken:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, ["Alice", "alice", "ALICE", "aLiCe"]))

    assert outcomes.count(True) == 1
    with app.app_context():
        assert accounts.count_users() == 1
        assert list(audit()) == []


def test_nickname_in_any_case_and_the_password_open(session: Session) -> None:
    user = sign_up("Alice")

    assert accounts.check_credentials(name=" aLICE ", password=PASSWORD).id == user.id


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("", PASSWORD), ("alice", ""), ("a\x00", "\x00")],
)
def test_wrong_nickname_and_wrong_password_are_one_refusal(
    session: Session, name: str, password: str
) -> None:
    sign_up()

    with pytest.raises(WrongCredentials):
        accounts.check_credentials(name=name, password=password)


def test_unknown_nickname_takes_as_long_as_a_wrong_password(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_user("alice", password=PASSWORD)
    make.make_user("by-kakao")  # without a password
    looked = []

    class Watched:
        def verify(self, kept: str, typed: str) -> None:
            looked.append(kept)
            raise VerifyMismatchError

    monkeypatch.setattr(accounts, "_hasher", Watched())

    for name in ("alice", "by-kakao", "nobody", ""):
        with pytest.raises(WrongCredentials):
            accounts.check_credentials(name=name, password=PASSWORD)

    assert len(looked) == 4


def test_person_without_password_cant_sign_in_by_one(session: Session) -> None:
    sign_up(password=None)

    for guess in ("", "None", PASSWORD):
        with pytest.raises(WrongCredentials):
            accounts.check_credentials(name="alice", password=guess)


def test_new_nickname_frees_the_old_one(session: Session) -> None:
    user = sign_up("alice")

    assert accounts.rename(user_id=user.id, name=" Mermaid ") == "Mermaid"

    assert accounts.find_user("alice") is None
    assert sign_up("alice").id != user.id


def test_nickname_may_change_its_case(session: Session) -> None:
    user = sign_up("alice")

    assert accounts.rename(user_id=user.id, name="Alice") == "Alice"


def test_nickname_of_another_isnt_given_twice(session: Session) -> None:
    user, _bob = sign_up("alice"), sign_up("bob")

    with pytest.raises(NicknameTaken):
        accounts.rename(user_id=user.id, name="BOB")
    with pytest.raises(InvalidInput):
        accounts.rename(user_id=user.id, name="\n")
    found = accounts.find_user("alice")
    assert found
    assert found.id == user.id


@pytest.mark.parametrize(
    "deed",
    [
        lambda: accounts.rename(user_id=99, name="bob"),
        lambda: accounts.change_password(user_id=99, old=PASSWORD, new="brand-new-word"),
        lambda: accounts.set_staff(name="bob", is_staff=True),
    ],
)
def test_deed_for_nobody_is_not_found(session: Session, deed: Callable[[], object]) -> None:
    with pytest.raises(NotFound):
        deed()


def test_new_password_ends_every_session(session: Session) -> None:
    user = sign_up()
    user_id, epoch = user.id, user.session_epoch

    changed = accounts.change_password(user_id=user_id, old=PASSWORD, new="brand-new-word")

    assert browsers.find(user_id=user_id, epoch=epoch, now=NOW) is None
    assert browsers.find(user_id=user_id, epoch=changed.session_epoch, now=NOW)
    assert accounts.check_credentials(name="alice", password="brand-new-word")
    with pytest.raises(WrongCredentials):
        accounts.check_credentials(name="alice", password=PASSWORD)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("wrong", "brand-new-word", "old_password"), (PASSWORD, "x", "password")],
)
def test_refused_password_changes_nothing(session: Session, old: str, new: str, field: str) -> None:
    user = sign_up()
    user_id, epoch = user.id, user.session_epoch

    with pytest.raises(InvalidInput) as refused:
        accounts.change_password(user_id=user_id, old=old, new=new)

    assert refused.value.field == field
    assert browsers.find(user_id=user_id, epoch=epoch, now=NOW)
    assert accounts.check_credentials(name="alice", password=PASSWORD)


def test_signing_out_everywhere_ends_every_session_of_one_person(session: Session) -> None:
    alice, bob = sign_up("alice").id, sign_up("bob").id

    accounts.sign_out_everywhere(user_id=alice)

    assert browsers.find(user_id=alice, epoch=0, now=NOW) is None
    assert browsers.find(user_id=alice, epoch=1, now=NOW)
    assert browsers.find(user_id=bob, epoch=0, now=NOW)


def test_staff_is_made_and_unmade_and_twice_is_harmless(session: Session) -> None:
    sign_up("Alice")

    for wanted in (True, True, False, False):
        assert accounts.set_staff(name="alice", is_staff=wanted).is_staff is wanted


def test_people_are_listed_by_id(session: Session) -> None:
    ids = [sign_up(name).id for name in ("bob", "alice")]

    assert [user.id for user in accounts.list_users()] == ids
    assert accounts.count_users() == 2


def test_person_of_a_session_carries_ones_own_figures(session: Session) -> None:
    user = make.make_user("alice", record=(2, 3))

    found = browsers.find(user_id=user.id, epoch=0, now=NOW)

    assert found
    assert (found.person.nickname, found.person.points) == ("alice", 300)
    assert str(found.person.accuracy_pct) == "66.66"
