"""Statements that are made ready once and then run by the driver itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Delete, Dialect, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.extensions import db

Given = Mapping[str, object]
_Process = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A statement in the words of one database; each value has what turns it there and back."""

    text: str
    is_positional: bool
    binds: tuple[tuple[str, _Process], ...]
    results: tuple[_Process, ...]

    def values(self, given: Given) -> Any:
        pairs = [(name, turn(given[name]) if turn else given[name]) for name, turn in self.binds]
        return [value for _name, value in pairs] if self.is_positional else dict(pairs)

    def row(self, found: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            value if turn is None else turn(value)
            for value, turn in zip(found, self.results, strict=True)
        )


class Prepared:
    """A statement that is compiled once per database: for what every request or answer does.

    Run by a `Cursor` it costs a tenth of what it costs through SQLAlchemy, which works out anew
    each time how to say it. Every value must be a `bindparam`; an INSERT names its `columns`.
    """

    def __init__(self, statement: Select[Any] | Insert | Update | Delete, *columns: str) -> None:
        self._statement, self._columns = statement, list(columns) or None
        self._spoken: WeakKeyDictionary[Dialect, _Spoken] = WeakKeyDictionary()

    def spoken(self, dialect: Dialect) -> _Spoken:
        """As this database wants to hear it."""
        known = self._spoken.get(dialect)
        if known is None:
            known = self._spoken[dialect] = self._speak(dialect)
        return known

    def _speak(self, dialect: Dialect) -> _Spoken:
        statement = self._statement
        if isinstance(statement, Insert):
            statement = statement.inline()  # nothing is asked back
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._columns)
        names = compiled.positiontup if compiled.positional else compiled.binds
        kinds = statement.selected_columns if isinstance(statement, Select) else ()
        return _Spoken(
            text=str(compiled),
            is_positional=compiled.positional,
            binds=tuple((name, _to_database(compiled.binds[name].type, dialect)) for name in names),
            results=tuple(_from_database(column.type, dialect) for column in kinds),
        )


class Cursor:
    """The driver's own cursor, inside a transaction or for one read. Errors are SQLAlchemy's."""

    __slots__ = ("_dialect", "_raw")

    def __init__(self, raw: DBAPICursor, dialect: Dialect) -> None:
        self._raw, self._dialect = raw, dialect

    def run(self, statement: Prepared, given: Given) -> int:
        """Run a statement; returns how many rows it changed."""
        spoken = statement.spoken(self._dialect)
        self._execute(spoken.text, spoken.values(given))
        return self._raw.rowcount

    def one(self, statement: Prepared, given: Given) -> tuple[Any, ...] | None:
        """The first row of what a SELECT finds, or None."""
        spoken = statement.spoken(self._dialect)
        self._execute(spoken.text, spoken.values(given))
        found = self._raw.fetchone()
        return None if found is None else spoken.row(found)

    def say(self, text: str) -> None:
        """Run a command without values."""
        self._execute(text, ())

    def _execute(self, text: str, values: Any) -> None:
        kind = self._dialect.loaded_dbapi.Error
        try:
            self._raw.execute(text, values)
        except kind as error:  # the values are left out: they may be somebody's own
            raise DBAPIError.instance(
                text, None, error, kind, hide_parameters=True, dialect=self._dialect
            ) from error


def cursor_of(session: Session) -> Cursor:
    """For prepared statements among other work of a session's open transaction."""
    connection = session.connection()
    return Cursor(connection.connection.cursor(), connection.dialect)


def read_one(statement: Prepared, given: Given) -> tuple[Any, ...] | None:
    """The first row of what a SELECT finds outside of any transaction, or None."""
    engine = db.engine
    connection = engine.raw_connection()
    try:
        return Cursor(connection.cursor(), engine.dialect).one(statement, given)
    finally:
        connection.close()


def _to_database(kind: TypeEngine[Any], dialect: Dialect) -> _Process:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_database(kind: TypeEngine[Any], dialect: Dialect) -> _Process:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
