"""The ledger: every move of every point, never edited, never deleted."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime, text_enum
from app.domain.points import Reason
from app.extensions import Base

_SIGN = "CASE WHEN reason IN ('creation', 'stake') THEN amount < 0 ELSE amount > 0 END"
_VOTE_REASONS = "('creation', 'stake', 'reward', 'stake_refund', 'creation_refund')"


class LedgerEntry(Base):
    """One move of points. Unique per (user, vote, reason), per day for the daily top-up.

    Triggers (see the migration) refuse every UPDATE and DELETE.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("user_id", "vote_id", "reason"),
        CheckConstraint(_SIGN, name="sign_fits_reason"),
        CheckConstraint(
            f"(vote_id IS NOT NULL) = (reason IN {_VOTE_REASONS})", name="vote_fits_reason"
        ),
        CheckConstraint("(kst_day IS NOT NULL) = (reason = 'top_up')", name="day_fits_reason"),
        Index(
            "uq_ledger_top_up",
            "user_id",
            "kst_day",
            unique=True,
            sqlite_where=text("kst_day IS NOT NULL"),
            postgresql_where=text("kst_day IS NOT NULL"),
        ),
        Index(
            "uq_ledger_welcome",
            "user_id",
            unique=True,
            sqlite_where=text("reason = 'welcome'"),
            postgresql_where=text("reason = 'welcome'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    vote_id: Mapped[int | None] = mapped_column(ForeignKey("votes.id"))
    reason: Mapped[Reason] = mapped_column(text_enum(Reason, "reason"))
    amount: Mapped[int]
    kst_day: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
