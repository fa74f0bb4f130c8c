"""Idempotency keys: the answer to a deed is kept with it, so that asking twice does it once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.errors import Conflict
from app.extensions import db
from app.models import KeptAnswer

T = TypeVar("T")

_kept = table_of(KeptAnswer)
# Built once: every keyed answer of a client runs both.
_FIND = select(_kept.c.fingerprint, _kept.c.status, _kept.c.body).where(
    _kept.c.user_id == bindparam("user_id"), _kept.c.key == bindparam("key")
)
_KEEP = _kept.insert()

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
    try:
        with transaction() as session:
            known = _find(session, asked)
            if known is not None:
                return known
            answer = told(deed(session))
            session.execute(_KEEP, _row(asked, answer, now))
    except IntegrityError:
        known = find(asked)
        if known is None:
            raise
        return known
    return answer


def find(asked: Asked) -> Kept | None:
    """The answer kept for this request, or None; raises Conflict `idempotency_key_reused`."""
    return _find(db.session(), asked)


def remember(*, asked: Asked, answer: Kept, now: datetime) -> None:
    """Keep a refusal, which changed nothing; what is kept already stays."""
    with transaction() as session:
        session.execute(upsert(_kept).on_conflict_do_nothing(), _row(asked, answer, now))


def forget_old_answers(*, now: datetime) -> int:
    """Drop answers older than a day; their keys may be used anew. Returns how many."""
    old = delete(KeptAnswer).where(KeptAnswer.created_at < now - KEEP_ANSWERS)
    with transaction() as session:
        return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def _find(session: Session, asked: Asked) -> Kept | None:
    row = session.execute(_FIND, {"user_id": asked.user_id, "key": asked.key}).one_or_none()
    if row is None:
        return None
    if row.fingerprint != asked.fingerprint:
        raise Conflict("idempotency_key_reused")
    return Kept(row.status, row.body)


def _row(asked: Asked, answer: Kept, now: datetime) -> dict[str, object]:
    return {
        "user_id": asked.user_id,
        "key": asked.key,
        "fingerprint": asked.fingerprint,
        "status": answer.status,
        "body": answer.body,
        "created_at": now,
    }
