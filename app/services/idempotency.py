"""Idempotency keys: the answer to a deed is kept with it, so that asking twice does it once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Cursor, Prepared, cursor_of, read_one, table_of, transaction, upsert, write
from app.domain.errors import Conflict
from app.models import KeptAnswer

T = TypeVar("T")

_kept = table_of(KeptAnswer)
_FIND = Prepared(
    select(_kept.c.fingerprint, _kept.c.status, _kept.c.body).where(
        _kept.c.user_id == bindparam("user_id"), _kept.c.key == bindparam("key")
    )
)
_KEEP = Prepared(_kept.insert(), "user_id", "key", "fingerprint", "status", "body", "created_at")

KEEP_ANSWERS = timedelta(hours=24)
MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that carries a key; `fingerprint` is a hash of its method, path and body."""

    user_id: int
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given, and is given again."""

    status: int
    body: str


def once(
    *, asked: Asked, deed: Callable[[Session], T], told: Callable[[T], Kept], now: datetime
) -> Kept:
    """Do `deed` inside a transaction and keep what is `told` of it in the same one.

    Whoever asks again gets the kept answer, also after a crash: deed and answer are there both or
    neither. Of several at once one does it. Raises Conflict `idempotency_key_reused` for another
    request under the same key, and what the deed raises; then nothing is kept.
    """

    def within() -> Kept:
        with transaction() as session:
            return _within(cursor_of(session), asked, lambda: told(deed(session)), now)

    return _first(asked, within)


def written_once(
    *, asked: Asked, deed: Callable[[Cursor], T], told: Callable[[T], Kept], now: datetime
) -> Kept:
    """As `once`, for a deed that `write` does: neither it nor `told` may know the request."""
    return _first(
        asked,
        lambda: write(lambda cursor: _within(cursor, asked, lambda: told(deed(cursor)), now)),
    )


def find(asked: Asked) -> Kept | None:
    """The answer kept for this request, or None; raises Conflict `idempotency_key_reused`."""
    return _same(read_one(_FIND, _where(asked)), asked)


def remember(*, asked: Asked, answer: Kept, now: datetime) -> None:
    """Keep a refusal, which changed nothing; what is kept already stays."""
    with transaction() as session:
        session.execute(upsert(_kept).on_conflict_do_nothing(), _row(asked, answer, now))


def forget_old_answers(*, now: datetime) -> int:
    """Drop answers older than a day; their keys may be used anew. Returns how many."""
    old = delete(KeptAnswer).where(KeptAnswer.created_at < now - KEEP_ANSWERS)
    with transaction() as session:
        return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def _first(asked: Asked, within: Callable[[], Kept]) -> Kept:
    """What is done, or what another who was faster kept meanwhile."""
    try:
        return within()
    except IntegrityError:
        known = find(asked)
        if known is None:
            raise
        return known


def _within(cursor: Cursor, asked: Asked, answered: Callable[[], Kept], now: datetime) -> Kept:
    known = _find(cursor, asked)
    if known is not None:
        return known
    answer = answered()
    cursor.run(_KEEP, _row(asked, answer, now))
    return answer


def _find(cursor: Cursor, asked: Asked) -> Kept | None:
    return _same(cursor.one(_FIND, _where(asked)), asked)


def _where(asked: Asked) -> dict[str, object]:
    return {"user_id": asked.user_id, "key": asked.key}


def _same(row: tuple[Any, ...] | None, asked: Asked) -> Kept | None:
    """What is kept, if it answers the same request."""
    if row is None:
        return None
    fingerprint, status, body = row
    if fingerprint != asked.fingerprint:
        raise Conflict("idempotency_key_reused")
    return Kept(status, body)


def _row(asked: Asked, answer: Kept, now: datetime) -> dict[str, object]:
    return {
        "user_id": asked.user_id,
        "key": asked.key,
        "fingerprint": asked.fingerprint,
        "status": answer.status,
        "body": answer.body,
        "created_at": now,
    }
