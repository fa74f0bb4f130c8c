"""Coins, their latest quote, the thinned history of their prices, and their candles."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.db import PriceUnits, UtcDateTime, text_enum
from app.domain.market import FeedSource
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
    open: Mapped[Decimal | None] = mapped_column(PriceUnits)
    high: Mapped[Decimal | None] = mapped_column(PriceUnits)
    low: Mapped[Decimal | None] = mapped_column(PriceUnits)
    change_rate: Mapped[float | None]
    turnover_24h: Mapped[float | None]
    turnover_today: Mapped[float | None]
    high_52w: Mapped[Decimal | None] = mapped_column(PriceUnits)
    low_52w: Mapped[Decimal | None] = mapped_column(PriceUnits)
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


class MarketFeed(Base):
    """Where prices come from at the moment; one row, written by the leader.

    `heard_at` is the last sign of life of the source, be it a price or not. `problem` says, for the
    operator, why it isn't the stream.
    """

    __tablename__ = "market_feed"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[FeedSource] = mapped_column(text_enum(FeedSource, "source"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reconnects: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(200))


class StoredCandle(Base):
    """A finished candle of the exchange. `unit` is its length in minutes; a quiet one has no row.

    A candle that is still forming is never kept here. Volume and turnover decide nothing.
    """

    __tablename__ = "candles"
    __table_args__ = (
        CheckConstraint("unit IN (1, 60, 1440)", name="unit_known"),
        CheckConstraint(
            "low > 0 AND low <= open AND low <= close AND high >= open AND high >= close",
            name="range_holds",
        ),
        {"sqlite_with_rowid": False},
    )

    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"), primary_key=True)
    unit: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    open: Mapped[Decimal] = mapped_column(PriceUnits)
    high: Mapped[Decimal] = mapped_column(PriceUnits)
    low: Mapped[Decimal] = mapped_column(PriceUnits)
    close: Mapped[Decimal] = mapped_column(PriceUnits)
    volume: Mapped[float]
    turnover: Mapped[float]


class CandleSpan(Base):
    """What we know of a coin's candles of one unit: all that opened in `known_from`..`known_until`.

    The end is exclusive. `reaches_start` means that the exchange has nothing older. What is inside
    the span is never asked for again, also where it holds no row. `retry_at`, `attempts` and
    `problem` push a coin ahead whose candles could not be had, and say why.
    """

    __tablename__ = "candle_spans"
    __table_args__ = (CheckConstraint("known_from <= known_until", name="span_in_order"),)

    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"), primary_key=True)
    unit: Mapped[int] = mapped_column(primary_key=True)
    known_from: Mapped[datetime] = mapped_column(UtcDateTime)
    known_until: Mapped[datetime] = mapped_column(UtcDateTime)
    reaches_start: Mapped[bool] = mapped_column(server_default=false())
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    problem: Mapped[str | None] = mapped_column(String(200))


class CandleWish(Base):
    """Somebody looks at these candles, so the leader keeps them up to date for a while."""

    __tablename__ = "candle_wishes"

    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"), primary_key=True)
    unit: Mapped[int] = mapped_column(primary_key=True)
    wanted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Favourite(Base):
    """A coin that a person wants to find at once."""

    __tablename__ = "favourites"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    coin_id: Mapped[int] = mapped_column(ForeignKey("coins.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
