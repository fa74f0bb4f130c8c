"""How live orders end beside their signals, and beside paper on the same ones."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import table_of, transaction
from app.domain.exchanges import ExchangeName, KeyState
from app.domain.runs import BotMode
from app.extensions import db
from app.models import Bot, BotRun, LinkedAccount, Order, User
from app.services.trading import bots
from app.services.trading.views import drift_of
from tests.conftest import NOW
from tests.factories import make_coin

LIVE, PAPER = BotMode.LIVE, BotMode.PAPER
TODAY = NOW.date()
_names = count()


@pytest.fixture(autouse=True)
def _two_bots(session: Session, alice: User) -> None:
    """A live and a paper bot of Alice's, both at Upbit and running."""
    make_coin("BTC")
    with transaction() as session:
        session.add(
            LinkedAccount(
                user_id=alice.id, exchange=ExchangeName.UPBIT, sealed_keys="sealed",
                fingerprint="f", last_four="abcd", state=KeyState.GOOD, can_trade=True,
                linked_at=NOW,
            )
        )  # fmt: skip
    ident = db.session.scalars(select(LinkedAccount.id)).one()
    bots.choose_account(user_id=alice.id, account_id=ident, now=NOW)
    bots.confirm_live(user_id=alice.id, typed="yes", sentence="yes", now=NOW)
    for mode in BotMode:
        bots.start_bot(user_id=alice.id, mode=mode, live_trading=True, now=NOW)


def trade(
    mode: BotMode, paid: str, *, signal: str = "100", side: str = "buy", day: date = TODAY
) -> None:
    """One coin for `paid` won, on a signal at that price."""
    with transaction() as session:
        bot_id, run_id = session.execute(
            select(Bot.id, BotRun.id).join(BotRun).where(Bot.mode == mode)
        ).one()
        amount = {"funds": Decimal(paid)} if side == "buy" else {"volume": Decimal(1)}
        made = {
            "bot_id": bot_id, "run_id": run_id, "client_id": f"wl-{next(_names)}",
            "market": "KRW-BTC", "day": day, "side": side, "attempt": 0,
            "reason": "entry" if side == "buy" else "day_end", "kind": "market",
            "signal_price": Decimal(signal), "state": "filled", "executed_volume": Decimal(1),
            "executed_funds": Decimal(paid), "paid_fee": Decimal(0), "created_at": NOW,
        }  # fmt: skip
        session.execute(table_of(Order).insert(), made | amount)


def test_dearer_purchases_and_cheaper_sales_are_worse(alice: User) -> None:
    trade(LIVE, "102")
    trade(LIVE, "99", side="sell")
    trade(PAPER, "100")
    trade(PAPER, "100", side="sell")

    drift = drift_of(user_id=alice.id)

    assert drift is not None
    assert (drift.orders, drift.from_signal_pct) == (2, Decimal("1.5"))
    assert (drift.matched, drift.from_paper_pct) == (2, Decimal("1.5"))


def test_nothing_is_told_before_the_first_live_order(alice: User, bob: User) -> None:
    trade(PAPER, "100")
    assert drift_of(user_id=alice.id) is None

    trade(LIVE, "100")
    assert drift_of(user_id=alice.id) is not None
    assert drift_of(user_id=bob.id) is None


def test_order_of_another_day_or_signal_is_no_twin(alice: User) -> None:
    trade(LIVE, "101")
    trade(PAPER, "100", day=TODAY - timedelta(days=1))
    trade(PAPER, "100", signal="103")

    drift = drift_of(user_id=alice.id)

    assert drift is not None
    assert (drift.matched, drift.from_paper_pct) == (0, None)


def test_days_of_another_exchange_are_other_days(alice: User) -> None:
    trade(LIVE, "101")
    trade(PAPER, "100")
    with transaction() as session:
        session.execute(update(Bot).where(Bot.mode == LIVE).values(exchange=ExchangeName.BITHUMB))

    drift = drift_of(user_id=alice.id)

    assert drift is not None
    assert drift.matched == 0
