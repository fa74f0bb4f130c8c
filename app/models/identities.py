"""Ways in that others vouch for, and the pictures people brought along."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime, text_enum
from app.domain.identities import Provider
from app.extensions import Base


class Identity(Base):
    """A person's account at a provider: one per person, and no two people share one.

    `subject` is the provider's number for the person in our app, as text. With `unlinked_at` the
    person disconnected there and had no other way in: the row stays so that they can come back.
    """

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("provider", "subject"),
        UniqueConstraint("user_id", "provider"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[Provider] = mapped_column(text_enum(Provider, "provider"))
    subject: Mapped[str] = mapped_column(String(64))
    picture_url: Mapped[str | None] = mapped_column(String(500))
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    unlinked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Picture(Base):
    """A person's picture, fetched once and served from here; `digest` names its content."""

    __tablename__ = "pictures"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
