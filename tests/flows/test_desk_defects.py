"""The old desk's defects that take a server or a bot's whole life to show; and the list itself."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import app as package
from app.domain.exchanges import OrderState
from app.domain.runs import BotMode, BotState, LogKind
from app.exchanges.base import OrderRefused
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs.candles import Filling, due_targets
from app.jobs.guard import Steps
from app.jobs.trading import BotKeeper
from app.models import BotRun, Order, OrderFill, Position, RunLine, StoredCandle
from app.services.trading import bots, plans
from tests.conftest import MakeApp
from tests.factories import make_coin, make_user
from tests.flows.bot_world import (
    ABOVE,
    BELOW,
    SETTINGS,
    START,
    BotWorld,
    bot_of,
    check_truth,
    failing,
    open_world,
    orders_of,
    told,
    trader,
)
from tests.serving import serving

TESTS = Path(__file__).resolve().parent.parent
#: Where the rows of list D are held; `test_d2_…` elsewhere are rows of another list.
HELD_IN = (
    "api/test_desk.py",
    "domain/trading/test_defects.py",
    "flows/test_desk_defects.py",
    "services/test_trading_engine.py",
    "web/desk/test_first_client.py",
)


@pytest.fixture
def world(session: Session) -> Iterator[BotWorld]:
    with open_world() as made:
        yield made


@pytest.fixture
def keeper(world: BotWorld, make_app: MakeApp) -> Iterator[BotKeeper]:
    made = BotKeeper(make_app(upbit_url=world.sim.url), clock=world.clock)
    yield made
    made.stop()


def turn(keeper: BotKeeper) -> None:
    for work in keeper.turn():
        work.result(timeout=20)
    db.session.rollback()


def start_paper(world: BotWorld) -> int:
    user = make_user()
    bots.save_settings(user_id=user.id, mode=BotMode.PAPER, settings=SETTINGS, now=START)
    bots.start_bot(user_id=user.id, mode=BotMode.PAPER, live_trading=False, now=world.now)
    return user.id


def test_d05_server_is_a_proper_one_and_no_debugger_whatever_the_environment_says(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, SCHEDULER="off", FLASK_DEBUG="1") as (address, _process):
        console = requests.get(f"{address}/console", timeout=10)
        front = requests.get(f"{address}/health", timeout=10)

    assert console.status_code == 404
    assert "Werkzeug" not in front.headers.get("Server", "")
    assert "debugger" not in console.text.casefold()


def test_d06_stop_takes_the_open_order_off_and_ends_the_log_in_order(world: BotWorld) -> None:
    one = trader(world)
    world.sim.fault("slow_fill", for_s=60, group="order", seconds=60)
    world.tick(1, ABOVE)

    bots.stop_bot(user_id=one.user_id, mode=BotMode.LIVE, now=world.now)
    for _ in range(2):
        world.tick(2, ABOVE)

    assert [order.state for order in world.sim.orders(one.access)] == ["cancel"]
    assert [order.state for order in orders_of(one)] == [OrderState.CANCELLED]
    assert bot_of(one).state is BotState.OFF
    assert told(one)[-1] == "run_ended"


def test_d07_run_and_its_orders_outlive_the_server(world: BotWorld) -> None:
    one = trader(world)
    world.tick(1, ABOVE)

    world.engine = world.born()  # nothing is left of the server but the database
    world.now += timedelta(days=1)
    world.tick(1, BELOW)

    assert bot_of(one).state is BotState.RUNNING
    assert [order.reason for order in orders_of(one)] == ["entry", "day_end"]
    assert db.session.scalar(select(func.count()).select_from(BotRun)) == 1


def test_d13_jobs_write_days_and_purchases_down(world: BotWorld, keeper: BotKeeper) -> None:
    make_coin("ETH", price="5000000", observed_at=world.now)
    exchange = Upbit(world.sim.url, pacer=Pacer(per_second=1e6))
    start_paper(world)

    world.set_price(ABOVE)
    turn(keeper)
    Filling(exchange, Steps(now=world.now)).run(due_targets(world.now))

    bought = db.session.scalars(select(Order)).one()
    assert bought.executed_volume == sum(db.session.scalars(select(OrderFill.volume)))
    assert db.session.scalars(select(Position.volume)).one() == bought.executed_volume
    coins = set(db.session.scalars(select(StoredCandle.coin_id).distinct()))
    assert len(coins) == 2


def test_d15_every_module_is_there_and_no_path_is_of_one_computer() -> None:
    names = [one.name for one in pkgutil.walk_packages(package.__path__, "app.")]
    for name in names:
        importlib.import_module(name)

    assert len(names) > 150
    sources = (path.read_text() for path in Path(package.__path__[0]).rglob("*.py"))
    foreign = re.compile(r"""["'](/(home|Users|root|tmp|work)/|[A-Z]:\\\\)""")
    assert [found[0] for source in sources if (found := foreign.search(source))] == []


def test_d33_nothing_is_asked_for_while_nothing_is_due(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    trader(world)
    planned: list[object] = []
    real = plans.candle_series
    monkeypatch.setattr(
        plans, "candle_series", lambda **asked: planned.append(asked) or real(**asked)
    )
    before = dict(world.sim.requests)

    for _ in range(100):
        world.tick(1, BELOW)

    assert dict(world.sim.requests) == before
    assert len(planned) == 1


def test_d34_trading_goes_on_after_an_error_and_the_log_is_kept(
    world: BotWorld, keeper: BotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_paper(world)
    world.set_price(ABOVE)
    with monkeypatch.context() as broken:
        broken.setattr(keeper._engine, "work", lambda _task: 1 / 0)
        turn(keeper)
    kept = list(db.session.scalars(select(RunLine.code)))
    world.now += timedelta(seconds=61)
    world.set_price(ABOVE)

    turn(keeper)

    lines = list(db.session.scalars(select(RunLine.code).order_by(RunLine.id)))
    assert kept == ["run_started"]
    assert lines == ["run_started", "signal_entry", "order_buy", "fill_buy"]


def test_d35_every_order_and_its_answer_has_its_own_line(
    world: BotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trader(world)
    world.tick(1, ABOVE)
    failing(monkeypatch, one, "place", OrderRefused("market_offline"))
    world.now += timedelta(days=1)
    for _ in range(2):
        world.tick(6, BELOW)

    assert told(one) == [
        "run_started",
        *("signal_entry", "order_buy", "fill_buy"),
        *("signal_day_end", "order_sell", "order_refused"),
        *("signal_day_end", "order_sell", "fill_sell"),
    ]
    assert check_truth(world, one) == {"orders": 2, "never_sent": 1}


def test_d36_each_run_has_a_log_of_its_own_that_stays(world: BotWorld) -> None:
    one, other = trader(world), trader(world)
    bots.stop_bot(user_id=one.user_id, mode=BotMode.LIVE, now=world.now)
    world.tick(1, BELOW)
    bots.start_bot(user_id=one.user_id, mode=BotMode.LIVE, live_trading=True, now=world.now)

    rows = db.session.execute(
        select(BotRun.bot_id, RunLine.code)
        .join(RunLine, RunLine.run_id == BotRun.id)
        .order_by(BotRun.id, RunLine.id)
    )
    assert [tuple(row) for row in rows] == [
        (one.bot_id, "run_started"),
        (one.bot_id, "run_ended"),
        (other.bot_id, "run_started"),
        (one.bot_id, "run_started"),
    ]
    assert told(one, LogKind.END) == ["run_ended"]


def test_each_of_the_38_rows_has_a_test_that_bears_its_number() -> None:
    sources = [(TESTS / place).read_text() for place in HELD_IN]
    names = [name for source in sources for name in re.findall(r"def (test_d\d\w+)", source)]
    rows = {int(row) for name in names for row in re.findall(r"_d(\d+)_", name)}

    assert rows == set(range(1, 39))
