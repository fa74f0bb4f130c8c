"""Where people are signed in, and the answers kept for clients that ask twice."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime
from app.extensions import Base


class ClientSession(Base):
    """One sign-in: of a client, the family that all its tokens belong to; or of a browser.

    `refresh_id` names the one refresh token that is still good; each refresh sets another. A
    browser (`is_web`) has no tokens and an empty one. `epoch` is the person's at the sign-in: once
    that is raised, the session is over.
    """

    __tablename__ = "client_sessions"
    __table_args__ = (
        Index("ix_client_sessions_user", "user_id", "expires_at"),
        Index("ix_client_sessions_expired", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    epoch: Mapped[int]
    device: Mapped[str] = mapped_column(String(120))
    refresh_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_web: Mapped[bool] = mapped_column(default=False, server_default=false())


class KeptAnswer(Base):
    """The answer to a request that carried an Idempotency-Key, written with the deed itself.

    `fingerprint` is a hash of method, path and body: the same key with another one is refused.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (Index("ix_kept_answers_age", "created_at"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
