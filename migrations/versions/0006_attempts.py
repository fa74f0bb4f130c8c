"""Count how often a backtest was begun, so that one that kills the server isn't begun for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "backtests", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False)
    )
    op.drop_column("bots", "halt_reason")  # nothing was ever written there


def downgrade() -> None:
    op.add_column("bots", sa.Column("halt_reason", sa.String(length=200), nullable=True))
    op.drop_column("backtests", "attempts")
