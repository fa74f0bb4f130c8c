"""A server that trades is killed (kill -9) again and again; the exchange and our books agree."""

import random
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import Keys, KeyState, OrderState
from app.domain.runs import BotMode
from app.domain.trading import BotSettings
from app.extensions import db
from app.models import LinkedAccount, Order
from app.services.exchanges import Sealer
from app.services.trading import bots
from app.wiring import fingerprint_key, sealing_keys
from tests.conftest import SEALING_KEY, SECRET
from tests.factories import make_user
from tests.flows.bot_world import ABOVE, BELOW, START, BotWorld, open_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
KILLS, BOTS = 12, 12
SETTINGS = BotSettings(codes=("BTC",), k=Decimal("0.5"), share_pct=Decimal(50))
#: The bots' clockwork in a process of its own; its time stands where the test wants it.
_SERVER = """
import sys, time
from datetime import datetime, timedelta
from pathlib import Path
from app import create_app
from app.clock import monotonic
from app.jobs.trading import BotKeeper
from config import Config
folder, url, sealing, secret, since = sys.argv[1:]
app = create_app(Config(database_url=f"sqlite:///{folder}/test.db", secret_key=secret,
    exchange_keys=(sealing,), instance=Path(folder), upbit_url=url, live_trading=True))
print("up", flush=True)
began, start = monotonic(), datetime.fromisoformat(since)
keeper = BotKeeper(app, clock=lambda: start + timedelta(seconds=monotonic() - began))
while True:
    keeper.turn()
    time.sleep(0.02)
"""


def plant_bots(world: BotWorld) -> list[Keys]:
    sealer, found = Sealer(sealing_keys(), fingerprint_key()), []
    for number in range(BOTS):
        keys = Keys(f"killed-access-key-{number:04d}", "killed-secret-key-0001")
        world.sim.add_account("upbit", keys.access, keys.secret, {"KRW": "2000000"})
        user = make_user()
        with transaction() as session:
            account = LinkedAccount(
                user_id=user.id, exchange="upbit", sealed_keys=sealer.seal(keys),
                fingerprint=f"f{number}", last_four=keys.last_four, state=KeyState.GOOD,
                can_trade=True, linked_at=START,
            )  # fmt: skip
            session.add(account)
            session.flush()
            ident = account.id
        bots.choose_account(user_id=user.id, account_id=ident, now=START)
        bots.save_settings(user_id=user.id, mode=BotMode.LIVE, settings=SETTINGS, now=START)
        bots.confirm_live(user_id=user.id, typed="yes", sentence="yes", now=START)
        bots.start_bot(user_id=user.id, mode=BotMode.LIVE, live_trading=True, now=START)
        found.append(keys)
    return found


def live(world: BotWorld, folder: Path, seconds: float) -> None:
    """One life of the server, and its end."""
    arguments = (str(folder), world.sim.url, SEALING_KEY, SECRET, world.now.isoformat())
    command = [sys.executable, "-c", _SERVER, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        time.sleep(seconds)
    finally:
        process.kill()
        process.communicate(timeout=10)


def unsettled() -> int:
    db.session.rollback()
    wanted = [state for state in OrderState if not state.is_final]
    return db.session.scalar(select(func.count()).where(Order.state.in_(wanted))) or 0


def test_killed_server_neither_doubles_nor_loses_an_order(session: Session, tmp_path: Path) -> None:
    dice = random.Random(3)
    with open_world() as world:
        accounts = plant_bots(world)
        for kill in range(KILLS):
            world.set_price(ABOVE if kill % 2 == 0 else BELOW)
            live(world, tmp_path, dice.uniform(0.05, 2.0))
            world.now += timedelta(days=kill % 2, minutes=1)
        world.set_price(BELOW)
        for _ in range(3):
            world.now += timedelta(minutes=1)
            world.set_price(BELOW)
            live(world, tmp_path, 2.5)

        assert unsettled() == 0
        for keys in accounts:
            truth = {str(one.name): one for one in world.sim.orders(keys.access)}
            ours = db.session.scalars(select(Order).where(Order.client_id.in_(truth))).all()
            assert len(ours) == len(truth), "an order that nobody wrote down"
            for order in ours:
                told = order.executed_volume, order.executed_funds, order.paid_fee
                one = truth[order.client_id]
                assert told == (one.executed_volume, one.executed_funds, one.paid_fee)
        bought = db.session.execute(
            select(Order.bot_id, Order.day, func.count())
            .where(Order.side == "buy", Order.executed_volume != Decimal(0))
            .group_by(Order.bot_id, Order.day)
        ).all()
        assert len(bought) >= BOTS // 3, "hardly anybody bought"
        assert {count for *_, count in bought} == {1}
