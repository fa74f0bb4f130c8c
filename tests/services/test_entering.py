"""Coming in by exchange keys: good ones let in whose they are, nobody else's word counts."""

from typing import Any, cast

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.domain.exchanges import ExchangeName, KeyCheck, KeyProblem, Keys, KeyState
from app.extensions import db
from app.models import LinkedAccount, User
from app.services.exchanges import (
    Doors,
    KeyNotChecked,
    KeyRefused,
    Sealer,
    enter_by_keys,
    entering,
    link_account,
    linking,
)
from tests.conftest import NOW, SEALING_KEY
from tests.factories import balance, make_user
from tests.fakes import FakeBroker

KEYS = Keys("an-access-key-3F9A", "a-secret-key-0001")
REFUSED = KeyCheck(KeyState.REFUSED, KeyProblem.INVALID)
AWAY = KeyCheck(KeyState.UNKNOWN, KeyProblem.UNREACHABLE)


class Exchanges:
    """Both of them, and in which order they were asked; Upbit knows the keys."""

    def __init__(self) -> None:
        self.brokers = {name: FakeBroker(name) for name in ExchangeName}
        self.brokers[ExchangeName.BITHUMB].check = REFUSED
        self.asked: list[ExchangeName] = []

    def dial(self, exchange: ExchangeName, _keys: Keys) -> Any:
        self.asked.append(exchange)
        return cast(Any, self.brokers[exchange])


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


@pytest.fixture
def doors(exchanges: Exchanges) -> Doors:
    return Doors(Sealer((SEALING_KEY,), b"f" * 32), exchanges.dial)


def enter(doors: Doors, user_id: int | None = None) -> int:
    return enter_by_keys(user_id=user_id, keys=KEYS, doors=doors, now=NOW).user_id


def linked() -> list[tuple[int, str]]:
    db.session.rollback()
    rows = db.session.execute(select(LinkedAccount.user_id, LinkedAccount.exchange))
    return [(user_id, str(exchange)) for user_id, exchange in rows]


def test_bithumb_is_asked_first_and_upbit_when_it_refuses(
    session: Session, doors: Doors, exchanges: Exchanges
) -> None:
    enter(doors)

    assert exchanges.asked == [ExchangeName.BITHUMB, ExchangeName.UPBIT]
    assert [exchange for _, exchange in linked()] == ["upbit"]


def test_key_that_bithumb_knows_is_shown_to_nobody_else(
    session: Session, doors: Doors, exchanges: Exchanges
) -> None:
    exchanges.brokers[ExchangeName.BITHUMB].check = FakeBroker().check

    enter(doors)

    assert exchanges.asked == [ExchangeName.BITHUMB]


def test_stranger_with_new_keys_becomes_somebody_with_the_welcome(
    session: Session, doors: Doors
) -> None:
    user_id = enter(doors)

    user = db.session.get_one(User, user_id)
    assert (user.nickname, user.password_hash, balance(user)) == (f"user{user_id}", None, 300)
    assert linked() == [(user_id, "upbit")]


def test_stranger_with_known_keys_is_whose_they_are(session: Session, doors: Doors) -> None:
    first = enter(doors)

    assert enter(doors) == first
    assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_keys_of_the_signed_in_are_linked_to_them(session: Session, doors: Doors) -> None:
    alice = make_user()

    assert enter(doors, alice.id) == alice.id
    assert linked() == [(alice.id, "upbit")]


def test_keys_of_somebody_else_are_refused_to_the_signed_in(session: Session, doors: Doors) -> None:
    alice, bob = make_user(), make_user()
    link_account(user_id=alice.id, exchange=ExchangeName.UPBIT, keys=KEYS, doors=doors, now=NOW)

    with pytest.raises(Conflict) as refused:
        enter(doors, bob.id)

    assert refused.value.code == "exchange_key_taken"
    assert linked() == [(alice.id, "upbit")]


@pytest.mark.parametrize(
    ("at_bithumb", "at_upbit", "error"),
    [(REFUSED, REFUSED, KeyRefused), (AWAY, REFUSED, KeyNotChecked), (AWAY, AWAY, KeyNotChecked)],
)
def test_nobody_comes_in_without_a_yes(
    session: Session, doors: Doors, exchanges: Exchanges,
    at_bithumb: KeyCheck, at_upbit: KeyCheck, error: type[Conflict],
) -> None:  # fmt: skip
    exchanges.brokers[ExchangeName.BITHUMB].check = at_bithumb
    exchanges.brokers[ExchangeName.UPBIT].check = at_upbit

    with pytest.raises(error):
        enter(doors)

    assert (linked(), db.session.scalar(select(func.count()).select_from(User))) == ([], 0)


def test_same_keys_through_two_doors_at_once_are_one_person(
    session: Session, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, looked = enter(doors), []

    def blind_once(session: Session, **about: Any) -> Any:
        looked.append(about)
        return None if len(looked) == 1 else linking.find_by_key(session, **about)

    def tell_late(*_: object) -> int:
        raise IntegrityError("insert", {}, Exception("unique"))

    monkeypatch.setattr(entering, "find_by_key", blind_once)
    monkeypatch.setattr(
        entering, "keep_link", lambda *a: tell_late() if len(looked) == 1 else linking.keep_link(*a)
    )

    assert enter(doors) == first
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
