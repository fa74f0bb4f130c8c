"""Leaving for good: nothing that names a person stays, and the books stay right."""

from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.accounts import WrongCredentials
from app.domain.errors import InvalidInput, NotFound
from app.domain.exchanges import ExchangeName, Keys
from app.domain.identities import CodeProof, KakaoUnavailable
from app.domain.runs import BotMode, BotState
from app.extensions import db
from app.models import (
    ClientSession,
    Holding,
    Identity,
    KeptAnswer,
    LedgerEntry,
    LinkedAccount,
    Picture,
    User,
)
from app.services import accounts, browsers, identities, leaving, preferences
from app.services.exchanges import Doors, Sealer, link_account
from app.services.points import audit
from app.services.trading import bots
from tests import factories as make
from tests.conftest import SEALING_KEY
from tests.factories import NOW
from tests.fakes import FakeBroker, FakeProvider

PASSWORD = "a-quiet-harbour"
PROOF = CodeProof("code", "https://whaling.example/back")


def leave(user: User, confirmation: str = PASSWORD, kakao: FakeProvider | None = None) -> None:
    leaving.leave(user_id=user.id, confirmation=confirmation, kakao=kakao, now=NOW)


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def carol(session: Session) -> User:
    return make.make_user("carol", password=PASSWORD, is_staff=True)


def row(user_id: int) -> User:
    return db.session.get_one(User, user_id, populate_existing=True)


def test_nothing_that_names_a_person_stays(carol: User) -> None:
    number, epoch = carol.id, carol.session_epoch
    preferences.choose(user_id=number, chosen={"language": "en", "theme": "dark"})
    kakao = FakeProvider(picture_url="https://k.kakaocdn.net/a.png", is_default_picture=False)
    kakao.pictures["https://k.kakaocdn.net/a.png"] = b"\x89PNG\r\n\x1a\n"
    identities.link(kakao=kakao, user_id=number, proof=PROOF, now=NOW)
    browsers.begin(user_id=number, epoch=epoch, device="Firefox", now=NOW)

    leave(row(number), kakao=kakao)

    gone = row(number)
    assert (gone.nickname, gone.password_hash, gone.is_staff) == ("", None, False)
    assert (gone.picture, gone.language, gone.theme, gone.deleted_at) == (None, None, None, NOW)
    assert [count(table) for table in (Identity, Picture, ClientSession, KeptAnswer)] == [0] * 4
    assert kakao.left == ["1234"]


def test_keys_of_exchanges_and_what_they_show_are_gone(carol: User) -> None:
    doors = Doors(Sealer((SEALING_KEY,), b"f" * 32), lambda *_: cast(Any, FakeBroker()))
    keys = Keys("an-access-key-3F9A", "a-secret-key-0001")
    ident = link_account(
        user_id=carol.id, exchange=ExchangeName.UPBIT, keys=keys, doors=doors, now=NOW
    )
    make.hold(ident, "BTC", "0.5")

    leave(carol)

    kept = db.session.get_one(LinkedAccount, ident, populate_existing=True)
    assert (kept.sealed_keys, kept.unlinked_at, count(Holding)) == (None, NOW, 0)


def test_bot_of_nobody_begins_nothing_more(carol: User) -> None:
    make.make_coin()
    bots.start_bot(user_id=carol.id, mode=BotMode.PAPER, live_trading=False, now=NOW)

    leave(carol)

    assert bots.get_bot(user_id=carol.id, mode=BotMode.PAPER).state is BotState.STOPPING


def test_books_stay_right_and_open_votes_still_settle(carol: User, bob: User) -> None:
    vote = make.make_vote(carol)
    make.answer(carol, vote, "yes")
    make.answer(bob, vote, "no")
    entries, points, number = count(LedgerEntry), make.balance(carol), carol.id

    leave(carol)
    make.settle(make.close(vote), "110")

    assert list(audit()) == []
    assert count(LedgerEntry) == entries + 1
    assert make.balance(row(number)) == points + vote.earned_point


def test_who_left_cannot_come_in_again(carol: User) -> None:
    number, epoch = carol.id, carol.session_epoch

    leave(carol)

    assert browsers.find(user_id=number, epoch=epoch, now=NOW) is None
    with pytest.raises(WrongCredentials):
        accounts.check_credentials(name="carol", password=PASSWORD)
    with pytest.raises(WrongCredentials):
        accounts.check_credentials(name="", password=PASSWORD)


def test_nickname_is_free_at_once_and_two_may_leave(carol: User, session: Session) -> None:
    leave(carol)

    again = accounts.sign_up(name="carol", password=PASSWORD, now=NOW + timedelta(days=1))
    leave(again)

    assert list(session.scalars(select(User.nickname))) == ["", ""]


def test_kakao_account_begins_anew_after_leaving(session: Session) -> None:
    kakao = FakeProvider()
    before = identities.enter(kakao=kakao, proof=PROOF, now=NOW)
    leave(row(before.user_id), row(before.user_id).nickname.upper(), kakao)

    after = identities.enter(kakao=kakao, proof=PROOF, now=NOW)

    assert after.is_new
    assert after.user_id != before.user_id


def test_leaving_stands_though_kakao_does_not_listen(carol: User) -> None:
    kakao = FakeProvider()
    identities.link(kakao=kakao, user_id=carol.id, proof=PROOF, now=NOW)
    kakao.fails = KakaoUnavailable()

    leave(carol, kakao=kakao)

    assert count(Identity) == 0


@pytest.mark.parametrize("typed", ["", "carol", "wrong", "x" * 500])
def test_wrong_password_changes_nothing(carol: User, typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        leave(carol, typed)

    assert (caught.value.field, caught.value.code) == ("confirmation", "old_password_wrong")
    assert row(carol.id).nickname == "carol"


@pytest.mark.parametrize("typed", ["", "someone", "\x00"])
def test_wrong_nickname_changes_nothing(session: Session, typed: str) -> None:
    entry = identities.enter(kakao=FakeProvider(), proof=PROOF, now=NOW)

    with pytest.raises(InvalidInput, match="confirmation_not_nickname"):
        leave(row(entry.user_id), typed)

    assert row(entry.user_id).deleted_at is None


def test_who_left_is_not_among_the_people(carol: User, bob: User) -> None:
    leave(carol)

    assert [user.nickname for user in accounts.list_users()] == ["bob"]
    assert accounts.count_users() == 1


def test_leaving_twice_is_not_found(carol: User) -> None:
    leave(carol)

    with pytest.raises(NotFound):
        leave(carol)
