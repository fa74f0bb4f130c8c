"""The ledger: every move of every point, never edited, never deleted."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime, text_enum
from app.domain.points import Reason
from app.extensions import Base

#: What each reason asks of its entry; any other reason is refused. One CASE with the most frequent
#: first: a list behind IN costs SQLite more per row than all the rest of an insert.
_OF_VOTE = "vote_id IS NOT NULL AND amount"
_OF_PERSON = "vote_id IS NULL AND amount > 0"
_FITS_REASON = (
    "CASE reason"
    f" WHEN 'reward' THEN {_OF_VOTE} > 0"
    f" WHEN 'stake' THEN {_OF_VOTE} < 0"
    f" WHEN 'stake_refund' THEN {_OF_VOTE} > 0"
    f" WHEN 'creation' THEN {_OF_VOTE} < 0"
    f" WHEN 'creation_refund' THEN {_OF_VOTE} > 0"
    f" WHEN 'top_up' THEN {_OF_PERSON}"
    f" WHEN 'welcome' THEN {_OF_PERSON}"
    f" WHEN 'grant' THEN {_OF_PERSON}"
    " ELSE FALSE END"
)


class LedgerEntry(Base):
    """One move of points. Unique per (user, vote, reason), per day for the daily top-up.

    Triggers (see the migration) refuse every UPDATE and DELETE.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        # By vote first: a settled vote adds its entries side by side instead of one to every
        # person's part of the index. A person's entries are found through ballots and votes.
        UniqueConstraint("vote_id", "user_id", "reason"),
        CheckConstraint(_FITS_REASON, name="fits_reason"),
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
    reason: Mapped[Reason] = mapped_column(text_enum(Reason, "reason", check=False))
    amount: Mapped[int]
    kst_day: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
