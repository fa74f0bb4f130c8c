"""Fixtures of the browser tests: Chromium, stages with and without people, visitors."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser

from app import create_app, demo
from app.extensions import db
from app.simulator import Simulator
from config import Config
from tests.browser import chromium
from tests.browser.stage import Stage, on_stage
from tests.browser.visitor import Visitor, visiting

Visit = Callable[..., Visitor]
COINS = 12
#: The demo's own ten are among them; axe takes its time for each row of a table.
SEEDED_COINS = 20


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that watches the clock for two minutes goes first, so that others run beside it."""
    items.sort(key=lambda item: "test_demo" not in item.nodeid)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process; without it they skip, but never on CI."""
    if chromium.path() is None:
        (pytest.fail if chromium.required() else pytest.skip)(chromium.MISSING)
    with chromium.browsing() as running:
        yield running


def _application(folder: Path, migrated: Path, exchange: Simulator, **settings: object) -> Flask:
    shutil.copy(migrated, folder / "whaling.db")
    values = {
        "database_url": f"sqlite:///{folder / 'whaling.db'}",
        "secret_key": "a secret that is long enough for a test",
        "instance": folder,
        "scheduler": False,
        "rate_limits": False,
        "upbit_url": exchange.url,
        "upbit_logo_url": f"{exchange.url}/logos",
        "bithumb_url": exchange.bithumb_url,
        "exchange_keys": (f"{'b' * 43}=",),
        "whale_min_settled": 1,
        "demo": True,
    }
    return create_app(Config(**(values | settings)))  # type: ignore[arg-type]


MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(browser: Browser, migrated: Path, tmp_path: Path) -> Iterator[MakeStage]:
    """Put an application without people on stage, with fresh prices; keywords are settings.

    Stages ask for the browser, so that nothing is built where there is none to look at it.
    """
    with ExitStack() as stack:

        def make(**settings: object) -> Stage:
            exchange = stack.enter_context(Simulator(markets=COINS, rate_limit=None))
            app = _application(tmp_path, migrated, exchange, **settings)
            stack.callback(_let_go, app)
            stage = stack.enter_context(on_stage(app, exchange, tmp_path / "whaling.db"))
            stage.run_minute()
            return stage

        yield make


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    return make_stage()


@pytest.fixture(scope="session")
def once_seeded(
    browser: Browser, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The demo's people and votes; ask for `seeded`, which keeps the prices fresh."""
    folder = tmp_path_factory.mktemp("seeded")
    with Simulator(markets=SEEDED_COINS, rate_limit=None) as exchange:
        app = _application(folder, migrated, exchange, whale_min_settled=10)
        app.add_url_rule("/broken", view_func=_break)
        demo.prepare(app, exchange)
        with on_stage(app, exchange, folder / "whaling.db") as stage:
            stage.add_person("pip", points=5)
            stage.void_one()
            stage.link_accounts("newbie")
            yield stage
        _let_go(app)


@pytest.fixture
def seeded(once_seeded: Stage) -> Stage:
    """The demo's people and votes in every stage, for tests that only look."""
    if once_seeded.price_age_s() > 60:
        once_seeded.run_minute()
    return once_seeded


@pytest.fixture(scope="session")
def bare(
    browser: Browser, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A server that has just been set up: one person, no price and no vote yet."""
    folder = tmp_path_factory.mktemp("bare")
    with Simulator(markets=COINS, rate_limit=None) as exchange:
        app = _application(folder, migrated, exchange)
        with on_stage(app, exchange, folder / "whaling.db") as stage:
            stage.add_person("pip", points=5)
            yield stage
        _let_go(app)


def _break() -> str:
    raise RuntimeError("a page that fails, to see what people see then")


def _let_go(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Send people to a stage; keywords as `visiting`. None may have cause to complain."""
    with ExitStack() as stack:

        def send(stage: Stage, **how: object) -> Visitor:
            return stack.enter_context(visiting(browser, stage.url, **how))  # type: ignore[arg-type]

        yield send
