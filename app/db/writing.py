"""The one way to write, and whose turn it is."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.extensions import db

# SQLite has one writer. Threads of one process queue here, in order, instead of polling the file
# lock with ever longer sleeps; other processes are waited for by SQLite's own busy time-out.
_writer = threading.Lock()
_open = threading.local()
# Another mark after each write of this process: what was read under an older one is stale.
_last_write: WeakKeyDictionary[Engine, object] = WeakKeyDictionary()


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


def last_write(engine: Engine) -> object:
    """A mark that another write of this process replaces."""
    return _last_write.get(engine)
