"""Bots, their runs, orders, fills and positions, the paper books, and backtests."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, ExactDecimal, UtcDateTime, text_enum
from app.domain.exchanges import ExchangeName, OrderKind, OrderState, Side
from app.domain.runs import BacktestState, BotMode, BotState, LogKind, OrderReason
from app.extensions import Base
from app.models.exchanges import BalanceColumns


class Bot(Base):
    """What trades for one person: on paper, or with one linked account.

    One per person and mode. `settings` is JSON that the domain checks. `halt_…` is the kill switch:
    persisted first, cleared by the person alone. `confirmed_at` is the person's own yes to real
    money, of that account; any change of account clears it.
    """

    __tablename__ = "bots"
    __table_args__ = (
        CheckConstraint("mode = 'paper' OR account_id IS NOT NULL", name="live_has_account"),
        CheckConstraint("mode = 'live' OR confirmed_at IS NULL", name="paper_needs_no_yes"),
        CheckConstraint("(state = 'halted') = (halted_at IS NOT NULL)", name="halt_has_time"),
        Index("uq_bots_person", "user_id", "mode", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    mode: Mapped[BotMode] = mapped_column(text_enum(BotMode, "mode"))
    exchange: Mapped[ExchangeName] = mapped_column(text_enum(ExchangeName, "exchange"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("linked_accounts.id"))
    state: Mapped[BotState] = mapped_column(text_enum(BotState, "state"))
    settings: Mapped[str] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    halted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    halt_sells: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BotRun(Base):
    """From one start of a bot to its end. At most one is open per bot."""

    __tablename__ = "bot_runs"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="end_has_reason"),
        Index(
            "uq_bot_runs_open",
            "bot_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(40))
    start_value: Mapped[Decimal] = mapped_column(ExactDecimal)


class RunLine(Base):
    """One line of a run's log: what happened, when, of which kind."""

    __tablename__ = "run_lines"
    __table_args__ = (Index("ix_run_lines_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("bot_runs.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[LogKind] = mapped_column(text_enum(LogKind, "kind"))
    code: Mapped[str] = mapped_column(String(40))
    params: Mapped[str] = mapped_column(Text, default="{}")


class Order(Base):
    """An order of a bot, written down before it is sent.

    `client_id` is ours and unique for ever. One entry per bot, market and trading day; `attempt`
    numbers exits, so that what a sale left over can be sold again.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'limit' AND price IS NOT NULL AND volume IS NOT NULL)"
            " OR (kind = 'market' AND side = 'buy' AND funds IS NOT NULL AND volume IS NULL)"
            " OR (kind = 'market' AND side = 'sell' AND volume IS NOT NULL AND funds IS NULL)",
            name="says_what_is_traded",
        ),
        Index("uq_orders_client", "client_id", unique=True),
        Index("uq_orders_signal", "bot_id", "market", "day", "side", "attempt", unique=True),
        Index(
            "ix_orders_unsettled",
            "bot_id",
            sqlite_where=text("state IN ('intended', 'unknown', 'open')"),
            postgresql_where=text("state IN ('intended', 'unknown', 'open')"),
        ),
        Index("ix_orders_run", "run_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("bot_runs.id"))
    client_id: Mapped[str] = mapped_column(String(36))
    market: Mapped[str] = mapped_column(String(30))
    day: Mapped[date] = mapped_column(Date)
    side: Mapped[Side] = mapped_column(text_enum(Side, "side"))
    attempt: Mapped[int] = mapped_column(default=0)
    reason: Mapped[OrderReason] = mapped_column(text_enum(OrderReason, "reason"))
    kind: Mapped[OrderKind] = mapped_column(text_enum(OrderKind, "kind"))
    volume: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    funds: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    price: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    signal_price: Mapped[Decimal] = mapped_column(ExactDecimal)
    state: Mapped[OrderState] = mapped_column(text_enum(OrderState, "state"))
    exchange_id: Mapped[str | None] = mapped_column(String(64))
    executed_volume: Mapped[Decimal] = mapped_column(ExactDecimal)
    executed_funds: Mapped[Decimal] = mapped_column(ExactDecimal)
    paid_fee: Mapped[Decimal] = mapped_column(ExactDecimal)
    problem: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrderFill(Base):
    """One trade of an order; the key keeps the same answer told twice from counting twice."""

    __tablename__ = "order_fills"
    __table_args__ = ({"sqlite_with_rowid": False},)

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    ident: Mapped[str] = mapped_column(String(64), primary_key=True)
    price: Mapped[Decimal] = mapped_column(ExactDecimal)
    volume: Mapped[Decimal] = mapped_column(ExactDecimal)
    funds: Mapped[Decimal] = mapped_column(ExactDecimal)
    fee: Mapped[Decimal] = mapped_column(ExactDecimal)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Position(Base):
    """What a bot itself bought of a market and still holds; never what the person held before.

    A cache of the orders' fills, kept in the same transaction, that can be rebuilt from them.
    """

    __tablename__ = "positions"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"), primary_key=True)
    market: Mapped[str] = mapped_column(String(30), primary_key=True)
    volume: Mapped[Decimal] = mapped_column(ExactDecimal)
    cost: Mapped[Decimal] = mapped_column(ExactDecimal)
    day: Mapped[date] = mapped_column(Date)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaperBalance(BalanceColumns, Base):
    """The paper books: what a paper bot's account holds of a currency."""

    __tablename__ = "paper_balances"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"), primary_key=True)


class PaperOrder(Base):
    """The paper exchange's own record of an order, as a real exchange would keep one."""

    __tablename__ = "paper_orders"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    report: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BotValue(Base):
    """What a run was worth at a moment; `hold` is what buying and waiting would have been."""

    __tablename__ = "bot_values"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[int] = mapped_column(ForeignKey("bot_runs.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    value: Mapped[Decimal] = mapped_column(ExactDecimal)
    hold: Mapped[Decimal | None] = mapped_column(ExactDecimal)


class Backtest(Base):
    """A search or backtest somebody asked for: what was asked (JSON), how far it is, its result.

    `attempts` counts how often a process began it and neither finished nor gave it back.
    """

    __tablename__ = "backtests"
    __table_args__ = (
        CheckConstraint("done BETWEEN 0 AND total", name="progress_in_bounds"),
        CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="done_has_result"),
        Index("ix_backtests_user", "user_id", "id"),
        Index(
            "ix_backtests_waiting",
            "id",
            sqlite_where=text("state IN ('waiting', 'running')"),
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked: Mapped[str] = mapped_column(Text)
    state: Mapped[BacktestState] = mapped_column(text_enum(BacktestState, "state"))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    result: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
