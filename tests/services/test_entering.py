"""Coming in by exchange keys: good ones let in whose they are, nobody else's word counts."""

from collections.abc import Iterator
from threading import Event
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


class Silent(FakeBroker):
    """An exchange that says nothing until it is let go."""

    def __init__(self, let_go: Event) -> None:
        super().__init__()
        self._let_go = let_go

    def check_key(self) -> KeyCheck:
        self._let_go.wait(30)
        return super().check_key()


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


@pytest.fixture
def let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Silence ends with the test; nobody waits for it for seconds."""
    monkeypatch.setattr(entering, "HEAD_START_S", 0.05)
    monkeypatch.setattr(entering, "PATIENCE_S", 0.2)
    event = Event()
    yield event
    event.set()


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


def test_upbit_is_asked_while_bithumb_is_silent(
    session: Session, doors: Doors, exchanges: Exchanges, let_go: Event
) -> None:
    exchanges.brokers[ExchangeName.BITHUMB] = Silent(let_go)

    enter(doors)

    assert [exchange for _, exchange in linked()] == ["upbit"]


@pytest.mark.parametrize("silent", [(ExchangeName.BITHUMB,), tuple(ExchangeName)])
def test_silence_is_no_answer_and_nobody_waits_for_its_end(
    session: Session,
    doors: Doors,
    exchanges: Exchanges,
    let_go: Event,
    silent: tuple[ExchangeName, ...],
) -> None:
    exchanges.brokers[ExchangeName.UPBIT].check = REFUSED
    for name in silent:
        exchanges.brokers[name] = Silent(let_go)

    with pytest.raises(KeyNotChecked) as told:
        enter(doors)

    assert (told.value.code, let_go.is_set()) == ("exchange_unreachable", False)
    assert linked() == []


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
