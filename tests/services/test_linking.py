"""Linking an account: checked first, stored sealed, one person's, and gone when it is let go."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.exchanges import Balance, ExchangeName, KeyCheck, KeyProblem, Keys, KeyState
from app.domain.identities import LastWayIn
from app.extensions import db
from app.models import Holding, LinkedAccount
from app.services.exchanges import (
    Doors,
    KeyNotChecked,
    KeyRefused,
    SealBroken,
    Sealer,
    find_by_key,
    link_account,
    linking,
    list_accounts,
    recheck,
    refresh_balances,
    typed_keys,
    unlink_account,
)
from app.services.leaving import leave
from tests.conftest import NOW, SEALING_KEY
from tests.factories import make_user
from tests.fakes import FakeBroker

KEYS = Keys("an-access-key-3F9A", "a-secret-key-0001")
SEALER = Sealer((SEALING_KEY,), b"f" * 32)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def doors(broker: FakeBroker) -> Doors:
    return Doors(SEALER, lambda _exchange, _keys: cast(Any, broker))


def link(doors: Doors, user: Any, keys: Keys = KEYS) -> int:
    return link_account(
        user_id=user.id, exchange=ExchangeName.UPBIT, keys=keys, doors=doors, now=NOW
    )


def stored() -> list[LinkedAccount]:
    db.session.rollback()
    return list(db.session.scalars(select(LinkedAccount).order_by(LinkedAccount.id)))


def test_good_key_is_kept_sealed_with_what_it_may_do(session: Session, doors: Doors) -> None:
    alice = make_user()

    link(doors, alice)

    (account,) = stored()
    assert (account.state, account.last_four, account.can_trade) == (KeyState.GOOD, "3F9A", True)
    assert SEALER.open(str(account.sealed_keys)) == KEYS
    assert KEYS.secret not in repr(vars(account))


@pytest.mark.parametrize(
    ("check", "error", "code"),
    [
        (KeyCheck(KeyState.REFUSED, KeyProblem.EXPIRED), KeyRefused, "exchange_key_expired"),
        (KeyCheck(KeyState.REFUSED), KeyRefused, "exchange_key_invalid"),
        (
            KeyCheck(KeyState.GOOD, None, can_view=False),
            KeyRefused,
            "exchange_key_missing_permission",
        ),
        (KeyCheck(KeyState.UNKNOWN), KeyNotChecked, "exchange_unreachable"),
        (
            KeyCheck(KeyState.UNKNOWN, KeyProblem.MAINTENANCE),
            KeyNotChecked,
            "exchange_maintenance",
        ),
    ],
)
def test_nothing_is_stored_before_the_exchange_says_yes(
    session: Session, doors: Doors, broker: FakeBroker,
    check: KeyCheck, error: type[Conflict], code: str,
) -> None:  # fmt: skip
    broker.check = check

    with pytest.raises(error) as refused:
        link(doors, make_user())

    assert refused.value.code == code
    assert stored() == []


def test_same_key_again_is_the_same_link_with_the_new_secret(
    session: Session, doors: Doors
) -> None:
    alice = make_user()
    first = link(doors, alice)
    newer = Keys(KEYS.access, "another-secret")

    assert link(doors, alice, newer) == first

    (account,) = stored()
    assert SEALER.open(str(account.sealed_keys)) == newer


def test_key_of_somebody_else_is_refused_and_stays_theirs(session: Session, doors: Doors) -> None:
    alice, bob = make_user(), make_user()
    link(doors, alice)

    with pytest.raises(Conflict) as refused:
        link(doors, bob)

    assert refused.value.code == "exchange_key_taken"
    assert [account.user_id for account in stored()] == [alice.id]


def test_key_that_two_people_link_at_once_is_the_firsts(
    session: Session, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = make_user(), make_user()
    link(doors, alice)
    monkeypatch.setattr(linking, "_linked", lambda *_: None)  # bob looked before alice was done

    with pytest.raises(Conflict) as refused:
        link(doors, bob)

    assert refused.value.code == "exchange_key_taken"
    assert [account.user_id for account in stored()] == [alice.id]


def test_account_unlinked_while_its_key_is_checked_stays_unlinked(
    session: Session, doors: Doors, broker: FakeBroker
) -> None:
    alice = make_user(password="a-long-password")
    ident = link(doors, alice)

    def unlinked_meanwhile() -> KeyCheck:
        unlink_account(user_id=alice.id, account_id=ident, now=LATER)
        return KeyCheck(KeyState.REFUSED, KeyProblem.INVALID)

    broker.check_key = unlinked_meanwhile  # type: ignore[method-assign]
    recheck(account_id=ident, doors=doors, now=LATER)

    (account,) = stored()
    assert (account.state, account.checked_at) == (KeyState.GOOD, NOW)


def test_account_without_keys_has_no_broker(session: Session, doors: Doors) -> None:
    with pytest.raises(SealBroken):
        doors.broker(LinkedAccount(exchange=ExchangeName.UPBIT, sealed_keys=None))


def test_sixth_link_of_a_person_is_refused(session: Session, doors: Doors) -> None:
    alice = make_user()
    for number in range(5):
        link(doors, alice, Keys(f"access-key-{number}", "secret-secret"))

    with pytest.raises(Conflict) as refused:
        link(doors, alice, Keys("access-key-5", "secret-secret"))

    assert refused.value.code == "exchange_links_full"


def test_unlinking_wipes_keys_and_balances_and_frees_the_key(
    session: Session, doors: Doors, broker: FakeBroker
) -> None:
    alice, bob = make_user(password="a-long-password"), make_user()
    ident = link(doors, alice)
    broker.held = [Balance("KRW", Decimal(1), Decimal(0))]
    refresh_balances(account_id=ident, broker=cast(Any, broker), now=NOW)

    for _twice in range(2):
        unlink_account(user_id=alice.id, account_id=ident, now=LATER)

    (account,) = stored()
    assert (account.sealed_keys, account.unlinked_at) == (None, LATER)
    assert db.session.scalar(select(func.count()).select_from(Holding)) == 0
    assert list_accounts(user_id=alice.id, now=LATER) == []
    assert find_by_key(db.session(), exchange=ExchangeName.UPBIT, keys=KEYS, sealer=SEALER) is None
    assert link(doors, bob) != ident


def test_key_that_comes_back_to_its_person_is_the_account_it_was(
    session: Session, doors: Doors
) -> None:
    """Else a bot that had bought there could neither sell nor move to the new account."""
    alice, bob = make_user(password="a-long-password"), make_user(password="a-long-password")
    ident = link(doors, alice)
    unlink_account(user_id=alice.id, account_id=ident, now=LATER)
    of_bob = link(doors, bob)
    unlink_account(user_id=bob.id, account_id=of_bob, now=LATER)

    assert link(doors, alice) == ident

    first, second = stored()
    assert (first.unlinked_at, second.unlinked_at) == (None, LATER)
    assert SEALER.open(str(first.sealed_keys)) == KEYS
    (seen,) = list_accounts(user_id=alice.id, now=LATER)
    assert (seen.balances_at, seen.holdings) == (None, ())


def test_stranger_can_neither_unlink_nor_learn_that_it_is_there(
    session: Session, doors: Doors
) -> None:
    alice, bob = make_user(), make_user()
    ident = link(doors, alice)

    with pytest.raises(NotFound):
        unlink_account(user_id=bob.id, account_id=ident, now=LATER)
    with pytest.raises(NotFound):
        unlink_account(user_id=alice.id, account_id=ident + 1, now=LATER)
    assert stored()[0].unlinked_at is None


def test_last_way_in_cannot_be_unlinked(session: Session, doors: Doors) -> None:
    nameless = make_user()
    first = link(doors, nameless)

    with pytest.raises(LastWayIn):
        unlink_account(user_id=nameless.id, account_id=first, now=LATER)
    assert stored()[0].unlinked_at is None

    second = link(doors, nameless, Keys("another-access-key", "another-secret"))
    unlink_account(user_id=nameless.id, account_id=first, now=LATER)
    with pytest.raises(LastWayIn):
        unlink_account(user_id=nameless.id, account_id=second, now=LATER)


def test_key_found_refused_later_is_marked_so(
    session: Session, doors: Doors, broker: FakeBroker
) -> None:
    ident = link(doors, make_user())
    broker.check = KeyCheck(KeyState.REFUSED, KeyProblem.EXPIRED)

    assert recheck(account_id=ident, doors=doors, now=LATER) is KeyState.REFUSED

    (account,) = stored()
    assert (account.problem, account.checked_at) == (KeyProblem.EXPIRED, LATER)


def test_exchange_that_is_away_takes_nothing_from_a_good_key(
    session: Session, doors: Doors, broker: FakeBroker
) -> None:
    ident = link(doors, make_user())
    broker.check = KeyCheck(KeyState.UNKNOWN, KeyProblem.UNREACHABLE)

    assert recheck(account_id=ident, doors=doors, now=LATER) is KeyState.GOOD

    (account,) = stored()
    assert (account.problem, account.checked_at) == (KeyProblem.UNREACHABLE, NOW)
    assert account.can_trade is True


def test_keys_that_cannot_be_opened_are_a_problem_and_no_crash(
    session: Session, doors: Doors
) -> None:
    ident = link(doors, make_user())
    other = Doors(Sealer((f"{'z' * 43}=",), b"f" * 32), doors.dial)

    recheck(account_id=ident, doors=other, now=LATER)

    assert stored()[0].problem is KeyProblem.INVALID


def test_unlinked_account_is_not_rechecked(session: Session, doors: Doors) -> None:
    alice = make_user(password="a-long-password")
    ident = link(doors, alice)
    unlink_account(user_id=alice.id, account_id=ident, now=LATER)

    with pytest.raises(NotFound):
        recheck(account_id=ident, doors=doors, now=LATER)


@pytest.mark.parametrize(
    ("access", "secret", "field"),
    [
        ("", "a-secret-key", "access_key"),
        ("short", "a-secret-key", "access_key"),
        ("an access key", "a-secret-key", "access_key"),
        ("an-access-key", "비밀번호비밀번호", "secret_key"),
        ("an-access-key", "x" * 201, "secret_key"),
        ("an-access-key", "🐋" * 10_000, "secret_key"),
    ],
)
def test_what_cannot_be_a_key_is_named(access: str, secret: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        typed_keys(access=access, secret=secret)

    assert (refused.value.field, refused.value.code) == (field, "exchange_key_shape")


def test_blanks_around_pasted_keys_are_cut() -> None:
    assert typed_keys(access=" an-access-key\n", secret="\ta-secret-key ") == Keys(
        "an-access-key", "a-secret-key"
    )


def test_who_leaves_takes_the_keys_away(session: Session, doors: Doors) -> None:
    alice = make_user(name="alice", password="a-long-password")
    link(doors, alice)

    leave(user_id=alice.id, confirmation="a-long-password", kakao=None, now=LATER)

    (account,) = stored()
    assert (account.sealed_keys, account.unlinked_at) == (None, LATER)
