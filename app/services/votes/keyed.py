"""Make and answer votes for requests that carry an idempotency key."""

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from app.domain.errors import NotFound
from app.domain.votes import AlreadyAnswered, Choice
from app.services import idempotency
from app.services.idempotency import Asked, Kept
from app.services.votes.answering import Answered, cast_within
from app.services.votes.listing import counts_now
from app.services.votes.making import Draft, known_rate, open_within


def open_vote_once(
    *, asked: Asked, user_id: int, draft: Draft, told: Callable[[int], Kept], now: datetime
) -> Kept:
    """As `open_vote`, and the answer is kept in the same transaction; refusals are the same."""
    request_key, rate = secrets.token_hex(16), known_rate(draft, now)
    answer = idempotency.once(
        asked=asked,
        deed=lambda session: open_within(session, user_id, draft, request_key, rate, now),
        told=told,
        now=now,
    )
    counts_now.forget()
    return answer


def cast_ballot_once(
    *,
    asked: Asked,
    user_id: int,
    vote_id: int,
    choice: Choice,
    whale_min_settled: int,
    told: Callable[[Answered], Kept],
    now: datetime,
) -> Kept:
    """As `cast_ballot`, and the answer is kept in the same transaction; refusals are the same."""
    if not 0 < vote_id < 2**63:
        raise NotFound
    try:
        return idempotency.written_once(
            asked=asked,
            deed=lambda cursor: cast_within(
                cursor, user_id, vote_id, choice, whale_min_settled, now
            ),
            told=told,
            now=now,
        )
    except IntegrityError as error:
        raise AlreadyAnswered from error
