"""The migrations: up from nothing, equal to the tables, down and up again."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import Migrate, downgrade, upgrade
from sqlalchemy import inspect, text

from app import create_app
from app.extensions import Base, db
from app.schema import MIGRATIONS, SchemaError, is_current, revisions
from config import Config


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Flask]:
    """An application before a database that isn't there yet."""
    config = Config(
        database_url=f"sqlite:///{tmp_path / 'x.db'}", secret_key="x" * 40, instance=tmp_path
    )
    app = create_app(config)
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def shape() -> dict[str, str]:
    """Every table, index and trigger with its definition."""
    with db.engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL"))
        return {row.name: row.sql for row in rows if row.name != "alembic_version"}


def test_empty_database_is_not_current_and_becomes_so(empty: Flask) -> None:
    assert not is_current(db.engine)

    upgrade()

    assert is_current(db.engine)


def test_migrations_make_exactly_our_tables(empty: Flask) -> None:
    upgrade()

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_migrations_hold_every_check_of_our_tables(empty: Flask) -> None:
    upgrade()
    migrated = shape()
    names = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name
    }

    everything = "\n".join(migrated.values())
    assert [name for name in sorted(names) if name not in everything] == []


def test_upgrading_twice_changes_nothing(empty: Flask) -> None:
    upgrade()
    first = shape()

    upgrade()

    assert shape() == first


def test_database_goes_down_to_nothing_and_up_again(empty: Flask) -> None:
    upgrade()
    first = shape()

    downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    assert not is_current(db.engine)
    upgrade()

    assert shape() == first


def test_each_single_step_down_comes_up_again(empty: Flask) -> None:
    upgrade()
    first = shape()

    for _ in revisions():
        downgrade(revision="-1")
    upgrade()

    assert shape() == first


def test_newer_database_is_refused_with_what_to_do(empty: Flask, tmp_path: Path) -> None:
    upgrade()
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    with pytest.raises(SchemaError, match="restore a backup"):
        is_current(db.engine)


def test_versions_are_numbered_without_gaps() -> None:
    known = revisions()

    assert [int(name) for name in known] == list(range(1, len(known) + 1))
