"""Votes and ballots."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, PriceUnits, UtcDateTime, text_enum
from app.domain.votes import Choice, Direction, Duration, VoteState
from app.extensions import Base

#: Where a list looks: 0 takes answers, 1 waits for its result, 2 is over (settled or void).
_STAGE = "CASE state WHEN 'ongoing' THEN 0 WHEN 'finished' THEN 1 ELSE 2 END"
_TOTAL = "yes_count + no_count"
_EVENNESS = (
    "CASE WHEN yes_count + no_count = 0 THEN 0"
    " WHEN yes_count < no_count THEN 1000 * yes_count / (yes_count + no_count)"
    " ELSE 1000 * no_count / (yes_count + no_count) END"
)
_SETTLED_HAS_EVIDENCE = (
    "(state = 'tracked') = (outcome IS NOT NULL)"
    " AND (state <> 'tracked' OR (final_price IS NOT NULL AND candle_opened_at IS NOT NULL"
    " AND quote_source IS NOT NULL AND quote_fetched_at IS NOT NULL AND raw_quote IS NOT NULL"
    " AND settled_at IS NOT NULL AND crowd_right IS NOT NULL))"
)


class Vote(Base):
    """A question with its deadlines, its counts and, once settled, its evidence.

    The counts are kept by atomic increments. `answer_count` and `evenness` (500 = even) are
    computed by the database so that lists can be sorted by an index. `crowd_right` is the
    contract's `is_answer`. `base_rate_hits` of `base_rate_windows` is how often such a move
    happened in the year before the question; null where nothing was known. `retry_at` and
    `attempts` push a vote ahead that could not be settled.
    """

    __tablename__ = "votes"
    __table_args__ = (
        CheckConstraint("range_pct BETWEEN 1 AND 300", name="range_in_bounds"),
        CheckConstraint("direction = 'up' OR range_pct < 100", name="fall_below_100"),
        CheckConstraint("created_price > 0", name="created_price_positive"),
        CheckConstraint("final_price IS NULL OR final_price > 0", name="final_price_positive"),
        CheckConstraint("finished_at < tracked_at", name="closes_before_result"),
        CheckConstraint(
            "yes_whales BETWEEN 0 AND yes_count AND no_whales BETWEEN 0 AND no_count",
            name="counts_agree",
        ),
        CheckConstraint(_SETTLED_HAS_EVIDENCE, name="settled_has_evidence"),
        CheckConstraint(
            "(state = 'void') = (void_reason IS NOT NULL AND voided_at IS NOT NULL)",
            name="void_has_reason",
        ),
        CheckConstraint("base_rate_windows > 0", name="base_rate_windows"),
        CheckConstraint(
            "(base_rate_hits IS NULL) = (base_rate_windows IS NULL)"
            " AND base_rate_hits BETWEEN 0 AND base_rate_windows",
            name="base_rate_hits",
        ),
        Index("ix_votes_newest", "stage", "id"),
        Index("ix_votes_closing", "stage", "finished_at", "id"),
        Index("ix_votes_popular", "stage", "answer_count", "id"),
        Index("ix_votes_divided", "stage", "evenness", "answer_count", "id"),
        Index("ix_votes_due", "state", "tracked_at", "coin_id"),
        Index("ix_votes_coin", "coin_id", "stage", "id"),
        Index("ix_votes_creator", "creator_id", "id"),
        Index("uq_votes_request", "creator_id", "request_key", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"))
    creator_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    request_key: Mapped[str] = mapped_column(String(64))
    is_staff_vote: Mapped[bool]
    direction: Mapped[Direction] = mapped_column(text_enum(Direction, "direction"))
    duration: Mapped[Duration] = mapped_column(text_enum(Duration, "duration"))
    range_pct: Mapped[int]
    spent_point: Mapped[int]
    earned_point: Mapped[int]
    creation_cost: Mapped[int]
    state: Mapped[VoteState] = mapped_column(
        text_enum(VoteState, "state"), default=VoteState.ONGOING
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tracked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_price: Mapped[Decimal] = mapped_column(PriceUnits)
    created_price_at: Mapped[datetime] = mapped_column(UtcDateTime)
    yes_count: Mapped[int] = mapped_column(default=0)
    no_count: Mapped[int] = mapped_column(default=0)
    yes_whales: Mapped[int] = mapped_column(default=0)
    no_whales: Mapped[int] = mapped_column(default=0)
    stage: Mapped[int] = mapped_column(Integer, Computed(_STAGE, persisted=True))
    answer_count: Mapped[int] = mapped_column(Integer, Computed(_TOTAL, persisted=True))
    evenness: Mapped[int] = mapped_column(Integer, Computed(_EVENNESS, persisted=True))
    outcome: Mapped[Choice | None] = mapped_column(text_enum(Choice, "outcome"))
    crowd_right: Mapped[bool | None]
    final_price: Mapped[Decimal | None] = mapped_column(PriceUnits)
    candle_opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    quote_source: Mapped[str | None] = mapped_column(String(20))
    quote_fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    raw_quote: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    void_reason: Mapped[str | None] = mapped_column(String(200))
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    base_rate_windows: Mapped[int | None]
    base_rate_hits: Mapped[int | None]
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    last_problem: Mapped[str | None] = mapped_column(String(200))


class Ballot(Base):
    """One person's answer; the key is the promise that there is only one.

    Whether it was right is the vote's outcome and isn't kept twice. `is_whale` is judged at the
    moment of answering and never again.
    """

    __tablename__ = "ballots"
    __table_args__ = (
        Index("ix_ballots_user", "user_id", "created_at"),
        {"sqlite_with_rowid": False},
    )

    vote_id: Mapped[int] = mapped_column(ForeignKey("votes.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    choice: Mapped[Choice] = mapped_column(text_enum(Choice, "choice"))
    is_whale: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
