"""How we talk to the database: one way to write, exact column types, SQLite's settings."""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from flask import Flask
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    String,
    Table,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from app.domain.money import from_units, to_units
from app.extensions import Base, db

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

#: SQLite numbers rows with plain INTEGER; PostgreSQL wants to be told that there may be many.
BigId = BigInteger().with_variant(Integer(), "sqlite")

# SQLite has one writer. Threads of one process queue here, in order, instead of polling the file
# lock with ever longer sleeps; other processes are waited for by SQLite's own busy time-out.
_writer = threading.Lock()
_open = threading.local()
# Another mark after each write of this process: what was read under an older one is stale.
_last_write: WeakKeyDictionary[Engine, object] = WeakKeyDictionary()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone can't be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class PriceUnits(TypeDecorator[Decimal]):
    """An exact price, kept as a count of 1e-8 won, so that SQL compares and sorts it exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else to_units(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_units(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """An exact amount of any size, kept as plain text: SQLite has no exact number of its own."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError("an amount must be a finite Decimal")
        text = f"{value:f}"  # not `normalize`, which rounds to the context's 28 digits
        return text.rstrip("0").rstrip(".") if "." in text else text

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def text_enum(kind: type[StrEnum], name: str, *, check: bool = True) -> Enum:
    """A column of one of `kind`'s values, held by a CHECK in the database.

    With `check=False` the table has a CHECK of its own that knows the values.
    """
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=check,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


@contextmanager
def transaction() -> Iterator[Session]:
    """The one way to write: begin IMMEDIATE, commit at the end, roll back on any error.

    A read begun before it (signing in loads the person) is ended first, because SQLite can't turn
    a reading transaction into a writing one once somebody else has written; what was loaded before
    must be loaded again inside. Nesting is refused: one deed, one transaction.
    """
    if getattr(_open, "busy", False):
        raise RuntimeError("a transaction is open already; one deed has one transaction")
    db.session.rollback()
    with _turn(db.engine):
        _open.busy = True
        try:
            db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            yield db.session()
            db.session.commit()
            _last_write[db.engine] = object()
        except BaseException:
            db.session.rollback()
            raise
        finally:
            _open.busy = False


def _turn(engine: Engine) -> AbstractContextManager[Any]:
    return _writer if engine.dialect.name == "sqlite" else nullcontext()


def upsert(table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what to do on a conflict, in the words of the database at hand."""
    if db.engine.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for set-based statements."""
    return cast(Table, model.__table__)


class Remembered(Generic[T]):
    """A value that is read often and may be a few seconds old: kept per database, per process.

    When it grows old under many who ask at once, one reads for all. `forget()` drops it at once;
    whoever changes what it was made from calls that.
    """

    def __init__(self, read: Callable[[datetime], T], keep: timedelta) -> None:
        self._read, self._keep = read, keep
        self._kept: WeakKeyDictionary[Engine, tuple[datetime, T]] = WeakKeyDictionary()
        self._reading = threading.Lock()

    def get(self, now: datetime) -> T:
        """The value, read anew when it is older than `keep` (or from the future)."""
        kept = self._kept.get(db.engine)
        if kept and timedelta(0) <= now - kept[0] < self._keep:
            return kept[1]
        with self._reading:
            newer = self._kept.get(db.engine)
            if newer is None or newer is kept:
                newer = self._kept[db.engine] = (now, self._read(now))
        return newer[1]

    def forget(self) -> None:
        """Read anew next time."""
        self._kept.pop(db.engine, None)


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    read_at: datetime
    last_write: object


class RememberedEach(Generic[K, T]):
    """A value per key that may be as old as `keep`, but never older than our own last write.

    So a person always sees what they just did; what other processes wrote shows a moment later.
    With `heeds_writes=False` our writes don't matter, for what the steady stream of prices leaves
    as it is: whoever changes what it was made from calls `forget`. Beyond `most` keys it begins
    anew. A value that `fits` says no to, because it is large, is read every time.
    """

    def __init__(
        self,
        read: Callable[[K, datetime], T],
        keep: timedelta,
        *,
        most: int = 1000,
        heeds_writes: bool = True,
        fits: Callable[[T], bool] = lambda _value: True,
    ) -> None:
        self._read, self._keep, self._most, self._heeds = read, keep, most, heeds_writes
        self._fits = fits
        self._kept: WeakKeyDictionary[Engine, dict[K, _Kept[T]]] = WeakKeyDictionary()

    def get(self, key: K, now: datetime) -> T:
        """The value of this key, read anew when it is too old (or from the future)."""
        engine = db.engine
        last_write = _last_write.get(engine) if self._heeds else None
        all_kept = self._kept.setdefault(engine, {})
        kept = all_kept.get(key)
        if (
            kept is not None
            and kept.last_write is last_write
            and timedelta(0) <= now - kept.read_at < self._keep
        ):
            return kept.value
        value = self._read(key, now)
        if len(all_kept) >= self._most:
            all_kept.clear()
        if self._fits(value):
            all_kept[key] = _Kept(value, now, last_write)
        return value

    def forget(self) -> None:
        """Read all anew next time."""
        self._kept.pop(db.engine, None)


def init_app(app: Flask) -> None:
    """Bind the database and give SQLite the settings that money needs."""
    options: dict[str, Any] = {"pool_size": app.config["WHALING_THREADS"] + 4, "max_overflow": 8}
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
