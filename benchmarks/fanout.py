"""`fanout`, `fanout_p99`: a thousand viewers of twenty coins that change every second."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event, Thread

from app.clock import utcnow
from benchmarks import stage
from benchmarks.crowd import Order, Seen
from benchmarks.serve import serving
from benchmarks.table import Row, middle, must_equal
from config import ROOT

VIEWERS, COINS, THREADS, RUNS = 1_000, 250, 8, 5
FULL_S, CALM_S = 4.0, 20.0
BAR_MS = 300.0
PATH = "/api/v1/live?board=top20"
Look = Callable[[str, str, float, float], Seen]


def run() -> list[Row]:
    """All at full speed in turn, then everybody once a second, then a look at what they saw."""
    taken: dict[str, list[float]] = {"ours": [], "peer": [], "hello": []}
    with stage.folder() as folder, crowd() as look:
        path = prepare(folder / "live.db")
        with (
            serving("whaling", path, THREADS) as (ours, _),
            serving("hello", THREADS) as (hello, _),
        ):
            with changing(path):
                for turn in range(RUNS + 1):
                    for name, address, asked in (
                        ("ours", ours, PATH),
                        ("peer", ours, "/peer/live"),
                        ("hello", hello, "/"),
                    ):
                        seen = look(address, asked, FULL_S, 0.0)
                        taken[name] += [len(seen.times_ms) / seen.seconds] if turn else []
                calm = look(ours, PATH, CALM_S, 1.0)
            _check(path, look(ours, PATH, 3.0, 1.0))
    return _rows({name: middle(figures) for name, figures in taken.items()}, calm)


def prepare(path: Path) -> Path:
    """250 coins with a price."""
    stage.migrated(path)
    with stage.filling(path) as connection:
        stage.add_people(connection, 1)
        stage.add_coins(connection, COINS)
    return path


@contextmanager
def crowd() -> Iterator[Look]:
    """The viewers, in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.crowd"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        orders, answers = process.stdin, process.stdout

        def look(address: str, path: str, seconds: float, pace_s: float) -> Seen:
            order = Order(address, path, VIEWERS, seconds, pace_s)
            print(json.dumps(asdict(order)), file=orders)
            orders.flush()
            line = answers.readline()
            if not line:
                raise RuntimeError("the crowd has left")
            return Seen(**json.loads(line))

        try:
            yield look
        finally:
            orders.close()


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Let the twenty with the largest turnover change their price every second."""
    over = Event()

    def change() -> None:
        connection = stage.connect(path)
        while not over.wait(1.0):
            connection.execute(
                "UPDATE quotes SET price = price + 100000000, observed_at = ? WHERE coin_id > ?",
                (stage.stamp(utcnow()), COINS - 20),
            )
        connection.close()

    thread = Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _check(path: Path, seen: Seen) -> None:
    """When nothing changes any more everybody holds the same prices, those of the database."""
    boards = [json.loads(body)["coins"] for body in seen.last]
    connection = stage.connect(path)
    wanted = connection.execute(
        "SELECT c.code, q.price / 100000000 FROM quotes q JOIN coins c ON c.id = q.coin_id"
        " ORDER BY q.turnover_24h DESC LIMIT 20"
    ).fetchall()
    connection.close()
    for board in boards:
        must_equal("prices", [(row[0], row[1]) for row in board], wanted)
    must_equal(
        "answers without a change", (len(boards) > 0, seen.unchanged > seen.fresh), (True,) * 2
    )


def _rows(taken: dict[str, float], calm: Seen) -> list[Row]:
    times = sorted(calm.times_ms)
    half, most = times[len(times) // 2], times[len(times) * 99 // 100]
    how = f"{VIEWERS:,} viewers on connections of their own, 20 coins, one change a second"
    return [
        Row(
            "fanout",
            taken["ours"],
            "answers/s",
            peer=taken["peer"],
            limit=taken["hello"],
            target_vs_limit=0.6,
            notes=(
                f"{how}; each asks again at once; {RUNS} runs, {THREADS} threads",
                "peer: serialised for each viewer; limit: Flask saying hello to the same crowd",
            ),
        ),
        Row(
            "fanout_p99",
            most,
            "ms",
            limit=BAR_MS,
            target_vs_limit=1.0,
            more_is_better=False,
            notes=(
                f"{how}; each asks once a second for {CALM_S:.0f} s: median {half:.1f} ms,"
                f" {calm.fresh:,} answers with news, {calm.unchanged:,} without",
                f"limit: the bar of {BAR_MS:.0f} ms",
            ),
        ),
    ]
