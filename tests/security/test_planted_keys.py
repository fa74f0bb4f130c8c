"""Exchange keys that were handed over turn up nowhere again, whichever door they came through."""

import json
import logging
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import text

from app.clock import utcnow
from app.db import transaction
from app.extensions import db
from app.jobs.desk import BalanceKeeper
from app.models import LinkedAccount, User
from app.services import tokens
from app.simulator import Simulator
from app.wiring import token_key
from tests import factories as make
from tests.conftest import SEALING_KEY, MakeApp, Visitor
from tests.serving import serving

#: Each door has keys of its own. What people may see of one is its last four signs.
DOORS = ("page", "json", "desk")
ACCESS = {door: f"PLANTED-ACCESS-OF-{door.upper()}-9Z9Z" for door in DOORS}
SECRETS = {door: f"planted-secret-of-{door}-whale" for door in DOORS}
#: Told to nobody, refused by everybody.
WRONG = "planted-wrong-secret-key"
PLANTED = (*ACCESS.values(), *SECRETS.values(), WRONG)


@pytest.fixture(scope="module")
def venue() -> Iterator[Simulator]:
    with Simulator(markets=3, rate_limit=None) as sim:
        for door in DOORS:
            sim.add_account("upbit", ACCESS[door], SECRETS[door], {"KRW": "5", "BTC": "0.1"})
        yield sim


@pytest.fixture
def app(make_app: MakeApp, venue: Simulator) -> Iterator[Flask]:
    venue.clear_faults()
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url, access_log=True)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    venue.clear_faults()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that anybody logs, libraries too."""
    caplog.set_level(logging.DEBUG)
    return caplog


def keys(door: str, *, wrong: bool = False) -> dict[str, str]:
    secret = WRONG if wrong else SECRETS[door]
    return {"exchange": "upbit", "access_key": ACCESS[door], "secret_key": secret}


def show(
    door: str, browser: Visitor, bearer: dict[str, str], *, wrong: bool = False, origin: str = ""
) -> Any:
    """Hand the keys over at one of the doors."""
    if door == "page":
        return browser.post("/desk/link", data=keys(door, wrong=wrong))
    if door == "json":
        found = keys(door, wrong=wrong)
        return browser.application.test_client().post(
            "/api/v1/desk/accounts", json=found, headers=bearer
        )
    shown = {"publicKey": ACCESS[door], "privateKey": WRONG if wrong else SECRETS[door]}
    headers = {"Origin": origin} if origin else {}
    return browser.post(
        "/login", data=json.dumps(shown), content_type="text/plain", headers=headers
    )


def everything(app: Flask, user: User) -> list[str]:
    """Every page and answer that this person gets by just asking."""
    browser = cast(Visitor, app.test_client()).sign_in(user)
    pair = tokens.issue(user_id=user.id, device="", key=token_key(), now=utcnow())
    bearer = {"Authorization": f"Bearer {pair.access}"}
    answers = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<int:account_id>", "1")
        if "GET" not in (rule.methods or ()) or "<" in path or "oauth" in path:
            continue
        headers = bearer if path.startswith("/api/") else {}
        answers.append(browser.get(path, headers=headers).text)
    return answers


def bytes_of(folder: Path) -> bytes:
    """Every byte on the disk, what was deleted or not yet moved included."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_planted_keys_are_in_no_table_log_page_answer_or_backup(
    app: Flask, log: pytest.LogCaptureFixture, venue: Simulator, tmp_path: Path
) -> None:
    with app.app_context():
        owner, other = make.make_user("owner", password="a-long-password"), make.make_user()
        staff = make.make_user(is_staff=True)
        answers = use_all_doors(app, owner, venue)
        answers += [page for user in (owner, other, staff) for page in everything(app, user)]
        with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
            connection.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        assert len(db.session.query(LinkedAccount).all()) == len(DOORS)
        answers += break_down(app, owner)

    told, stored = log.text, bytes_of(tmp_path)
    assert "9Z9Z" in "".join(answers)
    assert b"owner" in (tmp_path / "backup.db").read_bytes()
    assert all(word in told for word in ("exchange_answer", "Traceback", "POST '/desk/link'"))
    assert [word for word in PLANTED if word in told] == []
    assert [word for word in PLANTED if word.encode() in stored] == []
    assert [word for word in PLANTED for page in answers if word in page] == []
    assert SEALING_KEY.encode() not in stored


def use_all_doors(app: Flask, owner: User, venue: Simulator) -> list[str]:
    """Link at each door, be refused at each, be kept waiting, and let the leader ask and check."""
    browser = cast(Visitor, app.test_client()).sign_in(owner)
    pair = tokens.issue(user_id=owner.id, device="", key=token_key(), now=utcnow())
    bearer = {"Authorization": f"Bearer {pair.access}"}
    answers = [show(door, browser, bearer, wrong=True) for door in DOORS]
    venue.fault("maintenance", for_s=60, group="account")
    answers += [show(door, browser, bearer) for door in DOORS]
    venue.clear_faults()
    answers.append(show("desk", browser, bearer, origin="https://evil.example"))
    linked = [show(door, browser, bearer) for door in DOORS]
    assert [answer.status_code for answer in linked] == [303, 201, 200]
    keeper = BalanceKeeper(app)
    assert keeper.work(utcnow()).report["balances"] == len(DOORS)
    for mode in ("dead", "5xx", "html"):
        venue.fault(mode, for_s=60, group="account")
        answers.append(browser.post("/desk/accounts/1/check"))
    venue.clear_faults()
    return [answer.text for answer in answers + linked]


def break_down(app: Flask, owner: User) -> list[str]:
    """Fail in the midst of linking, with the keys at hand."""
    browser = cast(Visitor, app.test_client()).sign_in(owner)
    pair = tokens.issue(user_id=owner.id, device="", key=token_key(), now=utcnow())
    with transaction() as session:
        session.execute(text("ALTER TABLE linked_accounts RENAME TO elsewhere"))
    bearer = {"Authorization": f"Bearer {pair.access}"}
    broken = [show(door, browser, bearer) for door in DOORS]
    assert [answer.status_code for answer in broken] == [500] * len(DOORS)
    return [answer.text for answer in broken]


class Line:
    """A client of a server in another process."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self._line = HTTPConnection(place.hostname or "", place.port, timeout=30)
        self._access = ""

    def close(self) -> None:
        self._line.close()

    def send(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._access:
            headers["Authorization"] = f"Bearer {self._access}"
        self._line.request(method, path, json.dumps(body) if body else None, headers)
        found = json.loads(self._line.getresponse().read())
        if isinstance(found, dict) and "token" in found:
            self._access = found["token"]["access_token"]
        return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux' /proc")
def test_planted_keys_are_not_in_what_the_system_shows_of_a_server(
    venue: Simulator, tmp_path: Path
) -> None:
    venue.clear_faults()
    settings = {"UPBIT_URL": venue.url, "UPBIT_WS_URL": "off", "BITHUMB_URL": venue.bithumb_url}
    with serving(tmp_path, **settings) as (address, process), closing(Line(address)) as client:
        client.send(
            "POST", "/api/v1/auth/local/signup", {"nickname": "x", "password": "a-long-one"}
        )
        assert client.send("POST", "/api/v1/desk/accounts", keys("json"))["state"] == "good"
        held = until_held(client)
        shown = b"".join(
            Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")
        )
    assert {"KRW", "BTC"} <= held
    assert b"run.py" in shown
    stored = bytes_of(tmp_path)
    assert re.search(rb"gAAAA", stored)  # it was there, sealed
    for place in (shown, stored):
        assert [word for word in PLANTED if word.encode() in place] == []


def until_held(client: Line) -> set[str]:
    """What the server's own thread fetched, once it did."""
    for _ in range(100):
        [account] = client.send("GET", "/api/v1/desk/accounts") or [{"holdings": []}]
        if account["holdings"]:
            break
        time.sleep(0.1)
    return {holding["currency"] for holding in account["holdings"]}
