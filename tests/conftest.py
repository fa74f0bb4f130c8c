"""The cast and the stage: a fresh SQLite file for each test, an application, three people."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from argon2 import PasswordHasher
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from flask_migrate import Migrate, upgrade
from hypothesis import settings
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from app.extensions import db
from app.models import User
from app.schema import MIGRATIONS
from app.services import accounts
from config import Config
from tests import factories

NOW = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
SEALING_KEY = f"{'s' * 43}="
SECRET = "a secret that is long enough for a test"
MakeApp = Callable[..., Flask]

#: For `make test-fast`: a few examples of each property instead of a hundred.
settings.register_profile("quick", max_examples=8, deadline=None)


class Visitor(FlaskClient):
    """A browser. Each request has a context of its own, as on the server, even inside a test's."""

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        """Send a request; what it wrote is seen by the test's own session afterwards."""
        with self.application.app_context():
            answer = super().open(*args, **kwargs)  # type: ignore[arg-type]
        if has_app_context():
            db.session.rollback()
        return answer

    def sign_in(self, user: User) -> "Visitor":
        """Be this person from now on."""
        with self.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = f"{user.id}.{user.session_epoch}", True
        return self


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash with the least work while testing; what argon2 costs is its authors' affair."""
    with pytest.MonkeyPatch.context() as patch:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(accounts, "_hasher", hasher)
        patch.setattr(accounts, "_NOBODY", hasher.hash("a word that nobody has"))
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, migrated once; every test gets a copy of the file."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(
        Config(
            database_url=f"sqlite:///{folder / 'empty.db'}",
            secret_key=SECRET,
            instance=folder,
            testing=True,
        )
    )
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return folder / "empty.db"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def make_app(migrated: Path, compiled: BytecodeCache, tmp_path: Path) -> Iterator[MakeApp]:
    """Build applications over the same fresh database file; keyword arguments are settings.

    Forms are posted without a CSRF token unless `csrf=True`.
    """
    path = tmp_path / "test.db"
    shutil.copy(migrated, path)
    made: list[Flask] = []

    def make(*, csrf: bool = False, **given: object) -> Flask:
        values = {
            "database_url": f"sqlite:///{path}",
            "secret_key": SECRET,
            "exchange_keys": (SEALING_KEY,),
            "instance": tmp_path,
            "testing": True,
            "rate_limits": False,
            "upbit_url": "http://127.0.0.1:9",
            "upbit_ws_url": "",
            "bithumb_url": "http://127.0.0.1:9",
            "upbit_logo_url": "http://127.0.0.1:9",
            "whale_min_settled": 1,
        } | given
        app = create_app(Config(**values))  # type: ignore[arg-type]
        app.config["WTF_CSRF_ENABLED"] = csrf
        app.test_client_class = Visitor
        app.jinja_env.bytecode_cache = compiled  # templates are compiled once for all tests
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """An application context with its session; services work inside it."""
    with app.app_context():
        yield db.session()


@pytest.fixture
def client(app: Flask) -> Visitor:
    return cast(Visitor, app.test_client())


@pytest.fixture
def alice(session: Session) -> User:
    """The owner: asks the questions."""
    return factories.make_user("alice")


@pytest.fixture
def bob(session: Session) -> User:
    """The other person: answers them."""
    return factories.make_user("bob")


@pytest.fixture
def admin(session: Session) -> User:
    """Staff: votes are free."""
    return factories.make_user("admin", is_staff=True)
