"""A new key in place of one that ended: the bot that trades there must be able to go on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import (
    ExchangeName,
    KeyProblem,
    Keys,
    KeyState,
    OrderKind,
    OrderReport,
    OrderState,
    Side,
)
from app.domain.runs import BotMode, OrderReason
from app.exchanges.base import Unavailable
from app.extensions import db
from app.models import Bot, BotRun, LinkedAccount, Order, Position, User
from app.services.exchanges import Doors, Sealer, link_account, unlink_account
from app.services.trading import bots
from tests.conftest import NOW, SEALING_KEY
from tests.factories import make_coin, make_user
from tests.fakes import FakeBroker

UPBIT = ExchangeName.UPBIT
OLD, NEW = Keys("the-old-access-3F9A", "a-secret-key-0001"), Keys("the-new-access-77QZ", "b" * 20)
LATER = NOW + timedelta(days=365)
NAME = "wl-made-by-our-bot"
SEALER = Sealer((SEALING_KEY,), b"f" * 32)


@pytest.fixture
def broker() -> FakeBroker:
    """Whatever key is shown, it is good; `placed` are the orders that it can see."""
    return FakeBroker()


@pytest.fixture
def doors(broker: FakeBroker) -> Doors:
    return Doors(SEALER, lambda _exchange, _keys: cast(Any, broker))


@pytest.fixture
def owner(session: Session, doors: Doors) -> User:
    """Somebody whose live bot bought with a key that has ended since."""
    make_coin("BTC")
    user = make_user(password="a-long-password")
    ident = link(user, OLD, doors)
    bots.choose_account(user_id=user.id, account_id=ident, now=NOW)
    bots.confirm_live(user_id=user.id, typed="yes", sentence="yes", now=NOW)
    bots.start_bot(user_id=user.id, mode=BotMode.LIVE, live_trading=True, now=NOW)
    plant_purchase()
    with transaction() as session:
        account = session.scalars(select(LinkedAccount)).one()
        account.state, account.problem = KeyState.REFUSED, KeyProblem.EXPIRED
    return user


def link(user: User, keys: Keys, doors: Doors) -> int:
    return link_account(user_id=user.id, exchange=UPBIT, keys=keys, doors=doors, now=LATER)


def plant_purchase() -> None:
    with transaction() as session:
        bot, run = session.scalars(select(Bot)).one(), session.scalars(select(BotRun)).one()
        session.add(
            Order(
                bot_id=bot.id, run_id=run.id, client_id=NAME, market="KRW-BTC", day=NOW.date(),
                side=Side.BUY, reason=OrderReason.ENTRY, kind=OrderKind.MARKET,
                funds=Decimal(100), signal_price=Decimal(100), state=OrderState.FILLED,
                exchange_id="x1",
                executed_volume=Decimal(1), executed_funds=Decimal(100), paid_fee=Decimal(0),
                created_at=NOW, sent_at=NOW,
            )
        )  # fmt: skip
        session.add(
            Position(
                bot_id=bot.id, market="KRW-BTC", volume=Decimal(1), cost=Decimal(100),
                day=NOW.date(), opened_at=NOW,
            )
        )  # fmt: skip


def let_go(order: OrderState) -> None:
    """The bot holds nothing any more; what became of its order."""
    with transaction() as session:
        session.delete(session.scalars(select(Position)).one())
        session.scalars(select(Order)).one().state = order


def report() -> OrderReport:
    return OrderReport(NAME, "x1", OrderState.FILLED, Decimal(1), Decimal(100), Decimal(0))


def test_new_key_that_sees_the_bots_order_takes_the_old_ones_place(
    owner: User, doors: Doors, broker: FakeBroker
) -> None:
    before = db.session.scalars(select(Bot.account_id)).one()
    broker.placed[NAME] = report()

    assert link(owner, NEW, doors) == before

    account = db.session.scalars(select(LinkedAccount)).one()
    assert SEALER.open(str(account.sealed_keys)) == NEW
    assert (account.last_four, account.state) == ("77QZ", KeyState.GOOD)
    assert bots.live_yeses(user_id=owner.id, live_trading=True).missing() is None


def test_old_key_may_have_been_unlinked_before(
    owner: User, doors: Doors, broker: FakeBroker
) -> None:
    before = db.session.scalars(select(Bot.account_id)).one()
    unlink_account(user_id=owner.id, account_id=before or 0, now=LATER)
    broker.placed[NAME] = report()

    assert link(owner, NEW, doors) == before
    assert bots.live_yeses(user_id=owner.id, live_trading=True).missing() is None


@pytest.mark.parametrize("raises", [None, Unavailable("down")])
def test_key_that_is_not_proven_to_be_of_that_account_is_another_account(
    owner: User, doors: Doors, broker: FakeBroker, raises: Exception | None
) -> None:
    before = db.session.scalars(select(Bot.account_id)).one()
    broker.raises = raises

    assert link(owner, NEW, doors) != before
    assert bots.live_yeses(user_id=owner.id, live_trading=True).missing() is not None


def test_bot_that_holds_nothing_may_have_moved_so_nothing_is_proven(
    owner: User, doors: Doors, broker: FakeBroker
) -> None:
    before = db.session.scalars(select(Bot.account_id)).one()
    broker.placed[NAME] = report()
    let_go(OrderState.FILLED)

    assert link(owner, NEW, doors) != before


def test_order_in_the_air_proves_as_well_as_coins(
    owner: User, doors: Doors, broker: FakeBroker
) -> None:
    before = db.session.scalars(select(Bot.account_id)).one()
    broker.placed[NAME] = report()
    let_go(OrderState.OPEN)

    assert link(owner, NEW, doors) == before


def test_order_of_somebody_elses_bot_proves_nothing(
    owner: User, doors: Doors, broker: FakeBroker
) -> None:
    before = db.session.scalars(select(Bot.account_id)).one()
    broker.placed[NAME] = report()

    assert link(make_user("stranger"), NEW, doors) != before
