"""The stage: databases with many people, votes and answers, made by a few set-based statements."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate, upgrade

from app import create_app
from app.clock import utcnow
from app.domain.kst import floor_minute
from app.extensions import db
from app.schema import MIGRATIONS
from config import Config

SECRET = "a secret that is long enough for a benchmark"
#: Every contender writes with these, as the app does (app/db).
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-16384",
    "temp_store=MEMORY",
)
NOW = floor_minute(utcnow())
WELCOME, GRANT = 300, 100_000
#: Who says yes: a spread of answers that the database works out by itself.
CHOICE = "CASE WHEN (p.id * 31 + v.id * 17) % 10 < 5 THEN 'yes' ELSE 'no' END"
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that goes away with everything in it."""
    with tempfile.TemporaryDirectory(prefix="whaling-bench-") as name:
        yield Path(name)


def stamp(moment: datetime) -> str:
    """A moment as our tables keep it in SQLite."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def connect(path: Path) -> sqlite3.Connection:
    """A plain connection with the app's own settings; transactions are begun by hand."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def make_app(path: Path, **settings: object) -> Flask:
    """The application over this database; keyword arguments are settings."""
    values = {
        "database_url": f"sqlite:///{path}",
        "secret_key": SECRET,
        "instance": path.parent,
        "rate_limits": False,
        "upbit_url": "http://127.0.0.1:9",
        "upbit_logo_url": "http://127.0.0.1:9",
        "whale_min_settled": 10,
    } | settings
    return create_app(Config(**values))  # type: ignore[arg-type]


def close_app(app: Flask) -> None:
    """Let go of the application's connections."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def migrated(path: Path) -> Path:
    """A new database with the newest tables and nothing in them."""
    app = make_app(path)
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        upgrade()
    close_app(app)
    return path


def copy(source: Path, target: Path) -> Path:
    """The database in another file; the write-ahead log must have been folded in."""
    for leftover in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
        leftover.unlink(missing_ok=True)
    shutil.copyfile(source, target)
    return target


@contextmanager
def filling(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for filling: one large transaction with a large cache, folded in at the end."""
    connection = connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-400000")
    connection.execute("BEGIN")
    yield connection
    connection.execute("COMMIT")
    connection.execute("PRAGMA optimize")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def add_people(
    connection: sqlite3.Connection, number: int, password_hash: str | None = None
) -> None:
    """`number` people with points enough for every answer, through the ledger."""
    joined = stamp(NOW - timedelta(days=400))
    connection.execute(
        f"{_NUMBERS} INSERT INTO users (id, nickname, nickname_key, password_hash, is_staff,"
        " points, right_count, settled_count, session_epoch, created_at)"
        " SELECT i, 'p' || i, 'p' || i, ?, 0, 0, 0, 0, 0, ? FROM n",
        (number, password_hash, joined),
    )
    for reason, amount in (("welcome", WELCOME), ("grant", GRANT)):
        connection.execute(
            "INSERT INTO ledger_entries (user_id, reason, amount, created_at)"
            " SELECT id, ?, ?, ? FROM users",
            (reason, amount, joined),
        )


def add_coins(connection: sqlite3.Connection, number: int) -> None:
    """`number` coins, each with a quote of this moment at 100 won and more."""
    connection.execute(
        f"{_NUMBERS} INSERT INTO coins (id, code, market, korean_name, english_name, search_key,"
        " warning, cautions, is_active, listed_at, logo_checked_at, has_logo)"
        " SELECT i, 'C' || i, 'KRW-C' || i, '코인' || i, 'Coin ' || i, lower('C' || i),"
        " 0, '', 1, ?, ?, 0 FROM n",
        (number, stamp(NOW - timedelta(days=400)), stamp(NOW)),
    )
    connection.execute(
        "INSERT INTO quotes (coin_id, price, prev_close, change_rate, turnover_24h, traded_at,"
        " observed_at, fetched_at, suspect_count)"
        " SELECT id, (100 + id) * 100000000, (99 + id) * 100000000, 0.01, 1e9 * id, ?1, ?1, ?1, 0"
        " FROM coins",
        (stamp(NOW),),
    )


def add_votes(
    connection: sqlite3.Connection,
    first: int,
    number: int,
    *,
    state: str,
    opened: datetime,
    closes: datetime,
    ends: datetime,
    coins: int,
    price_units: int = 10_000_000_000,
) -> None:
    """Votes `first` and on, free to make, ten points to answer, spread over the first coins.

    Settled ones (`tracked`) came out yes and no in turn.
    """
    settled = state == "tracked"
    connection.execute(
        f"{_NUMBERS} INSERT INTO votes (id, coin_id, creator_id, request_key, is_staff_vote,"
        " direction, duration, range_pct, spent_point, earned_point, creation_cost, state,"
        " created_at, finished_at, tracked_at, created_price, created_price_at, yes_count,"
        " no_count, yes_whales, no_whales, outcome, crowd_right, final_price, candle_opened_at,"
        " quote_source, quote_fetched_at, raw_quote, settled_at, updated_at, attempts)"
        " SELECT ?2 + i - 1, 1 + (i - 1) % ?3, 1, 'bench-' || (?2 + i - 1), 0,"
        " CASE i % 2 WHEN 0 THEN 'up' ELSE 'down' END,"
        " CASE i % 3 WHEN 0 THEN 'day' WHEN 1 THEN 'week' ELSE 'month' END,"
        " 1 + i % 9, 10, 20, 0, ?4, ?5, ?6, ?7, ?8, ?5, 0, 0, 0, 0,"
        " CASE WHEN ?9 THEN CASE i % 2 WHEN 0 THEN 'yes' ELSE 'no' END END,"
        " CASE WHEN ?9 THEN 1 END, CASE WHEN ?9 THEN ?8 END, CASE WHEN ?9 THEN ?6 END,"
        " CASE WHEN ?9 THEN 'upbit' END, CASE WHEN ?9 THEN ?7 END, CASE WHEN ?9 THEN '{}' END,"
        " CASE WHEN ?9 THEN ?7 END, ?5, 0 FROM n",
        (
            number, first, coins, state, stamp(opened), stamp(closes), stamp(ends), price_units,
            settled,
        ),
    )  # fmt: skip


def add_answers(
    connection: sqlite3.Connection, first: int, votes: int, *, each: int, people: int
) -> None:
    """`each` answers to every one of the votes `first` and on, by people in turn, with stakes."""
    at = stamp(NOW - timedelta(days=300))
    connection.execute(
        f"{_NUMBERS} INSERT INTO ballots (vote_id, user_id, choice, is_whale, created_at)"
        f" SELECT v.id, p.id, {CHOICE}, 0, ?5 FROM votes v JOIN n ON 1"
        " JOIN users p ON p.id = 1 + ((v.id - ?2) * ?1 + n.i - 1) % ?4"
        " WHERE v.id >= ?2 AND v.id < ?2 + ?3",
        (each, first, votes, people, at),
    )
    chosen = (first, votes)
    of_these = "vote_id >= ?1 AND vote_id < ?1 + ?2"
    connection.execute(
        "INSERT INTO ledger_entries (user_id, vote_id, reason, amount, created_at)"
        " SELECT user_id, vote_id, 'stake', -10, created_at FROM ballots"
        f" WHERE {of_these} ORDER BY vote_id, user_id",
        chosen,
    )
    connection.execute(
        "UPDATE votes SET yes_count = c.yes, no_count = c.no FROM"
        " (SELECT vote_id, sum(choice = 'yes') AS yes, sum(choice = 'no') AS no FROM ballots"
        f" WHERE {of_these} GROUP BY vote_id) AS c WHERE votes.id = c.vote_id",
        chosen,
    )


def balance_books(connection: sqlite3.Connection) -> None:
    """Pay what settled votes owe, and bring every person's sums in line with the ledger."""
    connection.execute(
        "INSERT INTO ledger_entries (user_id, vote_id, reason, amount, created_at)"
        " SELECT b.user_id, b.vote_id, 'reward', v.earned_point, v.settled_at FROM ballots b"
        " JOIN votes v ON v.id = b.vote_id AND v.state = 'tracked' AND v.outcome = b.choice"
    )
    connection.execute(
        "UPDATE users SET points = e.total FROM (SELECT user_id, sum(amount) AS total"
        " FROM ledger_entries GROUP BY user_id) AS e WHERE e.user_id = users.id"
    )
    connection.execute(
        "UPDATE users SET settled_count = b.settled, right_count = b.hits FROM"
        " (SELECT user_id, count(*) AS settled, sum(b.choice = v.outcome) AS hits FROM ballots b"
        " JOIN votes v ON v.id = b.vote_id WHERE v.state = 'tracked' GROUP BY user_id) AS b"
        " WHERE b.user_id = users.id"
    )


def add_history(connection: sqlite3.Connection, *, people: int, settled: int) -> None:
    """Settled votes 1 and on that everybody answered."""
    add_votes(
        connection,
        1,
        settled,
        state="tracked",
        opened=NOW - timedelta(days=301),
        closes=NOW - timedelta(days=300, hours=16),
        ends=NOW - timedelta(days=300),
        coins=10,
    )
    add_answers(connection, 1, settled, each=people, people=people)
