"""The one way to write: whose turn it is, and what is committed together."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db.prepared import Cursor
from app.extensions import db

T = TypeVar("T")

#: So many deeds share a commit at most, or the first would wait long for the last.
MOST_TOGETHER = 64

# SQLite has one writer. Threads of one process queue here instead of polling the file lock with
# ever longer sleeps; other processes are waited for by SQLite's own busy time-out.
_writer = threading.Lock()
_open = threading.local()
# Another mark after each write of this process: what was read under an older one is stale.
_last_write: WeakKeyDictionary[Engine, object] = WeakKeyDictionary()


@contextmanager
def transaction() -> Iterator[Session]:
    """Begin IMMEDIATE, commit at the end, roll back on any error.

    A read begun before it (signing in loads the person) is ended first, because SQLite can't turn
    a reading transaction into a writing one once somebody else has written; what was loaded before
    must be loaded again inside. Nesting is refused: one deed, one transaction.
    """
    engine = _leave_reading()
    with _turn(engine):
        try:
            db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            yield db.session()
            db.session.commit()
            _last_write[engine] = object()
        except BaseException:
            db.session.rollback()
            raise


def write(deed: Callable[[Cursor], T]) -> T:
    """Do a deed that is made of prepared statements alone; return once it is safe on the disk.

    What waits for its turn meanwhile is done by one thread in one transaction, with one commit for
    all. Each deed has a savepoint: what it raises undoes that deed alone, and is raised here. As
    another thread may do it, a deed knows neither the request nor the session.
    """
    engine = _leave_reading()
    mine = _Waiting(deed)
    if _is_queued(engine):
        _lines.setdefault(engine, _Line()).pass_through(mine, engine)
    else:
        _do_together(engine, [mine])
    return mine.outcome()


def last_write(engine: Engine) -> object:
    """A mark that another write of this process replaces."""
    return _last_write.get(engine)


class _Waiting(Generic[T]):
    """A deed, and later what came of it: only a commit makes that a result."""

    __slots__ = ("_deed", "_error", "_result", "_woken", "is_over")

    def __init__(self, deed: Callable[[Cursor], T]) -> None:
        self._deed = deed
        self._result: T | None = None
        self._error: BaseException | None = RuntimeError("the commit was never reached")
        self._woken = threading.Lock()  # a bare lock is the cheapest bell
        self._woken.acquire()
        self.is_over = False

    def sleep(self) -> None:
        self._woken.acquire()

    def wake(self) -> None:
        self._woken.release()

    def do(self, cursor: Cursor) -> bool:
        """Do it inside a savepoint, which an error undoes; whether there is something to keep."""
        cursor.say("SAVEPOINT deed")
        try:
            self._result = self._deed(cursor)
        except BaseException as error:
            self._error = error
            cursor.say("ROLLBACK TO SAVEPOINT deed")
            return False
        cursor.say("RELEASE SAVEPOINT deed")
        return True

    def keep(self) -> None:
        self._error = None

    def fail(self, error: BaseException) -> None:
        self._error = error

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return cast(T, self._result)


class _Line:
    """Deeds that wait for one database. The thread whose deed is the first does all of them."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[_Waiting[Any]] = deque()
        self._is_led = False

    def pass_through(self, mine: _Waiting[Any], engine: Engine) -> None:
        with self._guard:
            self._waiting.append(mine)
            is_first, self._is_led = not self._is_led, True
        if not is_first:
            mine.sleep()  # until it is done, or is the first
        if not mine.is_over:
            self._lead(engine)

    def _lead(self, engine: Engine) -> None:
        with self._guard:
            number = min(len(self._waiting), MOST_TOGETHER)
            group = [self._waiting.popleft() for _ in range(number)]
        try:
            _do_together(engine, group)
        finally:
            self._go_on(group)

    def _go_on(self, group: list[_Waiting[Any]]) -> None:
        """Wake those whose deed is over, and who leads next."""
        with self._guard:
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        for one in group:
            one.is_over = True
            one.wake()
        if following is not None:
            following.wake()


_lines: WeakKeyDictionary[Engine, _Line] = WeakKeyDictionary()


def _do_together(engine: Engine, group: list[_Waiting[Any]]) -> None:
    """All deeds in one transaction. Where that fails as a whole, each is told so."""
    try:
        with _turn(engine):
            kept = _commit_together(engine, group)
            _last_write[engine] = object()
    except BaseException as error:
        for one in group:
            one.fail(error)
    else:
        for one in kept:
            one.keep()


def _commit_together(engine: Engine, group: list[_Waiting[Any]]) -> list[_Waiting[Any]]:
    """Returns those that were done and are on the disk."""
    connection = engine.raw_connection()
    try:
        cursor = Cursor(connection.cursor(), engine.dialect)
        if engine.dialect.name == "sqlite":
            cursor.say("BEGIN IMMEDIATE")
        kept = [one for one in group if one.do(cursor)]
        cursor.say("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()
    return kept


def _leave_reading() -> Engine:
    """End what this thread reads; refuse a transaction inside another."""
    if getattr(_open, "busy", False):
        raise RuntimeError("a transaction is open already; one deed has one transaction")
    if db.session.registry.has():
        db.session.rollback()
    return db.engine


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """This thread's turn to write."""
    with _writer if _is_queued(engine) else nullcontext():
        _open.busy = True
        try:
            yield
        finally:
            _open.busy = False


def _is_queued(engine: Engine) -> bool:
    """Whether writers stand in line; PostgreSQL lets many write at once."""
    return engine.dialect.name == "sqlite"
