"""Which version the database is at, known without loading the migration tool."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

#: Changes nothing, and fails where the database can only be read. (Beginning to write wouldn't.)
TOUCH = text("UPDATE alembic_version SET version_num = version_num")


class SchemaError(Exception):
    """The database can't be used by this version; the message says what to do."""


def revisions() -> list[str]:
    """The versions this program knows, oldest first; a file's name begins with its number."""
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest tables; raises SchemaError when it is newer than us."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    known = revisions()
    if found is not None and found not in known:
        raise SchemaError(
            f"the database is at version {found}, this program knows versions up to {known[-1]}: "
            "it was used by a newer Whaling; start that one, or restore a backup"
        )
    return found == known[-1]
