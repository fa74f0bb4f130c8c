"""People and the sums kept for them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime
from app.domain.points import accuracy_pct
from app.extensions import Base


class User(Base):
    """A person. `points`, `right_count` and `settled_count` are caches that the audit proves.

    `session_epoch` is part of every session; raising it signs the person out everywhere. `picture`
    names the one kept in `pictures`. Without a `language` the browser's is spoken, without a
    `theme` the device decides. Who left keeps the row, without a name or a way in: the books need
    it.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("points >= 0", name="points_not_negative"),
        CheckConstraint("right_count >= 0 AND right_count <= settled_count", name="counts_agree"),
        CheckConstraint("language IN ('ko', 'en')", name="language_known"),
        CheckConstraint("theme IN ('system', 'light', 'dark')", name="theme_known"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    nickname: Mapped[str] = mapped_column(String(20))
    nickname_key: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_staff: Mapped[bool] = mapped_column(default=False)
    points: Mapped[int] = mapped_column(default=0)
    right_count: Mapped[int] = mapped_column(default=0)
    settled_count: Mapped[int] = mapped_column(default=0)
    session_epoch: Mapped[int] = mapped_column(default=0)
    picture: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str | None] = mapped_column(String(2))
    theme: Mapped[str | None] = mapped_column(String(6))
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def accuracy_pct(self) -> Decimal:
        """Right answers among settled ones in percent, cut to two decimals."""
        return accuracy_pct(right=self.right_count, settled=self.settled_count)
