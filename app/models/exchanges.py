"""Linked accounts at exchanges: keys (encrypted), what they may do, and the balances last seen."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, ExactDecimal, UtcDateTime, text_enum
from app.domain.exchanges import ExchangeName, KeyProblem, KeyState
from app.extensions import Base


class LinkedAccount(Base):
    """A person's account at an exchange.

    `sealed_keys` is what only the server's cipher can open; unlinking empties it. `fingerprint` is
    a keyed digest of the access key: the same key is linked once, by one person. Only `last_four`
    is ever shown.
    """

    __tablename__ = "linked_accounts"
    __table_args__ = (
        CheckConstraint(
            "(sealed_keys IS NULL) = (unlinked_at IS NOT NULL)", name="keys_while_linked"
        ),
        Index(
            "uq_linked_accounts_key",
            "exchange",
            "fingerprint",
            unique=True,
            sqlite_where=text("unlinked_at IS NULL"),
            postgresql_where=text("unlinked_at IS NULL"),
        ),
        Index("ix_linked_accounts_user", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    exchange: Mapped[ExchangeName] = mapped_column(text_enum(ExchangeName, "exchange"))
    sealed_keys: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))
    last_four: Mapped[str] = mapped_column(String(4))
    state: Mapped[KeyState] = mapped_column(text_enum(KeyState, "state"))
    problem: Mapped[KeyProblem | None] = mapped_column(text_enum(KeyProblem, "problem"))
    can_view: Mapped[bool | None]
    can_view_orders: Mapped[bool | None]
    can_trade: Mapped[bool | None]
    can_withdraw: Mapped[bool | None]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    balances_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    wanted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    unlinked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BalanceColumns:
    """One currency of an account, whose number comes before it in the key."""

    currency: Mapped[str] = mapped_column(String(20), primary_key=True, sort_order=1)
    free: Mapped[Decimal] = mapped_column(ExactDecimal, sort_order=2)
    locked: Mapped[Decimal] = mapped_column(ExactDecimal, sort_order=3)
    avg_buy_price: Mapped[Decimal | None] = mapped_column(ExactDecimal, sort_order=4)


class Holding(BalanceColumns, Base):
    """What a linked account holds of a currency, as the exchange last told it."""

    __tablename__ = "holdings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: Mapped[int] = mapped_column(ForeignKey("linked_accounts.id"), primary_key=True)
