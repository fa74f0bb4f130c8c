"""Bots under every fault and a death at every line: no order twice, none lost, no won missing."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.domain.runs import BotState
from app.domain.trading import BotSettings
from app.extensions import db
from app.models import Bot
from app.services.trading import bots, engine, orders, runs
from app.services.trading.checking import Known
from app.services.trading.errand import Errand
from app.services.trading.orders import Wish
from tests.flows.bot_world import (
    ABOVE,
    BELOW,
    CAPITAL,
    STOPPED_OUT,
    BotWorld,
    check_truth,
    mortal,
    open_world,
    plant_traders,
)

pytestmark = pytest.mark.slow
SHARDS, SCHEDULES_EACH = 10, 200
SETTINGS = BotSettings(codes=("BTC",), capital=CAPITAL, k=Decimal("0.5"), share_pct=Decimal(50))


@pytest.fixture(autouse=True)
def _no_power_cuts(session: Session) -> None:
    """The process dies here, never the machine: the disk needn't be waited for."""

    @event.listens_for(db.engine, "connect")
    def _connect(connection: object, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]

    db.session.remove()
    db.engine.dispose()


def live(world: BotWorld, dice: random.Random) -> None:
    """Two troubled days: prices cross the target, the stop and midnight, and some people halt."""
    for _ in range(2):
        for price in (ABOVE, ABOVE, dice.choice((ABOVE, BELOW)), dice.choice((STOPPED_OUT, ABOVE))):
            world.tick(dice.choice((1, 2, 7, 30)), price)
            _meddle(world, dice)
        world.now += timedelta(hours=dice.choice((20, 24, 30)))


def _meddle(world: BotWorld, dice: random.Random) -> None:
    """Some people halt, sell, stop or start again in the middle of it."""
    for trader in dice.sample(list(world.traders.values()), len(world.traders) // 20):
        db.session.rollback()
        bot = db.session.get_one(Bot, trader.bot_id)
        if bot.state is BotState.RUNNING:
            if dice.random() < 0.5:
                bots.halt_all(user_id=trader.user_id, sells=dice.random() < 0.5, now=world.now)
            else:
                bots.stop_bot(user_id=trader.user_id, mode=bot.mode, now=world.now)
        elif bot.state is BotState.OFF and not _is_pending(trader.bot_id):
            bots.start_bot(user_id=trader.user_id, mode=bot.mode, live_trading=True, now=world.now)


def _is_pending(bot_id: int) -> bool:
    return runs.has_pending(db.session(), bot_id)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_of_faults_and_deaths_doubles_or_loses_an_order(
    shard: int, session: Session
) -> None:
    dice = random.Random(shard)
    first = shard * SCHEDULES_EACH
    with open_world() as world:
        if shard % 3 == 1:
            world.sim.fault("partial", for_s=3_600, group="order", share=0.8)
        plant_traders(world, range(first, first + SCHEDULES_EACH), SETTINGS)
        with mortal(world, dice, rate=0.02):
            live(world, dice)
            world.quiet_down()
        told: Counter[str] = Counter()
        for trader in world.traders.values():
            told.update(check_truth(world, trader))

    assert world.deaths > SCHEDULES_EACH / 4
    assert told["orders"] > SCHEDULES_EACH
    assert told["never_sent"] > SCHEDULES_EACH / 20


class Careless(Errand):
    """Sends first and writes down afterwards, as the old program did."""

    def _order(self, wish: Wish, known: Known) -> None:
        self._broker.place(orders._intent(wish))
        super()._order(wish, known)


def test_control_sending_before_the_intent_is_committed_leaves_orphans(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(1)
    monkeypatch.setattr(engine, "Errand", Careless)
    with open_world() as world:
        plant_traders(world, range(20), SETTINGS)
        with mortal(world, dice, rate=0.02):
            live(world, dice)
            world.quiet_down()

        traders = list(world.traders.values())
        with pytest.raises(AssertionError, match="nobody wrote down"):
            [check_truth(world, trader) for trader in traders]
