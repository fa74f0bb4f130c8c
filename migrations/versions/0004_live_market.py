"""Keep the live market: its source, candles, favourites; base rates of votes; one's own look."""

import sqlalchemy as sa
from alembic import op

from app.db import PriceUnits, UtcDateTime

revision = "0004"
down_revision = "0003"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
QUOTE_COLUMNS = {
    "open": PriceUnits(),
    "turnover_today": sa.Double(),
    "high_52w": PriceUnits(),
    "low_52w": PriceUnits(),
}
#: Added with their constraints by hand: SQLite would otherwise copy the largest tables whole.
CHECKED_COLUMNS = (
    ("users", "language", "VARCHAR(2)", "language_known", "language IN ('ko', 'en')"),
    ("users", "theme", "VARCHAR(6)", "theme_known", "theme IN ('system', 'light', 'dark')"),
    ("votes", "base_rate_windows", "INTEGER", "base_rate_windows", "base_rate_windows > 0"),
    (
        "votes",
        "base_rate_hits",
        "INTEGER",
        "base_rate_hits",
        "(base_rate_hits IS NULL) = (base_rate_windows IS NULL)"
        " AND base_rate_hits BETWEEN 0 AND base_rate_windows",
    ),
)


def upgrade() -> None:
    for table, column, kind, name, check in CHECKED_COLUMNS:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} {kind}"
            f" CONSTRAINT ck_{table}_{name} CHECK ({check})"
        )
    for name, kind in QUOTE_COLUMNS.items():
        op.add_column("quotes", sa.Column(name, kind, nullable=True))
    op.create_table(
        "market_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "stream", "polling", "none",
                name="source", native_enum=False, create_constraint=True, length=20,
            ),
            nullable=False,
        ),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.Column("heard_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("reconnects", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_market_feed_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_feed")),
    )
    op.create_table(
        "candles",
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("open", PriceUnits(), nullable=False),
        sa.Column("high", PriceUnits(), nullable=False),
        sa.Column("low", PriceUnits(), nullable=False),
        sa.Column("close", PriceUnits(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("turnover", sa.Double(), nullable=False),
        sa.CheckConstraint("unit IN (1, 60, 1440)", name=op.f("ck_candles_unit_known")),
        sa.CheckConstraint(
            "low > 0 AND low <= open AND low <= close AND high >= open AND high >= close",
            name=op.f("ck_candles_range_holds"),
        ),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_candles_coin_id")),
        sa.PrimaryKeyConstraint("coin_id", "unit", "opened_at", name=op.f("pk_candles")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "candle_spans",
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("known_from", UtcDateTime(timezone=True), nullable=False),
        sa.Column("known_until", UtcDateTime(timezone=True), nullable=False),
        sa.Column("reaches_start", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("retry_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "known_from <= known_until", name=op.f("ck_candle_spans_span_in_order")
        ),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_candle_spans_coin_id")),
        sa.PrimaryKeyConstraint("coin_id", "unit", name=op.f("pk_candle_spans")),
    )
    op.create_table(
        "candle_wishes",
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("wanted_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_candle_wishes_coin_id")),
        sa.PrimaryKeyConstraint("coin_id", "unit", name=op.f("pk_candle_wishes")),
    )
    op.create_table(
        "favourites",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_favourites_coin_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_favourites_user_id")),
        sa.PrimaryKeyConstraint("user_id", "coin_id", name=op.f("pk_favourites")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("favourites", "candle_wishes", "candle_spans", "candles", "market_feed"):
        op.drop_table(table)
    for name in QUOTE_COLUMNS:
        op.execute(f"ALTER TABLE quotes DROP COLUMN {name}")
    for table, column, *_ in reversed(CHECKED_COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
