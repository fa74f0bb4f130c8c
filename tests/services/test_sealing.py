"""Keys at rest: only this server opens them, and its own keys can be changed in peace."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import ExchangeName, Keys, KeyState
from app.models import LinkedAccount
from app.services.exchanges import SealBroken, Sealer, renew_seals
from tests.conftest import NOW
from tests.factories import make_user

OLD, NEW, FOREIGN = f"{'o' * 43}=", f"{'n' * 43}=", f"{'f' * 43}="
KEYS = Keys("an-access-key-0001", "비밀-secret-key")


def sealer(*keys: str) -> Sealer:
    return Sealer(keys, b"x" * 32)


def link(sealed: str, number: int) -> None:
    user = make_user()
    account = LinkedAccount(
        user_id=user.id,
        exchange=ExchangeName.UPBIT,
        sealed_keys=sealed,
        fingerprint=str(number),
        last_four="0001",
        state=KeyState.GOOD,
        linked_at=NOW,
    )
    with transaction() as session:
        session.add(account)


def test_sealed_keys_come_back_whole_and_show_nothing() -> None:
    sealed = sealer(OLD).seal(KEYS)

    assert sealer(OLD).open(sealed) == KEYS
    assert "access" not in sealed
    assert sealer(OLD).seal(KEYS) != sealed


def test_foreign_key_opens_nothing_and_tells_nothing() -> None:
    with pytest.raises(SealBroken) as broken:
        sealer(FOREIGN).open(sealer(OLD).seal(KEYS))

    assert broken.value.__cause__ is None
    assert str(broken.value) == ""


@pytest.mark.parametrize("spoilt", ["", "gAAAA", "한글", "x" * 10_000])
def test_what_was_changed_is_not_opened(spoilt: str) -> None:
    with pytest.raises(SealBroken):
        sealer(OLD).open(spoilt)


def test_new_key_seals_and_old_one_still_opens() -> None:
    before = sealer(OLD).seal(KEYS)
    both = sealer(NEW, OLD)

    assert both.open(before) == KEYS
    assert sealer(NEW).open(both.seal(KEYS)) == KEYS


def test_renewing_lets_the_old_key_go(session: Session) -> None:
    link(sealer(OLD).seal(KEYS), 1)
    link(sealer(FOREIGN).seal(KEYS), 2)

    assert renew_seals(sealer=sealer(NEW, OLD)) == (1, 1)
    assert renew_seals(sealer=sealer(NEW)) == (1, 1)

    first, second = session.scalars(select(LinkedAccount.sealed_keys).order_by(LinkedAccount.id))
    assert sealer(NEW).open(str(first)) == KEYS
    assert sealer(FOREIGN).open(str(second)) == KEYS


def test_fingerprint_tells_keys_and_exchanges_apart_and_needs_the_servers_key() -> None:
    of = sealer(OLD).fingerprint
    prints = {
        of(ExchangeName.UPBIT, KEYS),
        of(ExchangeName.BITHUMB, KEYS),
        of(ExchangeName.UPBIT, Keys("another", KEYS.secret)),
        Sealer((OLD,), b"y" * 32).fingerprint(ExchangeName.UPBIT, KEYS),
    }

    assert len(prints) == 4
    assert of(ExchangeName.UPBIT, KEYS) == of(ExchangeName.UPBIT, Keys(KEYS.access, "other"))
