"""How Alembic reaches our tables: the application's own engine, batch mode for SQLite."""

from alembic import context

import app.models  # noqa: F401  # the tables register themselves
from app.extensions import Base, db


def run() -> None:
    """Apply the migrations in one transaction, begun IMMEDIATE so that nobody writes between."""
    options = {"sqlite_begin": "IMMEDIATE"}
    with db.engine.connect().execution_options(**options) as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=True
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
