"""Values that are read often, kept for a moment: how old they may be, what makes them stale."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from app.db.writing import last_write
from app.extensions import db

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


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
        mark = last_write(engine) if self._heeds else None
        all_kept = self._kept.setdefault(engine, {})
        kept = all_kept.get(key)
        if (
            kept is not None
            and kept.last_write is mark
            and timedelta(0) <= now - kept.read_at < self._keep
        ):
            return kept.value
        value = self._read(key, now)
        if len(all_kept) >= self._most:
            all_kept.clear()
        if self._fits(value):
            all_kept[key] = _Kept(value, now, mark)
        return value

    def forget(self) -> None:
        """Read all anew next time."""
        self._kept.pop(db.engine, None)
