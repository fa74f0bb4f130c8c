"""Planted secrets turn up nowhere: not in the log at its loudest, on no error page, in no table."""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text

from app.db import transaction
from tests.conftest import SECRET, MakeApp, Visitor
from tests.fake_kakao import ADMIN_KEY, CLIENT_SECRET, FakeKakao

PASSWORD, NEXT_PASSWORD, WRONG = "planted-first-word", "planted-second-word", "planted-third-word"
BACK = "https://client.example/oauth"


@dataclass
class Planted:
    """What was handed over, and every answer that should have kept it to itself."""

    words: set[str] = field(
        default_factory=lambda: {PASSWORD, NEXT_PASSWORD, WRONG, SECRET, CLIENT_SECRET, ADMIN_KEY}
    )
    refusals: list[str] = field(default_factory=list)


@pytest.fixture
def kakao() -> Iterator[FakeKakao]:
    with FakeKakao() as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, kakao: FakeKakao) -> Flask:
    app = make_app(**kakao.settings(), kakao_redirect_uris=(BACK,), access_log=True)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that anybody logs, libraries too."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def client(app: Flask) -> Visitor:
    return cast(Visitor, app.test_client())


def sign_in_over_json(client: Visitor, planted: Planted) -> None:
    """Sign up, in, refresh, change the password, be refused: with a token, a refresh token."""
    person = {"nickname": "alice", "password": PASSWORD}
    for path in ("/api/v1/auth/local/signup", "/api/v1/auth/local"):
        pair = client.post(path, json=person).get_json()["token"]
        planted.words |= set(pair.values())
    spent = {"refresh_token": pair["refresh_token"]}
    fresh = client.post("/api/v1/auth/token/refresh", json=spent).get_json()
    planted.words |= set(fresh.values())
    bearer = {"Authorization": f"Bearer {fresh['access']}"}
    change = {"old_password": WRONG, "new_password": NEXT_PASSWORD}
    refused = [
        client.post("/api/v1/auth/local", json=person | {"password": WRONG}),
        client.post("/api/v1/user/password", json=change, headers=bearer),
        client.post("/api/v1/user/leave", json={"confirmation": WRONG}, headers=bearer),
        client.post("/api/v1/auth/token/refresh", json=spent),
        client.get("/api/v1/user", headers=bearer),
    ]
    assert [answer.status_code for answer in refused] == [401, 400, 400, 401, 401]
    planted.refusals += [answer.text for answer in refused]


def sign_in_on_pages(client: Visitor, planted: Planted) -> None:
    """Sign up, be refused, sign in, change the password."""
    form = {"nickname": "bob", "password": PASSWORD, "password_again": PASSWORD, "remember": "y"}
    change = {"old_password": PASSWORD, "password": NEXT_PASSWORD, "password_again": NEXT_PASSWORD}
    refused = [
        client.post("/signup", data=form | {"password_again": WRONG}),
        client.post("/login", data=form | {"password": WRONG}),
    ]
    assert client.post("/signup", data=form).status_code == 303
    client.post("/logout")
    assert client.post("/login", data=form).status_code == 303
    for name in ("whaling", "whaling_remember"):
        cookie = client.get_cookie(name)
        assert cookie
        planted.words.add(cookie.value)
    refused.append(client.post("/me/settings/password", data=change | {"old_password": WRONG}))
    assert client.post("/me/settings/password", data=change).status_code == 303
    assert [answer.status_code for answer in refused] == [422, 422, 422]
    planted.refusals += [answer.text for answer in refused]


def walk_over(address: str) -> str:
    """What the browser does at Kakao, without a library whose log would be taken for ours."""
    place = urlsplit(address)
    with closing(HTTPConnection(place.hostname or "", place.port, timeout=5)) as kakao:
        kakao.request("GET", f"{place.path}?{place.query}")
        return str(kakao.getresponse().headers["Location"]).removeprefix("http://localhost")


def sign_in_with_kakao(client: Visitor, kakao: FakeKakao, planted: Planted) -> None:
    """Over pages, by code and by SDK token over JSON, and once more with all of it spent."""
    client.post("/logout")
    asked = client.get("/login/kakao").location
    planted.words |= {parse_qs(urlsplit(asked).query)[name][0] for name in ("state", "nonce")}
    back = walk_over(asked)
    code, token = kakao.code(BACK), kakao.id_token()
    planted.words |= {parse_qs(urlsplit(back).query)["code"][0], code, token}
    assert client.get(back).location == "/welcome"
    exchange = {"code": code, "redirect_uri": BACK}
    entered = [
        client.post("/api/v1/auth", json=exchange),
        client.post("/api/v1/auth/kakao", json={"id_token": token}),
    ]
    assert [answer.status_code for answer in entered] == [200, 200]
    for answer in entered:
        planted.words |= set(answer.get_json()["token"].values())
    planted.words |= set(kakao.tokens)
    again = client.post("/api/v1/auth", json=exchange)
    lost = client.get(back, follow_redirects=True)
    forged = client.post("/kakao/events", data=token)
    unlinked = client.post("/kakao/unlinked", headers={"Authorization": f"KakaoAK {ADMIN_KEY}x"})
    assert (again.status_code, forged.status_code, unlinked.status_code) == (400, 400, 401)
    planted.refusals += [answer.text for answer in (again, lost, forged, unlinked)]


def break_down(client: Visitor, app: Flask, planted: Planted) -> None:
    """Fail in the midst of a sign-in, with everything at hand."""
    with app.app_context(), transaction() as session:
        session.execute(text("ALTER TABLE client_sessions RENAME TO elsewhere"))
    bearer = {"Authorization": f"Bearer {max(planted.words, key=len)}"}
    person = {"nickname": "alice", "password": PASSWORD}
    broken = [
        client.post("/api/v1/auth/local", json=person, headers=bearer),
        app.test_client().post("/login", data=person),
    ]
    assert [answer.status_code for answer in broken] == [500, 500]
    planted.refusals += [answer.text for answer in broken]


def database(folder: Path) -> bytes:
    """Every byte on the disk, what was deleted or not yet moved included."""
    return b"".join(path.read_bytes() for path in folder.glob("test.db*"))


def test_no_secret_is_in_log_error_page_or_database(
    client: Visitor, app: Flask, kakao: FakeKakao, log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    planted = Planted()
    sign_in_over_json(client, planted)
    sign_in_on_pages(client, planted)
    sign_in_with_kakao(client, kakao, planted)
    break_down(client, app, planted)

    told, stored = log.text, database(tmp_path)
    assert all(word in told for word in ("/login/kakao/callback", "kakao_refused", "Traceback"))
    assert b"alice" in stored
    assert len(planted.words) > 20
    assert [word for word in planted.words if word in told] == []
    assert [word for word in planted.words if word.encode() in stored] == []
    assert [word for word in planted.words for page in planted.refusals if word in page] == []
