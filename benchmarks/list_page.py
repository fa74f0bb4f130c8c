"""`list_page`: the list of 20 votes for a signed-in person, 100,000 votes in the database."""

import re
from datetime import timedelta
from pathlib import Path

from app.clock import utcnow
from app.services.accounts import hash_password
from benchmarks import stage
from benchmarks.client import Client, per_second
from benchmarks.serve import serving
from benchmarks.table import Row, middle, must_equal

PEOPLE, COINS = 1_000, 200
ONGOING, FINISHED, SETTLED = 30_000, 20_000, 50_000
ALL = ONGOING + FINISHED + SETTLED
#: Each has answered one of the twenty votes on the page.
READERS, PASSWORD = (1, 4, 7, 10), "bench-whaling"
THREADS, RUNS = 8, 7
PAGES, HELLOS = 150, 400
_CARDS = re.compile(rb'<article class="wl-card wl-vote" data-live="vote-(\d+)"')


def run() -> list[Row]:
    """The page and a bare hello in turn, from servers with equally many threads."""
    taken: dict[str, list[float]] = {"ours": [], "limit": []}
    with stage.folder() as folder:
        path = prepare(folder / "list.db")
        with (
            serving("whaling", path, THREADS) as (ours, _),
            serving("hello", THREADS) as (hello, _),
        ):
            readers = [_reader(ours, number) for number in READERS]
            strangers = [Client(hello) for _ in READERS]
            for turn in range(RUNS + 1):
                page = per_second(readers, lambda client: client.prepare("GET", "/votes"), PAGES)
                least = per_second(strangers, lambda client: client.prepare("GET", "/"), HELLOS)
                taken["ours"] += [page] if turn else []
                taken["limit"] += [least] if turn else []
            size = _check(readers[0], path)
    return [
        Row(
            "list_page",
            middle(taken["ours"]),
            "pages/s",
            limit=middle(taken["limit"]),
            target_vs_limit=0.45,
            notes=(
                f"{RUNS} runs, {len(READERS)} people, {THREADS} threads; {size / 1024:.0f}"
                " KB a page; limit: Flask saying hello",
            ),
        )
    ]


def prepare(path: Path) -> Path:
    """1,000 people, 200 coins, 100,000 votes with three answers each."""
    stage.migrated(path)
    with stage.filling(path) as connection:
        stage.add_people(connection, PEOPLE, hash_password(PASSWORD))
        stage.add_coins(connection, COINS)
        day = timedelta(days=1)
        now = utcnow()
        spans = (
            (1, SETTLED, "tracked", now - 20 * day, now - 13 * day, now - 6 * day),
            (SETTLED + 1, FINISHED, "finished", now - 5 * day, now - 2 * day, now + 2 * day),
            (SETTLED + FINISHED + 1, ONGOING, "ongoing", now - day, now + 2 * day, now + 6 * day),
        )
        for first, number, state, opened, closes, ends in spans:
            stage.add_votes(
                connection, first, number, state=state, opened=opened, closes=closes, ends=ends,
                coins=COINS,
            )  # fmt: skip
        stage.add_answers(connection, 1, ALL, each=3, people=PEOPLE)
        stage.balance_books(connection)
    return path


def _reader(address: str, number: int) -> Client:
    client = Client(address)
    client.sign_in(f"p{number}", PASSWORD)
    return client


def _check(client: Client, path: Path) -> int:
    """The page shows the right twenty votes to a signed-in person; returns its size."""
    connection = stage.connect(path)
    closing_first = "SELECT id FROM votes WHERE stage = 0 ORDER BY finished_at, id LIMIT 20"
    wanted = [row[0] for row in connection.execute(closing_first)]
    connection.close()
    status, body = client.get("/votes")
    must_equal("status", status, 200)
    must_equal("votes on the page", [int(ident) for ident in _CARDS.findall(body)], wanted)
    must_equal("signed in", b'href="/me/points"' in body, True)
    return len(body)
