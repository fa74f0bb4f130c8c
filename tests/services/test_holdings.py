"""What an account holds: kept whole, valued at the live board, honest about what isn't known."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import NotFound
from app.domain.exchanges import Balance, ExchangeName, KeyProblem, Keys, KeyState
from app.domain.runs import BotMode, BotState
from app.exchanges.base import BadCredentials, Unavailable
from app.extensions import db
from app.models import Bot, LinkedAccount
from app.services.exchanges import (
    Doors,
    Sealer,
    due_for_balances,
    due_for_check,
    get_account,
    link_account,
    list_accounts,
    note_look,
    refresh_balances,
    unlink_account,
)
from app.services.exchanges import refresh as fetch
from tests.conftest import NOW, SEALING_KEY
from tests.factories import make_coin, make_user
from tests.fakes import FakeBroker

LATER = NOW + timedelta(minutes=5)
A_SECOND = timedelta(seconds=1)


def held(currency: str, free: str, locked: str = "0", bought_at: str | None = None) -> Balance:
    price = None if bought_at is None else Decimal(bought_at)
    return Balance(currency, Decimal(free), Decimal(locked), price)


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def owner(session: Session) -> Any:
    return make_user(password="a-long-password")


@pytest.fixture
def ident(owner: Any, broker: FakeBroker) -> int:
    doors = Doors(Sealer((SEALING_KEY,), b"f" * 32), lambda _exchange, _keys: cast(Any, broker))
    keys = Keys("an-access-key", "a-secret-key")
    return link_account(
        user_id=owner.id, exchange=ExchangeName.UPBIT, keys=keys, doors=doors, now=NOW
    )


def refresh(ident: int, broker: FakeBroker, *balances: Balance) -> None:
    broker.held = list(balances)
    refresh_balances(account_id=ident, broker=cast(Any, broker), now=LATER)


def test_value_and_profit_are_sums_one_can_do_in_the_head(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    make_coin("BTC", price="150")
    refresh(ident, broker, held("KRW", "1000", "200"), held("BTC", "8", "2", bought_at="100"))

    account = get_account(user_id=owner.id, account_id=ident, now=LATER)

    assert [(one.currency, one.value, one.profit) for one in account.holdings] == [  # type: ignore[comparison-overlap]
        ("BTC", 1500, 500),
        ("KRW", 1200, None),
    ]
    assert (account.value, account.profit, account.profit_pct) == (2700, 500, 50)  # type: ignore[comparison-overlap]
    assert account.holdings[0].profit_pct == 50
    assert account.balances_at == LATER


def test_coin_without_a_market_is_shown_without_a_value(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    make_coin("LUNA", price="100", delisted_at=NOW)
    refresh(ident, broker, held("P", "5"), held("LUNA", "3", bought_at="70000"), held("KRW", "1"))

    account = get_account(user_id=owner.id, account_id=ident, now=LATER)

    assert [(one.currency, one.value) for one in account.holdings] == [
        ("KRW", 1),
        ("LUNA", None),
        ("P", None),
    ]
    assert (account.value, account.profit, account.profit_pct) == (1, 0, None)  # type: ignore[comparison-overlap]


def test_average_price_of_nothing_tells_no_profit(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    make_coin("BTC", price="150")
    refresh(ident, broker, held("BTC", "1", bought_at="0"))

    (holding,) = get_account(user_id=owner.id, account_id=ident, now=LATER).holdings

    assert (holding.value, holding.profit, holding.profit_pct) == (150, None, None)  # type: ignore[comparison-overlap]


def test_every_digit_of_an_amount_comes_back(owner: Any, ident: int, broker: FakeBroker) -> None:
    amount = "12345678901234567890.12345678901234567890"
    refresh(ident, broker, held("BTC", amount))

    (holding,) = get_account(user_id=owner.id, account_id=ident, now=LATER).holdings

    assert str(holding.free) == amount.rstrip("0")


def test_new_balances_replace_the_old_ones_and_empty_ones_vanish(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    refresh(ident, broker, held("KRW", "5"), held("BTC", "1"))
    refresh(ident, broker, held("KRW", "0"), held("ETH", "2"))

    account = get_account(user_id=owner.id, account_id=ident, now=LATER)

    assert [one.currency for one in account.holdings] == ["ETH"]


def test_account_that_was_emptied_holds_nothing(owner: Any, ident: int, broker: FakeBroker) -> None:
    refresh(ident, broker, held("KRW", "5"))
    refresh(ident, broker)

    assert get_account(user_id=owner.id, account_id=ident, now=LATER).holdings == ()


def test_exchange_that_is_away_leaves_what_was_known(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    refresh(ident, broker, held("KRW", "5"))
    broker.raises = Unavailable("away")

    with pytest.raises(Unavailable):
        refresh(ident, broker)

    assert get_account(user_id=owner.id, account_id=ident, now=LATER).value == 5


def test_refused_key_is_marked(owner: Any, ident: int, broker: FakeBroker) -> None:
    broker.raises = BadCredentials(KeyProblem.ADDRESS_NOT_ALLOWED)

    with pytest.raises(BadCredentials):
        refresh(ident, broker)

    account = get_account(user_id=owner.id, account_id=ident, now=LATER)
    assert (account.state, account.problem) == (KeyState.REFUSED, KeyProblem.ADDRESS_NOT_ALLOWED)


def test_account_unlinked_while_we_asked_gets_no_balances(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    unlink_account(user_id=owner.id, account_id=ident, now=NOW)

    refresh(ident, broker, held("KRW", "5"))

    assert db.session.get_one(LinkedAccount, ident).balances_at is None


def test_stranger_sees_nothing(owner: Any, ident: int) -> None:
    bob = make_user()

    assert list_accounts(user_id=bob.id, now=NOW) == []
    for user_id, account_id in ((bob.id, ident), (owner.id, ident + 1)):
        with pytest.raises(NotFound):
            get_account(user_id=user_id, account_id=account_id, now=NOW)


def test_look_is_noted_once_a_minute(owner: Any, ident: int) -> None:
    seen = []
    for seconds in (59, 61, 90):
        note_look(user_id=owner.id, now=NOW + timedelta(seconds=seconds))
        db.session.rollback()
        seen.append(db.session.get_one(LinkedAccount, ident).wanted_at)

    assert seen == [NOW, NOW + timedelta(seconds=61), NOW + timedelta(seconds=61)]


def test_shares_make_a_hundred_and_name_the_largest(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    for code in ("AAA", "BBB", "CCC", "DDD"):
        make_coin(code, price="100")
    refresh(
        ident, broker, held("KRW", "100"), held("AAA", "3"), held("BBB", "2"), held("CCC", "1"),
        held("DDD", "0.01"), held("GONE", "7"),
    )  # fmt: skip

    shares = get_account(user_id=owner.id, account_id=ident, now=LATER).shares

    assert [one.holding and one.holding.currency for one in shares] == ["AAA", "BBB", "CCC", None]
    assert [str(one.pct) for one in shares] == ["42.8", "28.5", "14.3", "14.4"]
    assert sum(one.pct for one in shares) == 100


def test_few_holdings_all_have_a_share_and_nothing_has_none(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    assert get_account(user_id=owner.id, account_id=ident, now=LATER).shares == ()
    refresh(ident, broker, held("KRW", "1"))

    [share] = get_account(user_id=owner.id, account_id=ident, now=LATER).shares

    assert str(share.holding and share.holding.currency) == "KRW"
    assert share.pct == 100


def test_key_that_ends_within_two_weeks_is_warned_about_until_it_has_ended(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    account = get_account(user_id=owner.id, account_id=ident, now=LATER)
    assert not account.ends_soon(LATER)

    end = LATER + timedelta(days=14)
    ending = replace(account, expires_at=end)

    told = [
        (ending.ends_soon(moment), ending.has_ended(moment))
        for moment in (LATER, LATER + A_SECOND, end - A_SECOND, end)
    ]
    assert told == [(False, False), (True, False), (True, False), (False, True)]


def test_balances_are_due_while_somebody_looks_and_for_live_bots(
    owner: Any, ident: int, broker: FakeBroker
) -> None:
    assert due_for_balances(LATER) == [ident]
    refresh(ident, broker, held("KRW", "1"))
    assert due_for_balances(LATER + timedelta(seconds=14)) == []
    assert due_for_balances(LATER + timedelta(seconds=15)) == [ident]
    assert due_for_balances(NOW + timedelta(minutes=10)) == []

    make_bot(owner.id, ident)

    assert due_for_balances(NOW + timedelta(minutes=10)) == [ident]


def test_refused_key_is_asked_once_a_day_alone(owner: Any, ident: int, broker: FakeBroker) -> None:
    broker.raises = BadCredentials(KeyProblem.EXPIRED)
    with pytest.raises(BadCredentials):
        refresh(ident, broker)

    assert due_for_balances(LATER) == []
    assert due_for_check(LATER + timedelta(hours=23)) == []
    assert due_for_check(LATER + timedelta(days=1)) == [ident]


def test_balances_come_by_the_accounts_own_keys(owner: Any, ident: int, broker: FakeBroker) -> None:
    broker.held = [held("KRW", "7")]
    dialled: list[Keys] = []

    def dial(_exchange: ExchangeName, keys: Keys) -> Any:
        dialled.append(keys)
        return broker

    doors = Doors(Sealer((SEALING_KEY,), b"f" * 32), dial)
    fetch(account_id=ident, doors=doors, now=LATER)
    fetch(account_id=ident + 1, doors=doors, now=LATER)

    assert dialled == [Keys("an-access-key", "a-secret-key")]
    assert get_account(user_id=owner.id, account_id=ident, now=LATER).value == 7


def make_bot(user_id: int, account_id: int) -> None:
    bot = Bot(
        user_id=user_id, mode=BotMode.LIVE, exchange=ExchangeName.UPBIT, account_id=account_id,
        state=BotState.RUNNING, settings="{}", created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    with transaction() as session:
        session.add(bot)
