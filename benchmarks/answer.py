"""`answer`: durable answers per second over HTTP, eight people at once on the same votes."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from app.clock import utcnow
from app.services import points
from app.services.accounts import hash_password
from benchmarks import stage
from benchmarks.client import Client, at_once, per_second
from benchmarks.serve import serving
from benchmarks.table import Row, middle, must_equal

CLIENTS, THREADS, RUNS = 8, 8, 5
EACH, PEER_EACH, HELLOS, COMMITS = 150, 75, 300, 2_000
PASSWORD = "bench-whaling"
#: Per run so many votes for ours, and behind them so many for the peer.
SPAN = EACH + PEER_EACH
VOTES = SPAN * (RUNS + 1)


def run() -> list[Row]:
    """Ours, the peer, hello and plain commits in turn."""
    taken: dict[str, list[float]] = {"ours": [], "peer": [], "hello": [], "commits": []}
    with stage.folder() as folder:
        path = prepare(folder / "answers.db")
        with (
            serving("whaling", path, THREADS) as (ours, _),
            serving("hello", THREADS) as (hello, _),
        ):
            people = [_member(ours, number) for number in range(1, CLIENTS + 1)]
            strangers = [Client(hello) for _ in people]
            for turn in range(RUNS + 1):
                first = 1 + turn * SPAN
                measured = {
                    "ours": _answers(people, "/votes/{}/answer", first, EACH),
                    "peer": _answers(people, "/peer/{}", first + EACH, PEER_EACH),
                    "hello": per_second(strangers, lambda c: c.prepare("GET", "/"), HELLOS),
                    "commits": commits(folder / "commits.db"),
                }
                for name, figure in measured.items():
                    taken[name] += [figure] if turn else []
        _check(path)
    return [_row({name: middle(figures) for name, figures in taken.items()})]


def _row(taken: dict[str, float]) -> Row:
    return Row(
        "answer",
        taken["ours"],
        "answers/s",
        peer=taken["peer"],
        limit=min(taken["hello"], taken["commits"]),
        target_vs_limit=0.3,
        notes=(
            f"{RUNS} runs, {CLIENTS} people, {THREADS} threads; none lost, none double, books"
            f" clean; peer: objects read, changed, written back; hello {taken['hello']:,.0f}/s,"
            f" plain commits {taken['commits']:,.0f}/s, the lower is the limit",
        ),
    )


def prepare(path: Path) -> Path:
    """Eight people with points enough, and votes that take answers."""
    stage.migrated(path)
    now = utcnow()
    with stage.filling(path) as connection:
        stage.add_people(connection, CLIENTS, hash_password(PASSWORD))
        stage.add_coins(connection, 10)
        stage.add_votes(
            connection,
            1,
            VOTES,
            state="ongoing",
            opened=now - timedelta(hours=1),
            closes=now + timedelta(days=1),
            ends=now + timedelta(days=2),
            coins=10,
        )
        stage.balance_books(connection)
    return path


def _member(address: str, number: int) -> Client:
    client = Client(address)
    client.sign_in(f"p{number}", PASSWORD)
    return client


def _answers(people: list[Client], path: str, first: int, each: int) -> float:
    """Answers per second when everybody answers the same votes in the same order."""

    def work(number: int, client: Client) -> Callable[[], None]:
        choices = ("yes", "no")
        requests = [
            client.prepare("POST", path.format(vote), choice=choices[(vote + number) % 3 == 0])
            for vote in range(first, first + each)
        ]

        def send() -> None:
            for request in requests:
                status, body = client.send(request)
                if status != 303:
                    raise RuntimeError(f"answer refused: {status} {body[:200]!r}")

        return send

    return len(people) * each / at_once([work(n, client) for n, client in enumerate(people)])


def commits(path: Path) -> float:
    """One-row transactions per second with the same durability."""
    path.unlink(missing_ok=True)
    connection = stage.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS answers (vote INTEGER)")
    began = time.perf_counter()
    for number in range(COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO answers VALUES (?)", (number,))
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return COMMITS / seconds


def _check(path: Path) -> None:
    """Every answer is there once, counted and paid for; ours and the peer did the same."""
    connection = stage.connect(path)
    votes = connection.execute("SELECT id, yes_count, no_count FROM votes ORDER BY id").fetchall()
    wanted = []
    for vote in range(1, VOTES + 1):
        no = sum((vote + number) % 3 == 0 for number in range(CLIENTS))
        wanted.append((vote, CLIENTS - no, no))
    must_equal("counts of votes", votes, wanted)
    ballots = connection.execute("SELECT count(*) FROM ballots").fetchone()[0]
    must_equal("answers", ballots, CLIENTS * VOTES)
    stakes = connection.execute(
        "SELECT count(*), sum(amount) FROM ledger_entries WHERE reason = 'stake'"
    ).fetchone()
    must_equal("stakes", stakes, (CLIENTS * VOTES, -10 * CLIENTS * VOTES))
    connection.close()
    app = stage.make_app(path)
    with app.app_context():
        must_equal("differences in the books", list(points.audit()), [])
    stage.close_app(app)
