"""Many at once through a real server: nobody pays twice, nobody spends what isn't there."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.clock import utcnow
from app.extensions import db
from app.models import User
from app.services import points
from tests import factories as make
from tests.api.conftest import SignIn
from tests.conftest import SECRET
from tests.serving import serving

Answered = tuple[int, str]
pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path, app: Flask) -> Iterator[str]:
    """A server of its own process over this test's database."""
    file = f"sqlite:///{tmp_path / 'test.db'}"
    with serving(tmp_path, DATABASE_URL=file, SECRET_KEY=SECRET, SCHEDULER="off") as (address, _):
        yield address


def choose(server: str, access: str, vote_id: int) -> Answered:
    """Status and code of one answer, over a connection of its own."""
    place = urlsplit(server)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/json"}
    path = f"/api/v1/votes/{vote_id}/choice/"
    connection.request("POST", path, json.dumps({"choice": 1}), headers)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body.get("error", {}).get("code", "")


def at_once(deeds: list[Callable[[], Answered]]) -> Counter[Answered]:
    barrier, found = Barrier(len(deeds)), []

    def run(deed: Callable[[], Answered]) -> None:
        barrier.wait()
        found.append(deed())

    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(found)


def test_sixty_four_answers_of_one_person_count_once(
    server: str, sign_in: SignIn, alice: User, bob: User
) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id
    access = sign_in(bob).access

    found = at_once([lambda: choose(server, access, vote_id)] * 64)

    assert found == {(201, ""): 1, (400, "already_answered"): 63}
    db.session.rollback()
    assert make.balance(bob) == 290
    assert list(points.audit()) == []


def test_last_ten_points_are_spent_once_by_thirty_two(server: str, sign_in: SignIn) -> None:
    rich = make.make_user("rich", points=5_000)
    poor = make.make_user("poor", points=10)
    ids = [make.make_vote(rich, now=utcnow()).id for _ in range(32)]
    access = sign_in(poor).access

    def spend(vote_id: int) -> Callable[[], Answered]:
        return lambda: choose(server, access, vote_id)

    found = at_once([spend(vote_id) for vote_id in ids])

    assert found == {(201, ""): 1, (400, "not_enough_points"): 31}
    db.session.rollback()
    assert make.balance(poor) == 0
    assert list(points.audit()) == []
