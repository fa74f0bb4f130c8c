"""Settle votes by evidence: one candle for all votes of a coin and minute, a few transactions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import func, or_, select, update

from app.db import transaction
from app.domain.market import Candle
from app.domain.votes import (
    CANDLE_SETTLES_IN,
    Question,
    VoteState,
    candle_decides,
    crowd_was_right,
    outcome,
    retry_delay,
)
from app.extensions import db
from app.models import Coin, PriceSample, Quote, Vote
from app.services.market import SPEAKS_FOR
from app.services.points import platform_counts
from app.services.votes import payout
from app.services.votes.listing import counts_now

#: How far from the deciding minute a stored sample may lie to speak for or against a candle.
SAMPLE_WINDOW = timedelta(minutes=2)
#: One transaction pays so many answers at most, unless a single vote has more, so that who answers
#: meanwhile waits for some milliseconds. Deciding a vote takes as long as paying fifty answers.
ANSWERS_AT_ONCE, VOTE_WEIGHS = 5000, 50
MAX_PROBLEM = 200


@dataclass(frozen=True, slots=True)
class DueGroup:
    """Votes of one coin and minute that one candle decides, oldest first.

    Each of `batches` may be settled in one transaction.
    """

    coin_id: int
    market: str
    delisted_at: datetime | None
    tracked_at: datetime
    batches: tuple[tuple[int, ...], ...]
    attempts: int

    @property
    def vote_ids(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(vote_id for batch in self.batches for vote_id in batch)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What decides: the candle, where it came from and when we fetched it."""

    candle: Candle
    source: str
    fetched_at: datetime


def due_groups(*, now: datetime, limit: int = 2000) -> list[DueGroup]:
    """Closed votes whose candle is final and whose retry isn't in the future, oldest first."""
    rows = db.session.execute(
        select(
            Vote.id,
            Vote.coin_id,
            Vote.tracked_at,
            Vote.attempts,
            Vote.answer_count,
            Coin.market,
            Coin.delisted_at,
        )
        .join(Coin, Coin.id == Vote.coin_id)
        .where(
            Vote.state == VoteState.FINISHED,
            Vote.tracked_at <= now - CANDLE_SETTLES_IN,
            or_(Vote.retry_at.is_(None), Vote.retry_at <= now),
        )
        .order_by(Vote.tracked_at, Vote.coin_id, Vote.id)
        .limit(limit)
    ).all()
    return [
        _group(list(members)) for _, members in groupby(rows, lambda r: (r.tracked_at, r.coin_id))
    ]


def _group(rows: Sequence[Any]) -> DueGroup:
    first = rows[0]
    return DueGroup(
        coin_id=first.coin_id,
        market=first.market,
        delisted_at=first.delisted_at,
        tracked_at=first.tracked_at,
        batches=tuple(_batches(rows)),
        attempts=min(row.attempts for row in rows),
    )


def _batches(rows: Sequence[Any]) -> Iterator[tuple[int, ...]]:
    batch: list[int] = []
    room = ANSWERS_AT_ONCE
    for row in rows:
        room -= VOTE_WEIGHS + row.answer_count
        if batch and room < 0:
            yield tuple(batch)
            batch, room = [], ANSWERS_AT_ONCE - VOTE_WEIGHS - row.answer_count
        batch.append(row.id)
    yield tuple(batch)


def witnessed_price(*, coin_id: int, moment: datetime) -> Decimal | None:
    """What we saw ourselves of a coin around a minute, to hold a candle against.

    The sample nearest to it within two minutes; where we weren't running, the latest quote if it
    is of the same day. None where nothing speaks for or against.
    """
    samples = db.session.execute(
        select(PriceSample.minute, PriceSample.price).where(
            PriceSample.coin_id == coin_id,
            PriceSample.minute.between(moment - SAMPLE_WINDOW, moment + SAMPLE_WINDOW),
        )
    ).all()
    if samples:
        nearest: Decimal = min(samples, key=lambda row: abs(row.minute - moment)).price
        return nearest
    return db.session.scalar(
        select(Quote.price).where(
            Quote.coin_id == coin_id,
            Quote.observed_at.between(moment - SPEAKS_FOR, moment + SPEAKS_FOR),
        )
    )


def rested_since(*, coin_id: int, opened_at: datetime, tracked_at: datetime) -> bool:
    """Whether a candle's minute holds the coin's last trade, as seen at `tracked_at` or later."""
    seen = db.session.execute(
        select(Quote.traded_at, Quote.observed_at).where(Quote.coin_id == coin_id)
    ).one_or_none()
    if seen is None or seen.observed_at < tracked_at:
        return False
    return bool(opened_at <= seen.traded_at < opened_at + timedelta(minutes=1))


def settle_votes(*, vote_ids: Sequence[int], evidence: Evidence, now: datetime) -> int:
    """Decide closed votes by their candle, pay who was right and count for everybody.

    All of them in one transaction: each is as it was or done, also after a kill. Those that don't
    wait for a price are passed over, so of two runners one settles and the other changes nothing.
    Returns how many were settled. The candle must decide for the `tracked_at` of each; ValueError
    otherwise, and none is settled.
    """
    with transaction() as session:
        connection = session.connection()
        due = connection.execute(payout.TAKE, {"vote_ids": vote_ids}).all()
        if due:
            verdicts = [_verdict(vote, evidence.candle) for vote in due]
            payout.settle(connection, verdicts, _columns(evidence), now)
    counts_now.forget()
    platform_counts.forget()
    return len(due)


def _verdict(vote: Any, candle: Candle) -> payout.Verdict:
    if not candle_decides(opened_at=candle.opened_at, tracked_at=vote.tracked_at):
        raise ValueError(f"candle of {candle.opened_at} doesn't decide vote {vote.id}")
    result = outcome(
        Question(vote.direction, vote.duration, vote.range_pct),
        created_price=vote.created_price,
        final_price=candle.close,
    )
    right = crowd_was_right(result, yes_count=vote.yes_count, no_count=vote.no_count)
    return payout.Verdict(vote.id, result, right, vote.earned_point)


def _columns(evidence: Evidence) -> dict[str, object]:
    return {
        "price": evidence.candle.close,
        "opened_at": evidence.candle.opened_at,
        "source": evidence.source,
        "fetched_at": evidence.fetched_at,
        "raw": evidence.candle.raw,
    }


def push_back(*, vote_ids: Sequence[int], problem: str, now: datetime, grow: bool = True) -> None:
    """Count a failed try for votes that could not be settled, and let them wait.

    With `grow` they wait longer each time (a vote that raises, a candle that isn't there); without
    it they are tried again at the next run (the exchange can't be reached, which is no fault of
    theirs).
    """
    waiting = (Vote.id.in_(vote_ids), Vote.state == VoteState.FINISHED)
    with transaction() as session:
        tries = session.scalar(select(func.max(Vote.attempts)).where(*waiting)) or 0
        session.execute(
            update(Vote)
            .where(*waiting)
            .values(
                attempts=Vote.attempts + 1,
                retry_at=now + retry_delay(tries + 1) if grow else None,
                last_problem=problem[:MAX_PROBLEM],
            )
            .execution_options(synchronize_session=False)
        )
