"""`minute`: 250 tickers stored, 500 due votes of 100 answers closed and settled."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from app import jobs
from app.clock import utcnow
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.services.market import refresh_listings, store_tickers
from benchmarks import minute_limit, minute_peer, raw, stage
from benchmarks.serve import MARKETS, serving
from benchmarks.table import Row, middle, must_equal

PEOPLE, HISTORY = 10_000, 50
FIRST, VOTES, ANSWERS = HISTORY + 1, 500, 100
#: The due votes are about so many coins, and all of one minute: that is how many candles are asked.
COINS = 25
RUNS = 5
ENDS = stage.NOW - timedelta(minutes=3)
#: Where the exchange's clock stands still: so long ago that its own stamps tell the prices' age.
EXCHANGE_NOW = stage.NOW - timedelta(minutes=1)


def run() -> list[Row]:
    """Ours, the row-by-row peer and plain SQL in turn, each on a fresh copy of one database."""
    taken: dict[str, list[float]] = {"ours": [], "limit": [], "peer": []}
    with stage.folder() as folder, serving("simulator", EXCHANGE_NOW.isoformat()) as (url, _):
        base = prepare(folder / "base.db", url)
        app = make_app(folder / "ours.db", url)
        deeds: dict[str, Callable[[], float]] = {
            "ours": lambda: ours(app),
            "limit": lambda: minute_limit.run(folder / "limit.db", url),
            "peer": lambda: minute_peer.run(folder / "peer.db", url),
        }
        for turn in range(RUNS + 1):
            names = ("ours", "limit", "peer") if turn == 1 else ("ours", "limit")
            for name in names:
                stage.copy(base, folder / f"{name}.db")
                seconds = deeds[name]()
                taken[name] += [seconds * 1000] if turn else []
            _compare(folder, names)
        stage.close_app(app)
    return [_row({name: middle(values) for name, values in taken.items()})]


def _row(taken: dict[str, float]) -> Row:
    return Row(
        "minute",
        taken["ours"],
        "ms",
        peer=taken["peer"],
        limit=taken["limit"],
        target_vs_peer=200,
        target_vs_limit=0.5,
        more_is_better=False,
        notes=(
            f"{RUNS} runs, peer once; {COINS} candle requests each; all fetch from the simulator;"
            " peer: SQLAlchemy objects row by row, a transaction per vote; limit: http.client,"
            " json, sqlite3, a transaction per coin as ours, nothing checked",
        ),
    )


def make_app(path: Path, url: str) -> Flask:
    """The application, asking the simulator as fast as it can."""
    app = stage.make_app(path, upbit_url=url)
    app.extensions["whaling_market"] = Upbit(url, pacer=Pacer(per_second=1_000_000))
    return app


def prepare(path: Path, url: str) -> Path:
    """10,000 people with 50 settled answers each, 250 coins, 500 votes due to close and settle."""
    stage.migrated(path)
    app = make_app(path, url)
    with app.app_context():
        market = app.extensions["whaling_market"]
        refresh_listings(market=market, now=stage.NOW)
        assert store_tickers(market=market, now=stage.NOW).stored == MARKETS
        jobs.records.record_run(
            job="listings", holder="", started_at=utcnow(), finished_at=utcnow(), ok=True, report={}
        )
    stage.close_app(app)
    with stage.filling(path) as connection:
        connection.execute("UPDATE coins SET logo_checked_at = ?", (stage.stamp(stage.NOW),))
        hour_ago = stage.stamp(stage.NOW - timedelta(hours=1))
        connection.execute("UPDATE quotes SET observed_at = ?1, fetched_at = ?1", (hour_ago,))
        connection.execute("DELETE FROM price_samples")
        stage.add_people(connection, PEOPLE)
        stage.add_history(connection, people=PEOPLE, settled=HISTORY)
        stage.add_votes(
            connection,
            FIRST,
            VOTES,
            state="ongoing",
            opened=ENDS - timedelta(days=1),
            closes=ENDS - timedelta(hours=16),
            ends=ENDS,
            coins=COINS,
        )
        connection.execute(
            "UPDATE votes SET created_price = q.price FROM quotes q"
            " WHERE q.coin_id = votes.coin_id AND votes.id >= ?",
            (FIRST,),
        )
        stage.add_answers(connection, FIRST, VOTES, each=ANSWERS, people=PEOPLE)
        stage.balance_books(connection)
    return path


def ours(app: Flask) -> float:
    """The minute job as the scheduler runs it: lease, steps, record."""
    with app.app_context():
        db.engine.dispose()
        db.session.execute(text("SELECT count(*) FROM leases"))
        db.session.remove()
    began = time.perf_counter()
    jobs.run_job(app, jobs.JOBS[0])
    seconds = time.perf_counter() - began
    with app.app_context():
        db.engine.dispose()
    return seconds


def _compare(folder: Path, names: tuple[str, ...]) -> None:
    books = {name: raw.books(folder / f"{name}.db", FIRST, prices=True) for name in names}
    settled = raw.count_settled(folder / "ours.db", FIRST)
    must_equal("settled votes", settled, VOTES)
    for name in names:
        must_equal(f"books of {name}", books["ours"], books[name])
