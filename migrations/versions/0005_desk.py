"""Make the desk's tables: linked accounts, bots with orders and fills, paper books, backtests."""

import sqlalchemy as sa
from alembic import op

from app.db import ExactDecimal, UtcDateTime

revision = "0005"
down_revision = "0004"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "backtests",
    "linked_accounts",
    "bots",
    "holdings",
    "bot_runs",
    "paper_balances",
    "paper_orders",
    "positions",
    "bot_values",
    "orders",
    "run_lines",
    "order_fills",
)


def upgrade() -> None:
    op.create_table(
        "backtests",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (result IS NOT NULL)", name=op.f("ck_backtests_done_has_result")
        ),
        sa.CheckConstraint(
            "done BETWEEN 0 AND total", name=op.f("ck_backtests_progress_in_bounds")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_backtests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
    )
    op.create_index("ix_backtests_user", "backtests", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_backtests_waiting",
        "backtests",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "linked_accounts",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column(
            "exchange",
            sa.Enum(
                "upbit",
                "bithumb",
                name="exchange",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("sealed_keys", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "good",
                "refused",
                "unknown",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "problem",
            sa.Enum(
                "invalid",
                "expired",
                "address_not_allowed",
                "missing_permission",
                "account_blocked",
                "clock",
                "unreachable",
                "maintenance",
                name="problem",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("can_view", sa.Boolean(), nullable=True),
        sa.Column("can_view_orders", sa.Boolean(), nullable=True),
        sa.Column("can_trade", sa.Boolean(), nullable=True),
        sa.Column("can_withdraw", sa.Boolean(), nullable=True),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("checked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("balances_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("wanted_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("linked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("unlinked_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(sealed_keys IS NULL) = (unlinked_at IS NOT NULL)",
            name=op.f("ck_linked_accounts_keys_while_linked"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_linked_accounts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linked_accounts")),
    )
    op.create_index("ix_linked_accounts_user", "linked_accounts", ["user_id"], unique=False)
    op.create_index(
        "uq_linked_accounts_key",
        "linked_accounts",
        ["exchange", "fingerprint"],
        unique=True,
        sqlite_where=sa.text("unlinked_at IS NULL"),
        postgresql_where=sa.text("unlinked_at IS NULL"),
    )
    op.create_table(
        "bots",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "paper", "live", name="mode", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column(
            "exchange",
            sa.Enum(
                "upbit",
                "bithumb",
                name="exchange",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("account_id", BIG_ID, nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "off",
                "running",
                "stopping",
                "halted",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("halted_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("halt_sells", sa.Boolean(), nullable=False),
        sa.Column("halt_reason", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'halted') = (halted_at IS NOT NULL)", name=op.f("ck_bots_halt_has_time")
        ),
        sa.CheckConstraint(
            "mode = 'live' OR confirmed_at IS NULL", name=op.f("ck_bots_paper_needs_no_yes")
        ),
        sa.CheckConstraint(
            "mode = 'paper' OR account_id IS NOT NULL", name=op.f("ck_bots_live_has_account")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["linked_accounts.id"], name=op.f("fk_bots_account_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bots_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bots")),
    )
    op.create_index("uq_bots_person", "bots", ["user_id", "mode"], unique=True)
    op.create_table(
        "holdings",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=20), nullable=False),
        sa.Column("free", ExactDecimal(), nullable=False),
        sa.Column("locked", ExactDecimal(), nullable=False),
        sa.Column("avg_buy_price", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["linked_accounts.id"], name=op.f("fk_holdings_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "currency", name=op.f("pk_holdings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bot_runs",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("bot_id", BIG_ID, nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=40), nullable=True),
        sa.Column("start_value", ExactDecimal(), nullable=False),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_bot_runs_end_has_reason")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_runs_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_runs")),
    )
    op.create_index(
        "uq_bot_runs_open",
        "bot_runs",
        ["bot_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "paper_balances",
        sa.Column("bot_id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=20), nullable=False),
        sa.Column("free", ExactDecimal(), nullable=False),
        sa.Column("locked", ExactDecimal(), nullable=False),
        sa.Column("avg_buy_price", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_paper_balances_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "currency", name=op.f("pk_paper_balances")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paper_orders",
        sa.Column("bot_id", BIG_ID, nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_paper_orders_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "client_id", name=op.f("pk_paper_orders")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "positions",
        sa.Column("bot_id", BIG_ID, nullable=False),
        sa.Column("market", sa.String(length=30), nullable=False),
        sa.Column("volume", ExactDecimal(), nullable=False),
        sa.Column("cost", ExactDecimal(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opened_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_positions_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "market", name=op.f("pk_positions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bot_values",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("value", ExactDecimal(), nullable=False),
        sa.Column("hold", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["bot_runs.id"], name=op.f("fk_bot_values_run_id")),
        sa.PrimaryKeyConstraint("run_id", "at", name=op.f("pk_bot_values")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("bot_id", BIG_ID, nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("market", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "buy", "sell", name="side", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "entry",
                "day_end",
                "signal",
                "stop_loss",
                "halt",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "market", "limit", name="kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("volume", ExactDecimal(), nullable=True),
        sa.Column("funds", ExactDecimal(), nullable=True),
        sa.Column("price", ExactDecimal(), nullable=True),
        sa.Column("signal_price", ExactDecimal(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "intended",
                "unknown",
                "open",
                "filled",
                "cancelled",
                "rejected",
                "never_sent",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("executed_volume", ExactDecimal(), nullable=False),
        sa.Column("executed_funds", ExactDecimal(), nullable=False),
        sa.Column("paid_fee", ExactDecimal(), nullable=False),
        sa.Column("problem", sa.String(length=60), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'limit' AND price IS NOT NULL AND volume IS NOT NULL)"
            " OR (kind = 'market' AND side = 'buy' AND funds IS NOT NULL AND volume IS NULL)"
            " OR (kind = 'market' AND side = 'sell' AND volume IS NOT NULL AND funds IS NULL)",
            name=op.f("ck_orders_says_what_is_traded"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_orders_bot_id")),
        sa.ForeignKeyConstraint(["run_id"], ["bot_runs.id"], name=op.f("fk_orders_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_run", "orders", ["run_id", "id"], unique=False)
    op.create_index(
        "ix_orders_unsettled",
        "orders",
        ["bot_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('intended', 'unknown', 'open')"),
        postgresql_where=sa.text("state IN ('intended', 'unknown', 'open')"),
    )
    op.create_index("uq_orders_client", "orders", ["client_id"], unique=True)
    op.create_index(
        "uq_orders_signal", "orders", ["bot_id", "market", "day", "side", "attempt"], unique=True
    )
    op.create_table(
        "run_lines",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "start",
                "new_day",
                "signal",
                "order",
                "fill",
                "skipped",
                "refused",
                "problem",
                "halt",
                "end",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["bot_runs.id"], name=op.f("fk_run_lines_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_lines")),
    )
    op.create_index("ix_run_lines_run", "run_lines", ["run_id", "id"], unique=False)
    op.create_table(
        "order_fills",
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("ident", sa.String(length=64), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("volume", ExactDecimal(), nullable=False),
        sa.Column("funds", ExactDecimal(), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_fills_order_id")),
        sa.PrimaryKeyConstraint("order_id", "ident", name=op.f("pk_order_fills")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
