"""Make a vote: from a fresh price, paid at once, never twice for one request."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import cursor_of, transaction
from app.domain.base_rates import BaseRate
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.market import is_fresh
from app.domain.points import Reason
from app.domain.votes import Question, schedule, terms_for
from app.extensions import db
from app.models import Coin, Quote, User, Vote
from app.services.market import base_rate
from app.services.points import spend
from app.services.votes.listing import counts_now
from app.services.votes.views import VoteView, select_views, to_view


@dataclass(frozen=True, slots=True)
class Draft:
    """A question on a coin, checked, not yet asked."""

    coin_code: str
    asked: Question


@dataclass(frozen=True, slots=True)
class StartPrice:
    """The price a vote made now would start from, and when it was observed."""

    price: Decimal
    observed_at: datetime


def open_vote(*, user_id: int, draft: Draft, request_key: str, now: datetime) -> int:
    """Ask the question and pay for it; returns the vote's id.

    The same `request_key` of the same person gives the same vote and is paid once; with another
    question it is refused by Conflict `request_key_reused`, or one would be told that the second
    was made. Raises InvalidInput for an unknown coin, Conflict `coin_inactive` or
    `price_not_fresh`, and NotEnoughPoints; in each case nothing is charged.
    """
    made = _made_before(user_id, request_key, draft)
    if made is not None:
        return made
    rate = known_rate(draft, now)
    try:
        with transaction() as session:
            vote_id = open_within(session, user_id, draft, request_key, rate, now)
    except IntegrityError:
        made = _made_before(user_id, request_key, draft)
        if made is None:
            raise
        return made
    counts_now.forget()
    return vote_id


def find_twin(*, draft: Draft, user_id: int | None, now: datetime) -> VoteView | None:
    """An open vote that asks the same, the one that closes last; None where there is none."""
    asked = draft.asked
    row = db.session.execute(
        select_views(user_id)
        .where(
            Coin.code == draft.coin_code,
            Vote.stage == 0,
            Vote.finished_at > now,
            Vote.direction == asked.direction,
            Vote.duration == asked.duration,
            Vote.range_pct == asked.range_pct,
        )
        .order_by(Vote.id.desc())
        .limit(1)
    ).first()
    return to_view(row, now) if row else None


def start_price(*, coin_code: str, now: datetime) -> StartPrice:
    """What a vote on this coin would start from, or raise as `open_vote` would."""
    quote, _coin = _fresh_quote(db.session(), coin_code, now)
    return StartPrice(quote.price, quote.observed_at)


def made_so_far(*, user_id: int) -> int:
    """How many questions this person has asked."""
    made = select(func.count()).select_from(Vote).where(Vote.creator_id == user_id)
    return db.session.scalar(made) or 0


def _made_before(user_id: int, request_key: str, draft: Draft) -> int | None:
    made = db.session.execute(
        select(Vote.id, Coin.code, Vote.direction, Vote.duration, Vote.range_pct)
        .join(Coin, Coin.id == Vote.coin_id)
        .where(Vote.creator_id == user_id, Vote.request_key == request_key)
    ).one_or_none()
    if made is None:
        return None
    if draft != Draft(made.code, Question(made.direction, made.duration, made.range_pct)):
        raise Conflict("request_key_reused")
    return int(made.id)


def known_rate(draft: Draft, now: datetime) -> BaseRate | None:
    """The base rate to keep with a vote made now; read before its transaction begins."""
    coin_id = db.session.scalar(select(Coin.id).where(Coin.code == draft.coin_code))
    return None if coin_id is None else base_rate(coin_id=coin_id, asked=draft.asked, now=now)


def open_within(
    session: Session,
    user_id: int,
    draft: Draft,
    request_key: str,
    rate: BaseRate | None,
    now: datetime,
) -> int:
    """The deed of `open_vote` inside an open transaction; `rate` comes from `known_rate`."""
    quote, coin = _fresh_quote(session, draft.coin_code, now)
    user = session.get(User, user_id)
    if user is None:
        raise NotFound
    terms, when = terms_for(is_staff=user.is_staff), schedule(draft.asked.duration, now)
    vote = Vote(
        coin_id=coin.id,
        creator_id=user_id,
        request_key=request_key,
        is_staff_vote=user.is_staff,
        direction=draft.asked.direction,
        duration=draft.asked.duration,
        range_pct=draft.asked.range_pct,
        spent_point=terms.spent_point,
        earned_point=terms.earned_point,
        creation_cost=terms.creation_cost,
        created_at=now,
        finished_at=when.finished_at,
        tracked_at=when.tracked_at,
        created_price=quote.price,
        created_price_at=quote.traded_at,
        updated_at=now,
        base_rate_hits=rate.hits if rate else None,
        base_rate_windows=rate.windows if rate else None,
    )
    session.add(vote)
    session.flush()
    spend(
        cursor_of(session),
        user_id=user_id,
        cost=terms.creation_cost,
        vote_id=vote.id,
        reason=Reason.CREATION,
        now=now,
    )
    return vote.id


def _fresh_quote(session: Session, code: str, now: datetime) -> tuple[Quote, Coin]:
    """The quote a vote may start from: an active coin's, undoubted, at most 90 seconds old."""
    coin = session.scalar(select(Coin).where(Coin.code == code))
    if coin is None:
        raise InvalidInput("coin", "coin_unknown")
    if not coin.is_active:
        raise Conflict("coin_inactive", coin=coin.code)
    quote = session.get(Quote, coin.id)
    if quote is None or quote.suspect_price is not None or not is_fresh(quote.observed_at, now):
        raise Conflict("price_not_fresh", coin=coin.code)
    return quote, coin
