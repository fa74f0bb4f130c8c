"""`answer_json`: as `answer`, by clients with tokens and idempotency keys."""

from pathlib import Path

from app.services import points
from benchmarks import answer, stage
from benchmarks.client import Client
from benchmarks.json_client import per_second, request, signed_in
from benchmarks.serve import serving
from benchmarks.table import Row, middle, must_equal

EACH, RUNS, HELLOS = 150, 5, 300


def run() -> list[Row]:
    """Ours, hello and plain commits in turn."""
    taken: dict[str, list[float]] = {"ours": [], "hello": [], "commits": []}
    with stage.folder() as folder:
        path = answer.prepare(folder / "answers.db")
        with (
            serving("whaling", path, answer.THREADS) as (ours, _),
            serving("hello", answer.THREADS) as (hello, _),
        ):
            people = [
                signed_in(ours, f"p{number}", answer.PASSWORD)
                for number in range(1, answer.CLIENTS + 1)
            ]
            clients = [client for client, _ in people]
            strangers = [Client(hello) for _ in people]
            for turn in range(RUNS + 1):
                votes = range(1 + turn * EACH, 1 + (turn + 1) * EACH)
                sent = [[_answer(token, vote) for vote in votes] for _, token in people]
                greetings = [[request("GET", "/")] * HELLOS for _ in strangers]
                measured = {
                    "ours": per_second(clients, sent, 201),
                    "hello": per_second(strangers, greetings, 200),
                    "commits": answer.commits(folder / "commits.db"),
                }
                for name, figure in measured.items():
                    taken[name] += [figure] if turn else []
        _check(path, EACH * (RUNS + 1))
    found = {name: middle(figures) for name, figures in taken.items()}
    return [
        Row(
            "answer_json",
            found["ours"],
            "answers/s",
            limit=min(found["hello"], found["commits"]),
            target_vs_limit=0.25,
            notes=(
                f"{RUNS} runs, {answer.CLIENTS} people, {answer.THREADS} threads, each answer with"
                f" a key of its own; hello {found['hello']:,.0f}/s, plain commits"
                f" {found['commits']:,.0f}/s, the lower is the limit",
            ),
        )
    ]


def _answer(token: str, vote: int) -> bytes:
    path, key = f"/api/v1/votes/{vote}/choice/", f"bench-{vote}"
    return request("POST", path, token, {"choice": 1 + vote % 2}, Idempotency_Key=key)


def _check(path: Path, votes: int) -> None:
    """Every answer is there once, paid for and kept under its key; the books are right."""
    connection = stage.connect(path)
    for table, where in (
        ("ballots", ""),
        ("kept_answers", " WHERE status = 201"),
        ("ledger_entries", " WHERE reason = 'stake' AND amount = -10"),
    ):
        number = connection.execute(f"SELECT count(*) FROM {table}{where}").fetchone()[0]
        must_equal(table, number, votes * answer.CLIENTS)
    connection.close()
    app = stage.make_app(path)
    with app.app_context():
        must_equal("differences in the books", list(points.audit()), [])
    stage.close_app(app)
