"""Let people sign in with Kakao, have a picture, see where they are signed in, and leave."""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "0003"
down_revision = "0002"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("picture", sa.String(length=64), nullable=True))
    op.add_column("users", sa.Column("deleted_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column(
        "client_sessions",
        sa.Column("is_web", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column(
            "provider",
            sa.Enum(
                "kakao", name="provider", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("picture_url", sa.String(length=500), nullable=True),
        sa.Column("linked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("unlinked_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identities_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_identities_provider")),
        sa.UniqueConstraint("user_id", "provider", name=op.f("uq_identities_user_id")),
    )
    op.create_table(
        "pictures",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("fetched_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_pictures_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_pictures")),
    )
    op.create_index("ix_pictures_digest", "pictures", ["digest"], unique=False)


def downgrade() -> None:
    op.drop_table("pictures")
    op.drop_table("identities")
    with op.batch_alter_table("client_sessions", schema=None) as batch_op:
        batch_op.drop_column("is_web")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("deleted_at")
        batch_op.drop_column("picture")
