"""The bots' clockwork: only the leader's, each bot on its own, and really at its exchange."""

import threading
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.db import transaction
from app.domain.exchanges import Keys, KeyState, OrderState
from app.domain.runs import BotMode, BotState
from app.domain.trading import BotSettings
from app.exchanges.base import ExchangeError
from app.extensions import db
from app.jobs import trading
from app.jobs.trading import BotKeeper
from app.models import Bot, BotRun, LinkedAccount, Order, PaperBalance, Position
from app.services.exchanges import Sealer
from app.services.trading import bots
from app.services.trading.errand import Task
from app.wiring import fingerprint_key, sealing_keys
from tests.conftest import MakeApp
from tests.factories import make_user
from tests.flows.bot_world import ABOVE, BELOW, START, BotWorld, open_world

SETTINGS = BotSettings(codes=("BTC",), k=Decimal("0.5"), share_pct=Decimal(50))


@pytest.fixture
def world(session: Session) -> Iterator[BotWorld]:
    with open_world() as made:
        yield made


@pytest.fixture
def keeper(world: BotWorld, make_app: MakeApp) -> Iterator[BotKeeper]:
    app = make_app(upbit_url=world.sim.url, live_trading=True)
    made = BotKeeper(app, clock=world.clock)
    yield made
    made.stop()


def turn(keeper: BotKeeper) -> None:
    for work in keeper.turn():
        work.result(timeout=20)
    db.session.rollback()


def start_paper(world: BotWorld) -> Bot:
    user = make_user()
    bots.save_settings(user_id=user.id, mode=BotMode.PAPER, settings=SETTINGS, now=START)
    bots.start_bot(user_id=user.id, mode=BotMode.PAPER, live_trading=False, now=world.now)
    return db.session.scalars(select(Bot).where(Bot.user_id == user.id)).one()


def start_live(world: BotWorld, keys: Keys) -> Bot:
    user = make_user()
    sealer = Sealer(sealing_keys(), fingerprint_key())
    with transaction() as session:
        account = LinkedAccount(
            user_id=user.id, exchange="upbit", sealed_keys=sealer.seal(keys), fingerprint="f",
            last_four=keys.last_four, state=KeyState.GOOD, can_trade=True, linked_at=START,
        )  # fmt: skip
        session.add(account)
        session.flush()
        account_id = account.id
    bots.choose_account(user_id=user.id, account_id=account_id, now=START)
    bots.save_settings(user_id=user.id, mode=BotMode.LIVE, settings=SETTINGS, now=START)
    bots.confirm_live(user_id=user.id, typed="yes", sentence="yes", now=START)
    bots.start_bot(user_id=user.id, mode=BotMode.LIVE, live_trading=True, now=world.now)
    return db.session.scalars(select(Bot).where(Bot.user_id == user.id)).one()


def test_paper_bot_buys_above_its_target_and_sells_on_the_next_day(
    world: BotWorld, keeper: BotKeeper
) -> None:
    bot_id = start_paper(world).id
    world.set_price(ABOVE)
    turn(keeper)
    bought = db.session.scalars(select(Order)).one()
    world.now += timedelta(days=1)
    world.set_price(BELOW)
    turn(keeper)
    orders = list(db.session.scalars(select(Order).order_by(Order.id)))

    assert bought.state is OrderState.CANCELLED  # the rest was too small to be spent
    assert (bought.funds, bought.reason) == (500_000, "entry")
    assert [order.reason for order in orders] == ["entry", "day_end"]
    assert db.session.get(Position, (bot_id, "KRW-BTC")) is None
    won = db.session.get_one(PaperBalance, (bot_id, "KRW")).free
    flow = sum(
        (1 if one.side == "sell" else -1) * one.executed_funds - one.paid_fee for one in orders
    )
    assert won == SETTINGS.capital + flow


def test_live_bot_trades_at_the_exchange_with_its_sealed_key(
    world: BotWorld, keeper: BotKeeper
) -> None:
    keys = Keys("keeper-access-key-0001", "keeper-secret-key-0001")
    world.sim.add_account("upbit", keys.access, keys.secret, {"KRW": "2000000"})
    start_live(world, keys)
    world.set_price(ABOVE)
    turn(keeper)

    order = db.session.scalars(select(Order)).one()
    truth = world.sim.orders(keys.access)
    assert [(one.name, one.executed_funds) for one in truth] == [
        (order.client_id, order.executed_funds)
    ]


def test_key_that_is_refused_stops_the_bot_and_marks_the_account(
    world: BotWorld, keeper: BotKeeper
) -> None:
    bot = start_live(world, Keys("nobody-has-this-key-01", "keeper-secret-key-0001"))
    world.set_price(ABOVE)
    turn(keeper)

    assert db.session.get_one(Bot, bot.id).state is BotState.OFF
    assert db.session.scalars(select(BotRun.end_reason)).one() == "key_invalid"
    assert db.session.scalars(select(LinkedAccount.state)).one() is KeyState.REFUSED
    assert list(db.session.scalars(select(Order))) == []


def test_bot_whose_account_was_unlinked_stops(world: BotWorld, keeper: BotKeeper) -> None:
    keys = Keys("keeper-access-key-0002", "keeper-secret-key-0002")
    world.sim.add_account("upbit", keys.access, keys.secret, {"KRW": "2000000"})
    bot = start_live(world, keys)
    with transaction() as session:
        account = session.scalars(select(LinkedAccount)).one()
        account.sealed_keys, account.unlinked_at = None, START
    world.set_price(ABOVE)
    turn(keeper)

    assert db.session.get_one(Bot, bot.id).state is BotState.OFF


def test_failing_exchange_of_one_bot_stops_no_other(
    world: BotWorld, keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = start_paper(world).id, start_paper(world).id
    work = keeper._engine.work

    def fail(task: Task) -> None:
        if task.case.bot_id == first:
            raise ExchangeError("broken")
        work(task)

    monkeypatch.setattr(keeper._engine, "work", fail)
    world.set_price(ABOVE)
    turn(keeper)

    assert list(db.session.scalars(select(Order.bot_id))) == [second]


def test_bot_whose_work_fails_for_no_known_reason_rests_a_minute(
    world: BotWorld, keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_paper(world)
    tried: list[Task] = []
    monkeypatch.setattr(keeper._engine, "work", lambda task: tried.append(task) or 1 / 0)

    for seconds in (1, 1, 57, 3):
        world.now += timedelta(seconds=seconds)
        world.set_price(ABOVE)
        turn(keeper)

    assert len(tried) == 2


def test_bot_at_work_is_not_begun_twice(
    world: BotWorld, keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_paper(world)
    world.set_price(ABOVE)
    done = threading.Event()
    monkeypatch.setattr(keeper._engine, "work", lambda _task: done.wait(20))

    first = keeper.turn()
    assert keeper.turn() == []
    done.set()
    wait(first)
    assert len(keeper.turn()) == len(first) == 1


def test_server_that_does_not_lead_looks_at_no_bot(
    world: BotWorld, keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned: list[bool] = []
    monkeypatch.setattr(keeper, "turn", lambda: turned.append(True))
    monkeypatch.setattr(trading, "leads", lambda: False)
    assert keeper._turn_if_leading() is False
    assert turned == []

    monkeypatch.setattr(trading, "leads", lambda: True)
    assert keeper._turn_if_leading() is True
    assert turned == [True]


def test_exchange_that_hangs_holds_up_shutting_down_only_so_long(
    world: BotWorld, keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_paper(world)
    world.set_price(ABOVE)
    answered = threading.Event()
    monkeypatch.setattr(trading, "PATIENCE_S", 0.1)
    monkeypatch.setattr(keeper._engine, "work", lambda _task: answered.wait(20))
    (work,) = keeper.turn()

    keeper.stop()

    assert not work.done()
    answered.set()


def test_thread_begins_and_ends(keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trading, "TICK_S", 0.01)
    monkeypatch.setattr(trading, "leads", lambda: True)
    keeper.start()
    keeper.stop()

    assert not keeper._thread.is_alive()
    assert utcnow() > START
