"""Votes as pages and clients see them: one flat value per vote, read in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, literal, select
from sqlalchemy.orm import aliased

from app.domain.votes import Choice, Direction, Duration, Question, VoteState, threshold
from app.extensions import db
from app.models import Ballot, Coin, Quote, User, Vote


@dataclass(frozen=True, slots=True)
class VoteView:
    """One vote in a list. `now_price` is the latest quote, honest about its age in `price_as_of`.

    The whales' counts are zero until this person has answered: what isn't to be seen isn't sent.
    The base rate is what was known when the question was asked; None where that was nothing.
    """

    id: int
    coin_code: str
    korean_name: str
    english_name: str
    has_logo: bool
    direction: Direction
    duration: Duration
    range_pct: int
    state: VoteState
    is_staff_vote: bool
    created_at: datetime
    finished_at: datetime
    tracked_at: datetime
    updated_at: datetime
    created_price: Decimal
    final_price: Decimal | None
    now_price: Decimal | None
    price_as_of: datetime | None
    yes_count: int
    no_count: int
    yes_whales: int
    no_whales: int
    spent_point: int
    earned_point: int
    outcome: Choice | None
    my_choice: Choice | None
    my_answered_at: datetime | None
    creator_id: int
    creator_name: str
    base_rate_hits: int | None = None
    base_rate_windows: int | None = None

    def __hash__(self) -> int:
        """Cheap, since cards are looked up by their votes; equality compares everything."""
        return self.id

    @property
    def answer_count(self) -> int:
        """How many people answered."""
        return self.yes_count + self.no_count

    @property
    def my_hit(self) -> bool | None:
        """Whether my own answer was right; None while open or not answered."""
        if self.outcome is None or self.my_choice is None:
            return None
        return self.my_choice is self.outcome

    @property
    def is_open(self) -> bool:
        """Whether it takes answers."""
        return self.state is VoteState.ONGOING

    @property
    def threshold(self) -> Decimal:
        """The price at which the answer turns to yes."""
        return threshold(
            self.created_price, Question(self.direction, self.duration, self.range_pct)
        )


@dataclass(frozen=True, slots=True)
class VoteDetail:
    """One vote with its evidence: both prices with times, source, raw quote, or why it is void."""

    view: VoteView
    market: str
    coin_is_active: bool
    coin_warning: bool
    created_price_at: datetime
    creation_cost: int
    crowd_right: bool | None
    candle_opened_at: datetime | None
    quote_source: str | None
    quote_fetched_at: datetime | None
    raw_quote: str | None
    settled_at: datetime | None
    void_reason: str | None
    voided_at: datetime | None
    attempts: int


_mine = aliased(Ballot)
_creator = aliased(User)
# Read as plain columns: a list of twenty votes needs no objects that could be changed.
_VIEW_COLUMNS = (
    Vote.id,
    Coin.code,
    Coin.korean_name,
    Coin.english_name,
    Coin.has_logo,
    Vote.direction,
    Vote.duration,
    Vote.range_pct,
    Vote.state,
    Vote.is_staff_vote,
    Vote.created_at,
    Vote.finished_at,
    Vote.tracked_at,
    Vote.updated_at,
    Vote.created_price,
    Vote.final_price,
    Quote.price,
    Quote.observed_at,
    Vote.yes_count,
    Vote.no_count,
    Vote.yes_whales,
    Vote.no_whales,
    Vote.spent_point,
    Vote.earned_point,
    Vote.outcome,
    _mine.choice,
    _mine.created_at.label("my_answered_at"),
    Vote.creator_id,
    _creator.nickname,
    Vote.base_rate_hits,
    Vote.base_rate_windows,
)


def select_views(user_id: int | None) -> Select[*tuple[Any, ...]]:
    """The query behind every list of votes, as seen by one person; add filters and an order."""
    mine = literal(False) if user_id is None else _mine.user_id == user_id
    return (
        select(*_VIEW_COLUMNS)
        .join(Coin, Coin.id == Vote.coin_id)
        .join(_creator, _creator.id == Vote.creator_id)
        .outerjoin(Quote, Quote.coin_id == Vote.coin_id)
        .outerjoin(_mine, and_(_mine.vote_id == Vote.id, mine))
    )


def to_view(row: Sequence[Any], now: datetime) -> VoteView:
    """A row of `select_views` as a value; past its deadline an ongoing vote counts as finished."""
    view = VoteView(*row)
    changes: dict[str, object] = {}
    if view.state is VoteState.ONGOING and now >= view.finished_at:
        changes["state"] = VoteState.FINISHED
    if view.my_choice is None:
        changes |= {"yes_whales": 0, "no_whales": 0}
    for name, value in changes.items():
        object.__setattr__(view, name, value)
    return view


def get_votes(ids: Sequence[int], *, user_id: int | None, now: datetime) -> dict[int, VoteView]:
    """Votes by id as one person sees them; unknown ids are absent."""
    rows = db.session.execute(select_views(user_id).where(Vote.id.in_(ids)))
    return {view.id: view for view in (to_view(row, now) for row in rows)}


def get_vote(vote_id: int, *, user_id: int | None, now: datetime) -> VoteDetail | None:
    """One vote with its evidence, or None."""
    # SQLite's integers end at 64 bits; a longer number in an address is simply no vote.
    if not 0 < vote_id < 2**63:
        return None
    view = get_votes([vote_id], user_id=user_id, now=now).get(vote_id)
    if view is None:
        return None
    vote, coin = db.session.execute(
        select(Vote, Coin).join(Coin, Coin.id == Vote.coin_id).where(Vote.id == vote_id)
    ).one()
    return VoteDetail(
        view=view,
        market=coin.market,
        coin_is_active=coin.is_active,
        coin_warning=coin.warning,
        created_price_at=vote.created_price_at,
        creation_cost=vote.creation_cost,
        crowd_right=vote.crowd_right,
        candle_opened_at=vote.candle_opened_at,
        quote_source=vote.quote_source,
        quote_fetched_at=vote.quote_fetched_at,
        raw_quote=vote.raw_quote,
        settled_at=vote.settled_at,
        void_reason=vote.void_reason,
        voided_at=vote.voided_at,
        attempts=vote.attempts,
    )
