"""Deeds need a database and no pages: here an application without faces will do."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import db as database
from app import wiring
from app.extensions import db
from config import Config
from tests.conftest import SECRET


@pytest.fixture
def app(migrated: Path, tmp_path: Path) -> Iterator[Flask]:
    shutil.copy(migrated, tmp_path / "test.db")
    app = Flask("app")
    config = Config(
        database_url=f"sqlite:///{tmp_path / 'test.db'}",
        secret_key=SECRET,
        instance=tmp_path,
        testing=True,
        upbit_url="http://127.0.0.1:9",
        upbit_ws_url="",
        upbit_logo_url="http://127.0.0.1:9",
        whale_min_settled=1,
    )
    app.config.from_mapping(config.flask_settings())
    database.init_app(app)
    wiring.init_app(app)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
