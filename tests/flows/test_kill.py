"""The server is killed a hundred times while people answer and votes settle; the books hold."""

import http.client
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select, update

from app import create_app
from app.clock import utcnow
from app.db import table_of, transaction
from app.domain.kst import floor_minute
from app.domain.votes import VoteState
from app.extensions import db
from app.models import Ballot, Coin, LedgerEntry, User, Vote
from app.services import market
from app.services.points import audit
from app.simulator import Simulator
from app.wiring import market as exchange
from config import Config
from tests import factories as make
from tests.serving import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("WHALING_KILLS", "100"))
PASSWORD = "correct-horse"
RICH = 1_000_000
CROWD, BATCH, MINUTES, OPEN_VOTES, CLIENTS = 10, 40, 8, 6000, 3


@dataclass
class Ocean:
    """The database under attack, seen from beside the server."""

    app: Flask
    folder: Path
    sim: Simulator
    due: datetime
    planted: int = 0
    clients: list[str] = field(default_factory=list)

    def plant_people(self) -> None:
        """A crowd whose answers settle, and clients who answer over HTTP."""
        self.clients = [f"client{number}" for number in range(CLIENTS)]
        for name in self.clients:
            make.make_user(name, points=RICH, password=PASSWORD)
        for number in range(CROWD):
            make.make_user(f"crowd{number}", points=RICH)
        make.make_user("asker", points=0, is_staff=True)

    def plant_votes(self, number: int, **times: datetime) -> list[int]:
        """Votes that people asked a day ago; creating cost nothing."""
        coin_id = db.session.scalar(select(Coin.id).where(Coin.code == "BTC"))
        asker = db.session.scalar(select(User.id).where(User.nickname == "asker"))
        made = self.due - timedelta(days=1)
        values = {
            "coin_id": coin_id, "creator_id": asker, "is_staff_vote": False, "direction": "up",
            "duration": "day", "range_pct": 1, "spent_point": 10, "earned_point": 20,
            "creation_cost": 0, "state": VoteState.ONGOING, "created_at": made,
            "created_price": market.catalogue(utcnow())[0].price, "created_price_at": made,
            "yes_count": 0, "no_count": 0, "yes_whales": 0, "no_whales": 0, "updated_at": made,
            "attempts": 0, **times,
        }  # fmt: skip
        first = (db.session.scalar(select(func.max(Vote.id))) or 0) + 1
        ids = list(range(first, first + number))
        with transaction() as session:
            rows = [values | {"id": vote_id, "request_key": f"k{vote_id}"} for vote_id in ids]
            session.execute(table_of(Vote).insert(), rows)
        return ids

    def plant_due_votes(self) -> None:
        """A batch of votes that are due, each answered by the crowd; every stake is paid."""
        ids: list[int] = []
        for minutes in range(MINUTES):  # each minute is a transaction, and a kill may come between
            due = self.due - timedelta(minutes=minutes)
            times = {"finished_at": due - timedelta(hours=16), "tracked_at": due}
            ids += self.plant_votes(BATCH // MINUTES, **times)
        crowd = list(db.session.scalars(select(User.id).where(User.nickname.like("crowd%"))))
        pairs = [(v, u, ("yes", "no")[n % 2]) for v in ids for n, u in enumerate(crowd)]
        made = {"created_at": self.due}
        with transaction() as session:
            session.execute(
                table_of(Ballot).insert(),
                [
                    made | {"vote_id": v, "user_id": u, "choice": c, "is_whale": False}
                    for v, u, c in pairs
                ],
            )
            session.execute(
                table_of(LedgerEntry).insert(),
                [
                    made | {"vote_id": v, "user_id": u, "reason": "stake", "amount": -10}
                    for v, u, _ in pairs
                ],
            )
            session.execute(
                update(User).where(User.id.in_(crowd)).values(points=User.points - 10 * BATCH)
            )
            half = CROWD // 2
            session.execute(
                update(Vote).where(Vote.id.in_(ids)).values(yes_count=half, no_count=half)
            )
        self.planted += BATCH

    def settled(self) -> int:
        db.session.rollback()
        tracked = select(func.count()).where(Vote.state == VoteState.TRACKED)
        return db.session.scalar(tracked) or 0


class Client(threading.Thread):
    """Answers one vote after the other; whatever breaks, it asks again until it is told."""

    def __init__(self, name: str, vote_ids: list[int]) -> None:
        super().__init__(daemon=True)
        self.person, self.vote_ids = name, vote_ids
        self.address = ""
        self.told: list[int] = []
        self.strange: list[str] = []
        self.cut_off = 0
        self.is_over = threading.Event()

    def sign_in(self, address: str) -> None:
        """Through the forms, as a browser without scripts would."""
        browser = requests.Session()
        page = browser.get(f"{address}/login", timeout=10)
        form = {"nickname": self.person, "password": PASSWORD, "csrf_token": _token(page.text)}
        browser.post(f"{address}/login", data=form, timeout=10)
        page = browser.get(f"{address}/votes/{self.vote_ids[0]}/answer?choice=yes", timeout=10)
        # The cookie stays as it is now, or the messages of thousands of answers would gather in it.
        self.cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self.form = urlencode({"csrf_token": _token(page.text), "choice": "yes"})

    def run(self) -> None:
        for vote_id in self.vote_ids:
            while not self._answer(vote_id):
                time.sleep(0.02)
            self.told.append(vote_id)
            if self.is_over.wait(0.01):
                return

    def _answer(self, vote_id: int) -> bool:
        parts = urlsplit(self.address)
        line = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            line.request("POST", f"/votes/{vote_id}/answer", self.form, headers)
            answer = line.getresponse()
            answer.read()
        except ConnectionRefusedError:
            return False
        except (OSError, http.client.HTTPException):
            self.cut_off += 1
            return False
        finally:
            line.close()
        if (answer.status, answer.headers["Location"]) != (303, f"/votes/{vote_id}"):
            self.strange.append(f"vote {vote_id}: {answer.status} {answer.headers['Location']}")
            self.is_over.set()
        return True


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def ocean(migrated: Path, tmp_path: Path) -> Iterator[Ocean]:
    shutil.copy(migrated, tmp_path / "whaling.db")
    with Simulator(markets=12, rate_limit=None) as sim:
        app = create_app(
            Config(
                database_url=f"sqlite:///{tmp_path / 'whaling.db'}",
                secret_key="x" * 40,
                instance=tmp_path,
                upbit_url=sim.url,
            )
        )
        with app.app_context():
            now = utcnow()
            market.refresh_listings(market=exchange(), now=now)
            market.store_tickers(market=exchange(), now=now)
            made = Ocean(app, tmp_path, sim, floor_minute(now) - timedelta(minutes=2))
            made.plant_people()
            yield made
            db.session.remove()
            db.engine.dispose()


def _wait_for(what: str, holds: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, f"{what} took longer than {seconds} s"
        time.sleep(0.002)


def _settings(ocean: Ocean) -> dict[str, str]:
    return {"UPBIT_URL": ocean.sim.url, "RATE_LIMITS": "off"}


def _strike(ocean: Ocean, clients: list[Client], dice: random.Random, *, aimed: bool) -> bool:
    """One life of the server and its end; whether it died in the middle of settling."""
    ocean.plant_due_votes()
    before = ocean.settled()
    with serving(ocean.folder, **_settings(ocean)) as (address, process):
        for client in clients:
            client.address = address
            if client.ident is None:
                client.sign_in(address)
                client.start()
        if aimed:
            _wait_for("the first settlement", lambda: ocean.settled() > before)
        else:
            time.sleep(dice.uniform(0.05, 0.6))
        process.kill()
        process.wait(timeout=10)
    return before < ocean.settled() < ocean.planted


def test_books_hold_through_a_hundred_kills(ocean: Ocean) -> None:
    dice, began = random.Random(1), time.monotonic()
    open_until = {"finished_at": ocean.due + timedelta(days=3)}
    ids = ocean.plant_votes(OPEN_VOTES, tracked_at=ocean.due + timedelta(days=7), **open_until)
    clients = [Client(name, ids) for name in ocean.clients]

    in_flight = 0
    for number in range(KILLS):
        in_flight += _strike(ocean, clients, dice, aimed=bool(number % 2))
        if number % 10 == 9:
            db.session.rollback()
            assert list(audit()) == []

    with serving(ocean.folder, **_settings(ocean)) as (address, _process):
        for client in clients:
            client.address = address
            client.is_over.set()
        for client in clients:
            client.join(timeout=20)
        _wait_for("settling what was left", lambda: ocean.settled() == ocean.planted, 240)

    db.session.rollback()
    assert list(audit()) == []
    answers = db.session.scalar(
        select(func.count()).select_from(Ballot).where(Ballot.vote_id.in_(ids))
    )
    told = sum(len(client.told) for client in clients)
    cut_off = sum(client.cut_off for client in clients)
    print(  # noqa: T201  # the figures of the proof
        f"\n{KILLS} kills in {time.monotonic() - began:.0f} s: {in_flight} while settling,"
        f" {cut_off} requests cut off, {told} answers told of {answers} kept,"
        f" {ocean.planted} votes settled"
    )
    _every_told_answer_is_kept(clients)
    # The proof is worth nothing unless the kills struck and points moved.
    assert in_flight >= KILLS // 5
    assert min(cut_off, told, answers or 0) > 0


def _every_told_answer_is_kept(clients: list[Client]) -> None:
    for client in clients:
        assert (client.strange, client.is_alive()) == ([], False)
        kept = select(Ballot.vote_id).join(User, User.id == Ballot.user_id)
        mine = list(db.session.scalars(kept.where(User.nickname == client.person)))
        assert set(client.told) <= set(mine)
        assert len(mine) <= len(client.told) + 1


UNSAFE = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
for (vote,) in db.execute("SELECT id FROM votes WHERE state = 'ongoing'").fetchall():
    right = "SELECT user_id FROM ballots WHERE vote_id = ? AND choice = 'yes'"
    for (user,) in db.execute(right, (vote,)).fetchall():
        db.execute("UPDATE users SET points = points + 20 WHERE id = ?", (user,))
        db.execute("INSERT OR IGNORE INTO ledger_entries (user_id, vote_id, reason, amount,"
            " created_at) VALUES (?, ?, 'reward', 20, '2026-01-01')", (user, vote))
        print("paid", flush=True)
    db.execute("UPDATE votes SET state = 'tracked', outcome = 'yes', crowd_right = 1,"
        " final_price = 1, candle_opened_at = '2026-01-01', quote_source = 'x', raw_quote = 'x',"
        " quote_fetched_at = '2026-01-01', settled_at = '2026-01-01' WHERE id = ?", (vote,))
"""


def _run_unsafe(ocean: Ocean, *, payments: int | None) -> None:
    """Settle row by row with a commit each; killed after some payments, or let run to its end."""
    command = [sys.executable, "-c", UNSAFE, str(ocean.folder / "whaling.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for number, _line in enumerate(process.stdout, 1):
            if number == payments:
                process.kill()
                break
        with suppress(BrokenPipeError):
            process.stdout.read()


def test_control_settling_row_by_row_leaves_the_books_wrong(ocean: Ocean) -> None:
    ocean.plant_due_votes()

    for payments in (3, 7, 13, None):
        _run_unsafe(ocean, payments=payments)

    db.session.rollback()
    wrong = {difference.what for difference in audit()}
    assert "points of user" in wrong
