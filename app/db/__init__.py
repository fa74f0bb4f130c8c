"""How we talk to the database: one way to write, exact column types, SQLite's settings."""

from typing import Any, cast

from flask import Flask
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite

from app.db.columns import BigId, ExactDecimal, PriceUnits, UtcDateTime, text_enum
from app.db.prepared import Cursor, Prepared, cursor_of, read_one
from app.db.remembered import Remembered, RememberedEach
from app.db.writing import transaction, write
from app.extensions import Base, db

__all__ = [
    "BigId",
    "Cursor",
    "ExactDecimal",
    "Prepared",
    "PriceUnits",
    "Remembered",
    "RememberedEach",
    "UtcDateTime",
    "cursor_of",
    "init_app",
    "prepare_sqlite",
    "read_one",
    "table_of",
    "text_enum",
    "transaction",
    "upsert",
    "write",
]


def upsert(table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what to do on a conflict, in the words of the database at hand."""
    if db.engine.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for set-based statements."""
    return cast(Table, model.__table__)


def init_app(app: Flask) -> None:
    """Bind the database and give SQLite the settings that money needs."""
    options: dict[str, Any] = {
        "pool_size": app.config["WHALING_THREADS"] + 4,
        "max_overflow": 8,
        "pool_use_lifo": True,  # what was just used knows most pages of the file still
    }
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        options["connect_args"] = {"timeout": 30, "check_same_thread": False}
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", options)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)


def prepare_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, a full sync at each commit, and our own BEGIN."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own begin is off; the event below begins
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-16384",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")
