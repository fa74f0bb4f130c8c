"""Taking one's data along and leaving, over JSON."""

import pytest
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import User
from app.services.points import audit
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of

PASSWORD = "a-quiet-harbour"


@pytest.fixture
def as_carol(session: Session, sign_in: SignIn) -> Client:
    return sign_in(make.make_user("carol", password=PASSWORD))


def test_everything_of_oneself_comes_in_one_object(as_carol: Client) -> None:
    answer = as_carol.get("/user/export")

    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.get_json()
    assert found["account"][0]["nickname"] == "carol"
    assert [row["amount"] for row in found["ledger"]] == [300]
    assert PASSWORD not in answer.text


def test_leaving_ends_every_session_and_keeps_the_books_right(
    as_carol: Client, session: Session
) -> None:
    answer = as_carol.post("/user/leave", {"confirmation": PASSWORD})

    assert (answer.status_code, answer.data) == (204, b"")
    assert code_of(as_carol.get("/user")) == "token_not_valid"
    refreshed = as_carol.post("/auth/token/refresh", {"refresh_token": as_carol.refresh})
    assert refreshed.status_code == 401
    again = as_carol.post("/auth/local", {"nickname": "carol", "password": PASSWORD})
    assert again.status_code == 401
    assert list(audit()) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"confirmation": "carol"}, "old_password_wrong"),
        ({"confirmation": ""}, "old_password_wrong"),
        ({}, "field_missing"),
        ({"confirmation": None}, "field_missing"),
        ({"confirmation": 5}, "not_text"),
    ],
)
def test_leaving_without_proof_changes_nothing(
    as_carol: Client, body: dict[str, object], code: str
) -> None:
    answer = as_carol.post("/user/leave", body)

    assert (answer.status_code, code_of(answer)) == (400, code)
    assert answer.get_json()["confirmation"]
    assert as_carol.get("/user").status_code == 200


def test_person_without_a_password_confirms_with_the_nickname(
    as_alice: Client, alice: User
) -> None:
    wrong = as_alice.post("/user/leave", {"confirmation": "bob"})
    assert code_of(wrong) == "confirmation_not_nickname"

    assert as_alice.post("/user/leave", {"confirmation": "Alice"}).status_code == 204

    assert db.session.get_one(User, alice.id, populate_existing=True).nickname == ""


@pytest.mark.parametrize(("method", "path"), [("GET", "/user/export"), ("POST", "/user/leave")])
def test_strangers_have_nothing_to_take_or_leave(stranger: Client, method: str, path: str) -> None:
    assert code_of(stranger.send(method, path, {})) == "token_missing"
