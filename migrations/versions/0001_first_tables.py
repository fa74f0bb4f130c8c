"""Make the first tables: people, market, votes, ballots, ledger, clockwork."""

import sqlalchemy as sa
from alembic import op

from app.db import PriceUnits, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "coins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("market", sa.String(length=30), nullable=False),
        sa.Column("korean_name", sa.String(length=100), nullable=False),
        sa.Column("english_name", sa.String(length=100), nullable=False),
        sa.Column("search_key", sa.String(length=400), nullable=False),
        sa.Column("warning", sa.Boolean(), nullable=False),
        sa.Column("cautions", sa.String(length=200), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("listed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("delisted_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("logo_checked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("has_logo", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "is_active = (delisted_at IS NULL)", name=op.f("ck_coins_active_or_delisted")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coins")),
        sa.UniqueConstraint("code", name=op.f("uq_coins_code")),
        sa.UniqueConstraint("market", name=op.f("uq_coins_market")),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
    )
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.create_index("ix_job_runs_job", ["job", "id"], unique=False)

    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("nickname", sa.String(length=20), nullable=False),
        sa.Column("nickname_key", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("is_staff", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("right_count", sa.Integer(), nullable=False),
        sa.Column("settled_count", sa.Integer(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_users_points_not_negative")),
        sa.CheckConstraint(
            "right_count >= 0 AND right_count <= settled_count", name=op.f("ck_users_counts_agree")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("nickname_key", name=op.f("uq_users_nickname_key")),
    )
    op.create_table(
        "price_samples",
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column("minute", UtcDateTime(timezone=True), nullable=False),
        sa.Column("price", PriceUnits(), nullable=False),
        sa.Column("is_tenth", sa.Boolean(), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("ck_price_samples_price_positive")),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_price_samples_coin_id")),
        sa.PrimaryKeyConstraint("coin_id", "minute", name=op.f("pk_price_samples")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("price_samples", schema=None) as batch_op:
        batch_op.create_index("ix_price_samples_age", ["is_tenth", "minute"], unique=False)

    op.create_table(
        "quotes",
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column("price", PriceUnits(), nullable=False),
        sa.Column("prev_close", PriceUnits(), nullable=True),
        sa.Column("high", PriceUnits(), nullable=True),
        sa.Column("low", PriceUnits(), nullable=True),
        sa.Column("change_rate", sa.Double(), nullable=True),
        sa.Column("turnover_24h", sa.Double(), nullable=True),
        sa.Column("traded_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("observed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("suspect_price", PriceUnits(), nullable=True),
        sa.Column("suspect_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("ck_quotes_price_positive")),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_quotes_coin_id")),
        sa.PrimaryKeyConstraint("coin_id", name=op.f("pk_quotes")),
    )
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quotes_observed_at"), ["observed_at"], unique=False)

    op.create_table(
        "votes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("coin_id", sa.Integer(), nullable=False),
        sa.Column(
            "creator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("is_staff_vote", sa.Boolean(), nullable=False),
        sa.Column(
            "direction",
            sa.Enum(
                "up", "down", name="direction", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column(
            "duration",
            sa.Enum(
                "day",
                "week",
                "month",
                name="duration",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("range_pct", sa.Integer(), nullable=False),
        sa.Column("spent_point", sa.Integer(), nullable=False),
        sa.Column("earned_point", sa.Integer(), nullable=False),
        sa.Column("creation_cost", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "ongoing",
                "finished",
                "tracked",
                "void",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("tracked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_price", PriceUnits(), nullable=False),
        sa.Column("created_price_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("yes_count", sa.Integer(), nullable=False),
        sa.Column("no_count", sa.Integer(), nullable=False),
        sa.Column("yes_whales", sa.Integer(), nullable=False),
        sa.Column("no_whales", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Integer(),
            sa.Computed(
                "CASE state WHEN 'ongoing' THEN 0 WHEN 'finished' THEN 1 ELSE 2 END", persisted=True
            ),
            nullable=False,
        ),
        sa.Column(
            "answer_count",
            sa.Integer(),
            sa.Computed("yes_count + no_count", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "evenness",
            sa.Integer(),
            sa.Computed(
                "CASE WHEN yes_count + no_count = 0 THEN 0 WHEN yes_count < no_count THEN 1000 * yes_count / (yes_count + no_count) ELSE 1000 * no_count / (yes_count + no_count) END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "yes", "no", name="outcome", native_enum=False, create_constraint=True, length=20
            ),
            nullable=True,
        ),
        sa.Column("crowd_right", sa.Boolean(), nullable=True),
        sa.Column("final_price", PriceUnits(), nullable=True),
        sa.Column("candle_opened_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("quote_source", sa.String(length=20), nullable=True),
        sa.Column("quote_fetched_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("raw_quote", sa.Text(), nullable=True),
        sa.Column("settled_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=200), nullable=True),
        sa.Column("voided_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("retry_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_problem", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(state = 'tracked') = (outcome IS NOT NULL) AND (state <> 'tracked' OR (final_price IS NOT NULL AND candle_opened_at IS NOT NULL AND quote_source IS NOT NULL AND quote_fetched_at IS NOT NULL AND raw_quote IS NOT NULL AND settled_at IS NOT NULL AND crowd_right IS NOT NULL))",
            name=op.f("ck_votes_settled_has_evidence"),
        ),
        sa.CheckConstraint(
            "(state = 'void') = (void_reason IS NOT NULL AND voided_at IS NOT NULL)",
            name=op.f("ck_votes_void_has_reason"),
        ),
        sa.CheckConstraint(
            "direction = 'up' OR range_pct < 100", name=op.f("ck_votes_fall_below_100")
        ),
        sa.CheckConstraint("created_price > 0", name=op.f("ck_votes_created_price_positive")),
        sa.CheckConstraint(
            "final_price IS NULL OR final_price > 0", name=op.f("ck_votes_final_price_positive")
        ),
        sa.CheckConstraint("finished_at < tracked_at", name=op.f("ck_votes_closes_before_result")),
        sa.CheckConstraint("range_pct BETWEEN 1 AND 300", name=op.f("ck_votes_range_in_bounds")),
        sa.CheckConstraint(
            "yes_whales BETWEEN 0 AND yes_count AND no_whales BETWEEN 0 AND no_count",
            name=op.f("ck_votes_counts_agree"),
        ),
        sa.ForeignKeyConstraint(["coin_id"], ["coins.id"], name=op.f("fk_votes_coin_id")),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_votes_creator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
    )
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.create_index("ix_votes_closing", ["stage", "finished_at", "id"], unique=False)
        batch_op.create_index("ix_votes_coin", ["coin_id", "stage", "id"], unique=False)
        batch_op.create_index("ix_votes_creator", ["creator_id", "id"], unique=False)
        batch_op.create_index(
            "ix_votes_divided", ["stage", "evenness", "answer_count", "id"], unique=False
        )
        batch_op.create_index("ix_votes_due", ["state", "tracked_at", "coin_id"], unique=False)
        batch_op.create_index("ix_votes_newest", ["stage", "id"], unique=False)
        batch_op.create_index("ix_votes_popular", ["stage", "answer_count", "id"], unique=False)
        batch_op.create_index("uq_votes_request", ["creator_id", "request_key"], unique=True)

    op.create_table(
        "ballots",
        sa.Column("vote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "choice",
            sa.Enum(
                "yes", "no", name="choice", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("is_whale", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ballots_user_id")),
        sa.ForeignKeyConstraint(["vote_id"], ["votes.id"], name=op.f("fk_ballots_vote_id")),
        sa.PrimaryKeyConstraint("vote_id", "user_id", name=op.f("pk_ballots")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("ballots", schema=None) as batch_op:
        batch_op.create_index("ix_ballots_user", ["user_id", "created_at"], unique=False)

    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "welcome",
                "top_up",
                "grant",
                "creation",
                "stake",
                "reward",
                "stake_refund",
                "creation_refund",
                name="reason",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("kst_day", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kst_day IS NOT NULL) = (reason = 'top_up')",
            name=op.f("ck_ledger_entries_day_fits_reason"),
        ),
        sa.CheckConstraint(
            "CASE reason"
            " WHEN 'reward' THEN vote_id IS NOT NULL AND amount > 0"
            " WHEN 'stake' THEN vote_id IS NOT NULL AND amount < 0"
            " WHEN 'stake_refund' THEN vote_id IS NOT NULL AND amount > 0"
            " WHEN 'creation' THEN vote_id IS NOT NULL AND amount < 0"
            " WHEN 'creation_refund' THEN vote_id IS NOT NULL AND amount > 0"
            " WHEN 'top_up' THEN vote_id IS NULL AND amount > 0"
            " WHEN 'welcome' THEN vote_id IS NULL AND amount > 0"
            " WHEN 'grant' THEN vote_id IS NULL AND amount > 0"
            " ELSE FALSE END",
            name=op.f("ck_ledger_entries_fits_reason"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ledger_entries_user_id")),
        sa.ForeignKeyConstraint(["vote_id"], ["votes.id"], name=op.f("fk_ledger_entries_vote_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("vote_id", "user_id", "reason", name=op.f("uq_ledger_entries_vote_id")),
    )
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.create_index(
            "uq_ledger_top_up",
            ["user_id", "kst_day"],
            unique=True,
            sqlite_where=sa.text("kst_day IS NOT NULL"),
            postgresql_where=sa.text("kst_day IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_ledger_welcome",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("reason = 'welcome'"),
            postgresql_where=sa.text("reason = 'welcome'"),
        )

    _seal_ledger()


def _seal_ledger() -> None:
    """Nothing in the ledger is ever edited or deleted, whoever tries."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER ledger_sealed BEFORE UPDATE OR DELETE ON ledger_entries"
            " FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()"
        )
        return
    for deed in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_no_{deed.lower()} BEFORE {deed} ON ledger_entries"
            " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )


def downgrade() -> None:
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_ledger_welcome",
            sqlite_where=sa.text("reason = 'welcome'"),
            postgresql_where=sa.text("reason = 'welcome'"),
        )
        batch_op.drop_index(
            "uq_ledger_top_up",
            sqlite_where=sa.text("kst_day IS NOT NULL"),
            postgresql_where=sa.text("kst_day IS NOT NULL"),
        )

    op.drop_table("ledger_entries")
    with op.batch_alter_table("ballots", schema=None) as batch_op:
        batch_op.drop_index("ix_ballots_user")

    op.drop_table("ballots")
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.drop_index("uq_votes_request")
        batch_op.drop_index("ix_votes_popular")
        batch_op.drop_index("ix_votes_newest")
        batch_op.drop_index("ix_votes_due")
        batch_op.drop_index("ix_votes_divided")
        batch_op.drop_index("ix_votes_creator")
        batch_op.drop_index("ix_votes_coin")
        batch_op.drop_index("ix_votes_closing")

    op.drop_table("votes")
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quotes_observed_at"))

    op.drop_table("quotes")
    with op.batch_alter_table("price_samples", schema=None) as batch_op:
        batch_op.drop_index("ix_price_samples_age")

    op.drop_table("price_samples")
    op.drop_table("users")
    op.drop_table("leases")
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_job_runs_job")

    op.drop_table("job_runs")
    op.drop_table("coins")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ledger_is_append_only()")
