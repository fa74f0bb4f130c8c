"""`settle_million`: 100 votes with 1,000,000 answers in all, each vote its own transaction."""

import time
from datetime import timedelta
from pathlib import Path

from app.services import votes
from benchmarks import raw, stage
from benchmarks.memory import resident_mb
from benchmarks.settle import ENDS, EVIDENCE
from benchmarks.table import Row, middle, must_equal

PEOPLE, VOTES = 10_000, 100
#: The first vote has no answers; it warms up.
FIRST = 2
RUNS = 3


def run() -> list[Row]:
    """Ours and plain SQL vote by vote in turn, on two copies of one database."""
    taken: dict[str, list[float]] = {"ours": [], "limit": []}
    growth = []
    with stage.folder() as folder:
        base = prepare(folder / "base.db")
        for _ in range(RUNS):
            paths = [stage.copy(base, folder / f"{name}.db") for name in taken]
            ours, limit, grown = in_turn(*paths)
            taken["ours"].append(PEOPLE * VOTES / ours)
            taken["limit"].append(PEOPLE * VOTES / limit)
            growth.append(grown)
            must_equal("books", *(raw.books(path, 1) for path in paths))
    return [
        Row(
            "settle_million",
            middle(taken["ours"]),
            "answers/s",
            limit=middle(taken["limit"]),
            target_vs_limit=0.8,
            notes=(
                f"{RUNS} runs, vote by vote in turn; limit: sqlite3, the statements of `settle`;"
                f" memory from the 10th to the 100th vote: {middle(growth):+.1f} MB",
            ),
        )
    ]


def prepare(path: Path) -> Path:
    """10,000 people, 100 closed votes that all of them answered."""
    stage.migrated(path)
    with stage.filling(path) as connection:
        stage.add_people(connection, PEOPLE)
        stage.add_coins(connection, 1)
        stage.add_votes(
            connection,
            1,
            VOTES + 1,
            state="finished",
            opened=ENDS - timedelta(days=1),
            closes=ENDS - timedelta(hours=16),
            ends=ENDS,
            coins=1,
        )
        stage.add_answers(connection, FIRST, VOTES, each=PEOPLE, people=PEOPLE)
        stage.balance_books(connection)
    return path


def in_turn(our_path: Path, limit_path: Path) -> tuple[float, float, float]:
    """Seconds of both, and by how many MB the process grew after the tenth vote."""
    app, connection = stage.make_app(our_path), stage.connect(limit_path)
    ours = limit = before = 0.0
    with app.app_context():
        for vote_id in range(1, FIRST + VOTES):
            began = time.perf_counter()
            assert votes.settle_votes(vote_ids=[vote_id], evidence=EVIDENCE, now=stage.NOW)
            between = time.perf_counter()
            assert raw.settle(connection, vote_id, EVIDENCE, stage.NOW)
            ended = time.perf_counter()
            if vote_id >= FIRST:
                ours, limit = ours + between - began, limit + ended - between
            if vote_id == FIRST + 9:
                before = resident_mb()
        grown = resident_mb() - before
    connection.close()
    stage.close_app(app)
    return ours, limit, grown
