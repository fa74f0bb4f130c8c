"""`settle`: one vote with 10,000 answers, each person with 50 settled answers before, durable."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select

from app.domain.market import Candle
from app.domain.points import Reason
from app.domain.votes import Choice, Question, VoteState, crowd_was_right, outcome
from app.extensions import db
from app.models import Ballot, LedgerEntry, User, Vote
from app.services import votes
from app.services.votes import Evidence
from benchmarks import raw, stage
from benchmarks.table import Row, middle, must_equal

PEOPLE, HISTORY = 10_000, 50
#: An empty vote is settled first, so that nobody's first statements are measured.
WARM_UP = HISTORY + 1
VOTE = HISTORY + 2
RUNS, PEER_RUNS = 11, 3
ENDS = stage.NOW - timedelta(minutes=5)
FINAL = Decimal(111)
CANDLE = Candle(
    "KRW-C1", ENDS - timedelta(minutes=1), FINAL, FINAL, FINAL, FINAL, '{"trade_price":111}'
)
EVIDENCE = Evidence(CANDLE, "upbit", stage.NOW)
Deed = Callable[[Path], float]


def run() -> list[Row]:
    """Ours, the row-by-row peer and plain SQL in turn, each on a fresh copy of one database."""
    with stage.folder() as folder:
        base = prepare(folder / "base.db")
        deeds: dict[str, Deed] = {"limit": plain_sql, "ours": ours, "peer": row_by_row}
        _measured(base, folder, {"limit": plain_sql, "ours": ours})  # warms up
        taken: dict[str, list[float]] = {name: [] for name in deeds}
        for turn in range(RUNS):
            if turn == PEER_RUNS:
                del deeds["peer"]
            for name, seconds in _measured(base, folder, deeds).items():
                taken[name].append(PEOPLE / seconds)
    return [
        Row(
            "settle",
            middle(taken["ours"]),
            "answers/s",
            peer=middle(taken["peer"]),
            limit=middle(taken["limit"]),
            target_vs_peer=500,
            target_vs_limit=0.8,
            notes=(
                f"{RUNS} runs, peer {PEER_RUNS}; peer: objects row by row in one transaction, each"
                " person's right and settled answers counted anew; limit: sqlite3, four statements",
            ),
        )
    ]


def prepare(path: Path) -> Path:
    """10,000 people with 50 settled answers each, and one closed vote that all have answered."""
    stage.migrated(path)
    with stage.filling(path) as connection:
        stage.add_people(connection, PEOPLE)
        stage.add_coins(connection, 10)
        stage.add_history(connection, people=PEOPLE, settled=HISTORY)
        stage.add_votes(
            connection,
            WARM_UP,
            2,
            state="finished",
            opened=ENDS - timedelta(days=1),
            closes=ENDS - timedelta(hours=16),
            ends=ENDS,
            coins=1,
        )
        stage.add_answers(connection, VOTE, 1, each=PEOPLE, people=PEOPLE)
        stage.balance_books(connection)
    return path


def ours(path: Path) -> float:
    """The app's own deed."""
    app = stage.make_app(path)
    with app.app_context():
        assert votes.settle_votes(vote_ids=[WARM_UP], evidence=EVIDENCE, now=stage.NOW)
        began = time.perf_counter()
        assert votes.settle_votes(vote_ids=[VOTE], evidence=EVIDENCE, now=stage.NOW)
        seconds = time.perf_counter() - began
    stage.close_app(app)
    return seconds


def plain_sql(path: Path) -> float:
    """The same by hand, without anything between Python and SQLite."""
    connection = stage.connect(path)
    assert raw.settle(connection, WARM_UP, EVIDENCE, stage.NOW)
    began = time.perf_counter()
    assert raw.settle(connection, VOTE, EVIDENCE, stage.NOW)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def row_by_row(path: Path) -> float:
    """The usual way: load each answer and its person, pay, count the history anew, save."""
    app = stage.make_app(path)
    with app.app_context():
        settle_row_by_row(WARM_UP, EVIDENCE)
        began = time.perf_counter()
        settle_row_by_row(VOTE, EVIDENCE)
        seconds = time.perf_counter() - began
    stage.close_app(app)
    return seconds


def settle_row_by_row(vote_id: int, evidence: Evidence) -> None:
    """One vote by objects, in one transaction."""
    session = db.session()
    session.rollback()
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    vote = session.get_one(Vote, vote_id)
    result = outcome(
        Question(vote.direction, vote.duration, vote.range_pct),
        created_price=vote.created_price,
        final_price=evidence.candle.close,
    )
    vote.state, vote.outcome = VoteState.TRACKED, result
    vote.crowd_right = crowd_was_right(result, yes_count=vote.yes_count, no_count=vote.no_count)
    vote.final_price, vote.candle_opened_at = evidence.candle.close, evidence.candle.opened_at
    vote.quote_source, vote.quote_fetched_at = evidence.source, evidence.fetched_at
    vote.raw_quote = evidence.candle.raw
    vote.settled_at = vote.updated_at = stage.NOW
    for ballot in session.scalars(select(Ballot).where(Ballot.vote_id == vote_id)).all():
        _pay_and_recount(ballot, vote, result)
    session.commit()


def _pay_and_recount(ballot: Ballot, vote: Vote, result: Choice) -> None:
    session = db.session()
    user = session.get_one(User, ballot.user_id)
    if ballot.choice is result:
        user.points += vote.earned_point
        session.add(
            LedgerEntry(
                user_id=user.id,
                vote_id=vote.id,
                reason=Reason.REWARD,
                amount=vote.earned_point,
                created_at=stage.NOW,
            )
        )
    settled = (
        select(func.count())
        .select_from(Ballot)
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Ballot.user_id == user.id, Vote.state == VoteState.TRACKED)
    )
    user.settled_count = session.scalars(settled).one()
    user.right_count = session.scalars(settled.where(Ballot.choice == Vote.outcome)).one()


def _measured(base: Path, folder: Path, deeds: dict[str, Deed]) -> dict[str, float]:
    """Seconds of each deed on its own copy; all must leave the same books."""
    taken, books = {}, {}
    for name, deed in deeds.items():
        path = stage.copy(base, folder / f"{name}.db")
        taken[name] = deed(path)
        books[name] = raw.books(path, WARM_UP)
    for name, found in books.items():
        must_equal(f"books of {name}", books["ours"], found)
    return taken
