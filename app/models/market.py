"""Coins, their latest quote, and the thinned history of their prices."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import PriceUnits, UtcDateTime
from app.extensions import Base


class Coin(Base):
    """A KRW market. A delisted one turns inactive and keeps its history; rows are never deleted."""

    __tablename__ = "coins"
    __table_args__ = (
        CheckConstraint("is_active = (delisted_at IS NULL)", name="active_or_delisted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    market: Mapped[str] = mapped_column(String(30), unique=True)
    korean_name: Mapped[str] = mapped_column(String(100))
    english_name: Mapped[str] = mapped_column(String(100))
    search_key: Mapped[str] = mapped_column(String(400))
    warning: Mapped[bool] = mapped_column(default=False)
    cautions: Mapped[str] = mapped_column(String(200), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    listed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delisted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    logo_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    has_logo: Mapped[bool] = mapped_column(default=False)


class Quote(Base):
    """The latest believed price of a coin. `observed_at` is its honest age, `traded_at` the trade.

    A price that leapt is kept in the `suspect_` columns until the exchange has repeated it.
    """

    __tablename__ = "quotes"
    __table_args__ = (CheckConstraint("price > 0", name="price_positive"),)

    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"), primary_key=True)
    price: Mapped[Decimal] = mapped_column(PriceUnits)
    prev_close: Mapped[Decimal | None] = mapped_column(PriceUnits)
    high: Mapped[Decimal | None] = mapped_column(PriceUnits)
    low: Mapped[Decimal | None] = mapped_column(PriceUnits)
    change_rate: Mapped[float | None]
    turnover_24h: Mapped[float | None]
    traded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    suspect_price: Mapped[Decimal | None] = mapped_column(PriceUnits)
    suspect_count: Mapped[int] = mapped_column(default=0)


class PriceSample(Base):
    """One observed price per coin and minute; what is older than a day is thinned."""

    __tablename__ = "price_samples"
    __table_args__ = (
        CheckConstraint("price > 0", name="price_positive"),
        Index("ix_price_samples_age", "is_tenth", "minute"),
        {"sqlite_with_rowid": False},
    )

    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"), primary_key=True)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    price: Mapped[Decimal] = mapped_column(PriceUnits)
    is_tenth: Mapped[bool]
