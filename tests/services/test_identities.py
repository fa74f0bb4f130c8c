"""Signing in with Kakao: new and known people, links, and what Kakao tells us later."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.identities import (
    AccountEvent,
    AlreadyLinked,
    Change,
    CodeProof,
    IdentityTaken,
    KakaoUnavailable,
    LastWayIn,
    Profile,
)
from app.extensions import db
from app.models import Identity, User
from app.services import accounts, browsers, identities
from app.services.identities import Entry, WaysIn
from app.services.points import audit
from tests import factories as make
from tests.factories import NOW
from tests.fakes import FakeProvider

LATER = NOW + timedelta(days=3)
PROOF = CodeProof("code", "https://whaling.example/back")


@pytest.fixture
def kakao() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def enter(session: Session, kakao: FakeProvider) -> Callable[..., Entry]:
    return lambda now=NOW: identities.enter(kakao=kakao, proof=PROOF, now=now)


def person(user_id: int) -> User:
    return db.session.get_one(User, user_id, populate_existing=True)


def link(kakao: FakeProvider, user: User) -> None:
    identities.link(kakao=kakao, user_id=user.id, proof=PROOF, now=NOW)


def hear(change: Change | None, *, at: object = LATER, subject: str = "1234") -> bool:
    return identities.hear(event=AccountEvent(subject, change, at), now=LATER)  # type: ignore[arg-type]


def test_new_person_gets_points_and_a_numbered_nickname(enter: Callable[..., Entry]) -> None:
    entry = enter()

    assert entry.is_new
    assert person(entry.user_id).nickname == f"user{entry.user_id}"
    assert person(entry.user_id).points == 300
    assert list(audit()) == []


def test_known_person_comes_back_as_the_same(enter: Callable[..., Entry]) -> None:
    first = enter()
    accounts.rename(user_id=first.user_id, name="미나")

    again = enter(LATER)

    assert (again.user_id, again.is_new) == (first.user_id, False)
    assert person(first.user_id).nickname == "미나"


def test_e09_numbered_nickname_that_is_taken_is_passed_by(enter: Callable[..., Entry]) -> None:
    squatter = make.make_user("USER2")

    entry = enter()

    assert entry.user_id == squatter.id + 1 == 2
    assert person(entry.user_id).nickname == "user2-2"


def test_failing_kakao_leaves_no_half_account(
    enter: Callable[..., Entry], kakao: FakeProvider
) -> None:
    kakao.fails = KakaoUnavailable()

    with pytest.raises(KakaoUnavailable):
        enter()

    assert db.session.scalar(select(func.count()).select_from(User)) == 0


def test_two_doors_at_once_make_one_person(app: Flask) -> None:
    entries: list[Entry] = []

    def come_in() -> None:
        with app.app_context():
            kakao = FakeProvider()
            entries.append(identities.enter(kakao=kakao, proof=PROOF, now=NOW))

    threads = [threading.Thread(target=come_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({entry.user_id for entry in entries}) == 1
    assert sum(entry.is_new for entry in entries) == 1


def test_linked_account_opens_to_kakao(
    enter: Callable[..., Entry], kakao: FakeProvider, alice: User
) -> None:
    link(kakao, alice)
    link(kakao, alice)

    assert enter().user_id == alice.id
    assert identities.ways_in(user_id=alice.id).kakao_since == NOW


def test_kakao_account_of_somebody_else_is_not_linked(
    kakao: FakeProvider, alice: User, bob: User
) -> None:
    link(kakao, alice)

    with pytest.raises(IdentityTaken):
        link(kakao, bob)


def test_second_kakao_account_is_not_linked(kakao: FakeProvider, alice: User) -> None:
    link(kakao, alice)
    kakao.person = Profile("5678")

    with pytest.raises(AlreadyLinked):
        link(kakao, alice)


def test_nobody_is_linked_to_nobody(session: Session, kakao: FakeProvider) -> None:
    with pytest.raises(NotFound):
        identities.link(kakao=kakao, user_id=99, proof=PROOF, now=NOW)


def test_unlinking_closes_the_door_and_tells_kakao(
    session: Session, kakao: FakeProvider, enter: Callable[..., Entry]
) -> None:
    carol = make.make_user("carol", password="a-quiet-harbour")
    link(kakao, carol)

    identities.unlink(kakao=kakao, user_id=carol.id)

    assert kakao.left == ["1234"]
    assert identities.ways_in(user_id=carol.id) == WaysIn(has_password=True, kakao_since=None)
    assert enter().user_id != carol.id


def test_unlinking_stands_though_kakao_does_not_listen(
    session: Session, kakao: FakeProvider
) -> None:
    carol = make.make_user("carol", password="a-quiet-harbour")
    link(kakao, carol)
    kakao.fails = KakaoUnavailable()

    identities.unlink(kakao=kakao, user_id=carol.id)

    assert identities.ways_in(user_id=carol.id).kakao_since is None


def test_last_way_in_stays(enter: Callable[..., Entry], kakao: FakeProvider) -> None:
    entry = enter()

    with pytest.raises(LastWayIn):
        identities.unlink(kakao=kakao, user_id=entry.user_id)

    assert enter().user_id == entry.user_id


def test_unlinking_what_is_not_linked_is_not_found(kakao: FakeProvider, alice: User) -> None:
    with pytest.raises(NotFound):
        identities.unlink(kakao=kakao, user_id=alice.id)


def test_disconnected_at_kakao_ends_every_session(enter: Callable[..., Entry]) -> None:
    entry = enter()

    assert hear(Change.UNLINKED)

    assert browsers.find(user_id=entry.user_id, epoch=entry.epoch, now=NOW) is None
    assert identities.ways_in(user_id=entry.user_id).kakao_since is None


def test_disconnected_person_without_password_wakes_the_same_account(
    enter: Callable[..., Entry],
) -> None:
    entry = enter()
    hear(Change.UNLINKED)

    again = enter(LATER)

    assert (again.user_id, again.is_new) == (entry.user_id, False)
    assert identities.ways_in(user_id=entry.user_id).kakao_since == LATER


def test_disconnected_person_with_password_is_unlinked_for_good(
    session: Session, kakao: FakeProvider
) -> None:
    carol = make.make_user("carol", password="a-quiet-harbour")
    link(kakao, carol)

    hear(Change.UNLINKED)

    assert session.scalar(select(func.count()).select_from(Identity)) == 0


def test_unsafe_account_is_signed_out_and_stays_linked(enter: Callable[..., Entry]) -> None:
    entry = enter()

    assert hear(Change.UNSAFE)

    assert browsers.find(user_id=entry.user_id, epoch=entry.epoch, now=NOW) is None
    assert enter(LATER).user_id == entry.user_id


@pytest.mark.parametrize(
    "told",
    [
        {"change": None},
        {"change": Change.UNLINKED, "subject": "99"},
        {"change": Change.UNLINKED, "at": NOW - timedelta(seconds=1)},
    ],
    ids=["not ours", "a stranger", "before the link"],
)
def test_message_that_means_nothing_here_changes_nothing(
    enter: Callable[..., Entry], told: dict[str, object]
) -> None:
    entry = enter()

    assert not hear(**told)  # type: ignore[arg-type]

    assert browsers.find(user_id=entry.user_id, epoch=entry.epoch, now=NOW)


def test_message_that_comes_twice_acts_once(enter: Callable[..., Entry]) -> None:
    enter()

    assert [hear(Change.UNLINKED), hear(Change.UNLINKED)] == [True, False]
