"""Where one is signed in, one's data to take along, and leaving."""

import csv
import io
import json
import re
from datetime import timedelta
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.clock import utcnow
from app.db import transaction
from app.extensions import db
from app.models import ClientSession, User
from app.services import tokens
from app.services.points import audit
from app.web.accounts.devices import device_words
from tests import factories
from tests.conftest import MakeApp, Visitor
from tests.web.visitors import PASSWORD, newcomer, person, said

CHROME = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0 Mobile Safari/537.36"
)


def log_in(app: Flask, *, device: str = CHROME, remember: str = "") -> Visitor:
    client = cast(Visitor, app.test_client())
    form = {"nickname": "alice", "password": PASSWORD, "remember": remember}
    client.post("/login", data=form, headers={"User-Agent": device})
    return client


def is_in(client: Visitor) -> bool:
    return client.get("/me").status_code == 200


def buttons(client: Visitor) -> list[str]:
    """Where the buttons lead that end a session, in the order of the page."""
    page = client.get("/me/settings").text
    return re.findall(r'action="(/me/settings/sessions/\d+/end)"', page)


@pytest.fixture
def alice(app: Flask) -> User:
    return person(app, password=PASSWORD)


def test_signed_in_devices_are_listed_and_this_one_is_marked(app: Flask, alice: User) -> None:
    here = log_in(app)
    log_in(app, device="Whaling-iOS/1.0")

    shown = said(here.get("/me/settings"))

    assert re.search(r"Chrome · Android\s+이 기기", shown)
    assert "Whaling-iOS/1.0" in shown
    assert shown.count("이 기기 ") >= 1


def test_list_of_devices_says_when_each_was_last_here(app: Flask, alice: User) -> None:
    here, long_ago = log_in(app), utcnow() - timedelta(days=3)
    with app.app_context(), transaction() as session:
        session.execute(update(ClientSession).values(last_seen_at=long_ago))

    here.get("/votes")

    with app.app_context():
        [row] = tokens.list_sessions(user_id=alice.id, now=utcnow())
    assert utcnow() - row.last_seen_at < timedelta(minutes=1)
    assert "· 마지막 사용 오늘" in said(here.get("/me/settings"))


def test_another_device_is_signed_out_alone(app: Flask, alice: User) -> None:
    here, there = log_in(app), log_in(app, remember="y")
    newest_first = buttons(here)

    answer = here.post(newest_first[0])

    assert answer.status_code == 303
    assert (is_in(here), is_in(there)) == (True, False)
    there.delete_cookie("whaling")
    assert not is_in(there)


def test_this_device_is_signed_out_to_the_sign_in_page(app: Flask, alice: User) -> None:
    here = log_in(app)

    answer = here.post(buttons(here)[0])

    assert answer.location == "/login"
    assert not is_in(here)


def test_signing_out_ends_the_session_for_a_copied_cookie_too(app: Flask, alice: User) -> None:
    here, thief = log_in(app), cast(Visitor, app.test_client())
    cookie = here.get_cookie("whaling")
    assert cookie
    thief.set_cookie("whaling", cookie.value)
    assert is_in(thief)

    here.post("/logout")

    assert not is_in(thief)


def test_session_of_somebody_else_stays(app: Flask, alice: User) -> None:
    here = log_in(app)
    [button] = buttons(here)

    assert newcomer(app, "bob").post(button).status_code == 303

    assert is_in(here)


@pytest.mark.parametrize(("number", "status"), [("99", 303), ("0", 404), ("9" * 30, 404)])
def test_session_that_is_not_there_is_no_failure(
    app: Flask, alice: User, number: str, status: int
) -> None:
    here = log_in(app)

    assert here.post(f"/me/settings/sessions/{number}/end").status_code == status
    assert is_in(here)


def test_everything_can_be_downloaded_as_json(app: Flask) -> None:
    answer = newcomer(app).get("/me/settings/export.json")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="whaling.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.data)["account"][0]["nickname"] == "alice"


@pytest.mark.parametrize("kind", ["account", "sign_ins", "sessions", "votes", "answers", "ledger"])
def test_each_table_is_offered_and_can_be_downloaded(app: Flask, kind: str) -> None:
    client = newcomer(app)

    assert f'href="/me/settings/export/{kind}.csv"' in client.get("/me/settings").text
    answer = client.get(f"/me/settings/export/{kind}.csv")

    assert answer.mimetype == "text/csv"
    assert next(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_unknown_table_is_not_there(app: Flask) -> None:
    assert newcomer(app).get("/me/settings/export/passwords.csv").status_code == 404


def test_export_is_limited(make_app: MakeApp) -> None:
    client = newcomer(make_app(rate_limits=True))

    answers = [client.get("/me/settings/export.json").status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]


def test_leaving_says_what_goes_and_asks_for_the_password(app: Flask, alice: User) -> None:
    here = log_in(app)
    shown = said(here.get("/me/settings/leave"))
    assert "바로 지워져요" in shown
    assert "이름 없이 남아요" in shown

    refused = here.post("/me/settings/leave", data={"confirmation": "wrong"})

    assert refused.status_code == 422
    assert 'id="confirmation-error"' in refused.text
    assert "wrong" not in refused.text
    assert is_in(here)


def test_leaving_ends_everything_and_the_books_stay_right(app: Flask, alice: User) -> None:
    here, there = log_in(app), log_in(app)
    with app.app_context():
        factories.make_vote(db.session.get_one(User, alice.id))

    answer = here.post("/me/settings/leave", data={"confirmation": PASSWORD})

    assert answer.location == "/"
    assert "계정을 지웠어요" in said(here.get("/"))
    assert not is_in(here)
    assert not is_in(there)
    assert not is_in(log_in(app))
    with app.app_context():
        assert list(audit()) == []


def test_vote_of_who_left_names_nobody(app: Flask, alice: User) -> None:
    with app.app_context():
        number = factories.make_vote(db.session.get_one(User, alice.id)).id
    log_in(app).post("/me/settings/leave", data={"confirmation": PASSWORD})

    shown = said(newcomer(app, "bob").get(f"/votes/{number}"))

    assert "떠난 사람의 질문" in shown
    assert "alice" not in shown


def test_person_without_a_password_types_the_nickname(app: Flask) -> None:
    client = newcomer(app, "파도")
    page = client.get("/me/settings/leave").text
    assert 'type="password"' not in page
    assert "파도" in page

    assert client.post("/me/settings/leave", data={"confirmation": "물결"}).status_code == 422
    assert client.post("/me/settings/leave", data={"confirmation": "파도"}).status_code == 303

    with app.app_context():
        assert db.session.scalars(select(User.nickname)).all() == [""]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me/settings/export.json"),
        ("GET", "/me/settings/export/ledger.csv"),
        ("GET", "/me/settings/leave"),
        ("POST", "/me/settings/leave"),
        ("POST", "/me/settings/sessions/1/end"),
    ],
)
def test_strangers_are_led_to_sign_in(client: Visitor, method: str, path: str) -> None:
    answer = client.open(path, method=method)

    assert (answer.status_code, answer.location[:6]) == (303, "/login")


def test_leaving_wants_the_form_token(make_app: MakeApp) -> None:
    app = make_app(csrf=True)
    client = newcomer(app, "파도")

    answer = client.post("/me/settings/leave", data={"confirmation": "파도"})

    assert answer.status_code == 400
    assert is_in(client)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome · Android"),
        (CHROME + " Edg/141.0", "Edge · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0) Version/26.0 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko Firefox/144.0", "Firefox · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Whale/4.3 Safari/537.36", "Whale · Windows"),
        ("okhttp/5.1 Android", "okhttp/5.1 Android"),
        ("", ""),
    ],
)
def test_device_is_called_by_its_name(user_agent: str, words: str) -> None:
    assert device_words(user_agent) == words
