"""`votes_json`, `votes_304`, `token_verify`: what a client asks most, 100,000 votes behind it."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from app.clock import utcnow
from app.services.accounts import hash_password
from benchmarks import stage
from benchmarks.client import Client
from benchmarks.json_client import per_second, request, signed_in
from benchmarks.serve import serving
from benchmarks.table import Row, middle, must_equal

PEOPLE, COINS, VOTES, EACH = 1_000, 200, 100_000, 10
ONGOING = 30_000
READERS, PASSWORD = (1, 4, 7, 10), "bench-whaling"
THREADS, RUNS = 8, 7
LISTS, CHECKS, HELLOS = 100, 300, 400
PATH = "/api/v1/votes?limit=100"


def run() -> list[Row]:
    """The list, the list not changed since, the check of a token, and a bare hello in turn."""
    taken: dict[str, list[float]] = {"list": [], "same": [], "check": [], "hello": []}
    with stage.folder() as folder:
        path = prepare(folder / "votes.db")
        with (
            serving("whaling", path, THREADS) as (ours, _),
            serving("hello", THREADS) as (hello, _),
        ):
            signed = [signed_in(ours, f"p{number}", PASSWORD) for number in READERS]
            clients = [client for client, _ in signed]
            strangers = [Client(hello) for _ in signed]
            sent = {
                "list": [[request("GET", PATH, token)] * LISTS for _, token in signed],
                "same": [[_if_changed(client, token)] * LISTS for client, token in signed],
                "check": [
                    [request("POST", "/api/v1/auth/token/verify", token)] * CHECKS
                    for _, token in signed
                ],
                "hello": [[request("GET", "/")] * HELLOS for _ in strangers],
            }
            for turn in range(RUNS + 1):
                for name, requests in sent.items():
                    who = strangers if name == "hello" else clients
                    figure = per_second(who, requests, 304 if name == "same" else 200)
                    taken[name] += [figure] if turn else []
            size = _check(*signed[0], path)
    return _rows({name: middle(figures) for name, figures in taken.items()}, size)


def prepare(path: Path) -> Path:
    """1,000 people, 200 coins, 100,000 votes, 1,000,000 answers."""
    stage.migrated(path)
    day, now = timedelta(days=1), utcnow()
    over = VOTES - ONGOING
    with stage.filling(path) as connection:
        stage.add_people(connection, PEOPLE, hash_password(PASSWORD))
        stage.add_coins(connection, COINS)
        stage.add_votes(
            connection, 1, over, state="tracked", opened=now - 20 * day, closes=now - 13 * day,
            ends=now - 6 * day, coins=COINS,
        )  # fmt: skip
        stage.add_votes(
            connection, over + 1, ONGOING, state="ongoing", opened=now - day, closes=now + 2 * day,
            ends=now + 6 * day, coins=COINS,
        )  # fmt: skip
        stage.add_answers(connection, 1, VOTES, each=EACH, people=PEOPLE)
        stage.balance_books(connection)
    return path


def _if_changed(client: Client, token: str) -> bytes:
    """The request of a client that has the list already."""
    _status, body = client.send(request("GET", PATH, token))
    etag = hashlib.sha256(body).hexdigest()[:32]
    return request("GET", PATH, token, If_None_Match=f'"{etag}"')


def _check(client: Client, token: str, path: Path) -> int:
    """The list holds the newest votes with this person's own answers; returns its size."""
    _status, body = client.send(request("GET", PATH, token))
    found = json.loads(body)
    must_equal("votes", [vote["vote_id"] for vote in found], list(range(VOTES, VOTES - 100, -1)))
    connection = stage.connect(path)
    answered = connection.execute(
        "SELECT vote_id FROM ballots WHERE user_id = ? AND vote_id > ? ORDER BY vote_id DESC",
        (READERS[0], VOTES - 100),
    ).fetchall()
    connection.close()
    mine = [(vote["vote_id"],) for vote in found if vote["user"]["choice"] is not None]
    must_equal("own answers", mine, answered)
    return len(body)


def _rows(taken: dict[str, float], size: int) -> list[Row]:
    how = f"{RUNS} runs, {len(READERS)} people, {THREADS} threads; limit: Flask saying hello"
    told = (
        (
            "votes_json",
            "list",
            "lists/s",
            0.35,
            f"100 newest of 100,000 votes, {size / 1024:.0f} KB",
        ),
        ("votes_304", "same", "lists/s", 0.7, "the same with If-None-Match"),
        ("token_verify", "check", "checks/s", 0.6, "POST /auth/token/verify"),
    )
    return [
        Row(
            name, taken[key], unit, limit=taken["hello"], target_vs_limit=target,
            notes=(f"{what}; {how}",),
        )
        for name, key, unit, target, what in told
    ]  # fmt: skip
