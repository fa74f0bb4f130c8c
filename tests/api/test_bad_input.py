"""Whatever is sent: the documented status, a code, and nothing changed."""

import json
from datetime import timedelta

import pytest
from flask import Flask

from app.clock import utcnow
from app.models import User
from app.services import tokens
from app.wiring import token_key
from tests import factories as make
from tests.api.conftest import Client, code_of
from tests.conftest import MakeApp

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "json_invalid"),
        (b"\xff\xfe", "json_invalid"),
        ('{"nickname": "é"}'.encode("utf-16"), "json_invalid"),
        (b'{"nickname": NaN}', "json_invalid"),
        (b'{"nickname": Infinity}', "json_invalid"),
        (b'{"nickname": "\\ud800"}', "json_invalid"),
        (b"[" * 30_000, "json_invalid"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json_invalid"),
        (b'{"nickname": ' + b"1" * 5_000 + b"}", "json_invalid"),
        (b"[]", "json_not_object"),
        (b"null", "json_not_object"),
        (b'"nickname"', "json_not_object"),
        (b"1", "json_not_object"),
        (b"", "field_missing"),
        (b"{}", "field_missing"),
        (b'{"nickname": null}', "field_missing"),
        (b'{"nickname": 1}', "not_text"),
        (b'{"nickname": {"a": 1}}', "not_text"),
        (b'{"nickname": "a\\u0000b"}', "not_text"),
    ],
)
def test_body_that_cannot_be_read_changes_nothing(as_alice: Client, raw: bytes, code: str) -> None:
    response = as_alice.patch("/user/nickname", data=raw, headers=JSON)

    assert (response.status_code, code_of(response)) == (400, code)
    assert as_alice.get("/user").get_json()["nickname"] == "alice"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_other_media_types_are_415(as_alice: Client, kind: str) -> None:
    response = as_alice.patch(
        "/user/nickname", data=b'{"nickname": "neo"}', headers={"Content-Type": kind}
    )

    assert (response.status_code, code_of(response)) == (415, "media_type_not_supported")
    assert as_alice.get("/user").get_json()["nickname"] == "alice"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/merge+json"])
def test_json_goes_by_several_names(as_alice: Client, kind: str) -> None:
    raw = json.dumps({"nickname": "네오", "more": [1, {"a": None}]}, ensure_ascii=False).encode()

    response = as_alice.patch("/user/nickname", data=raw, headers={"Content-Type": kind})

    assert response.status_code == 200


def test_body_too_large_is_413(as_alice: Client) -> None:
    response = as_alice.patch("/user/nickname", {"nickname": "x" * 70_000})

    assert (response.status_code, code_of(response)) == (413, "body_too_large")


def test_expired_foreign_and_forged_tokens_are_401(as_alice: Client, alice: User) -> None:
    def issued(key: bytes, age: timedelta) -> str:
        return tokens.issue(user_id=alice.id, device="", key=key, now=utcnow() - age).access

    now = timedelta(0)
    head, body, signature = as_alice.access.split(".")
    for bad in (
        issued(token_key(), tokens.ACCESS_FOR),
        issued(b"another key of thirty-two bytes!", now),
        as_alice.refresh,
        f"{head}.{body}.",
        f"eyJhbGciOiJub25lIn0.{body}.",
        f"eyJhbGciOiJub25lIn0.{body}.{signature}",
        f"{head}.{body}.{signature[::-1]}",
        "x" * 10_000,
    ):
        as_alice.access = bad
        response = as_alice.patch("/user/nickname", {"nickname": "neo"})
        assert (response.status_code, code_of(response)) == (401, "token_not_valid")

    assert alice.nickname == "alice"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"nickname": "neo"}, "password", "field_missing"),
        ({"password": "long enough"}, "nickname", "field_missing"),
        ({"nickname": "neo", "password": "short"}, "password", "password_too_short"),
        ({"nickname": "neo", "password": "x" * 129}, "password", "password_too_long"),
        (
            {"nickname": "long-enough", "password": "long-enough"},
            "password",
            "password_is_nickname",
        ),
        ({"nickname": "ㅤ", "password": "long enough"}, "nickname", "nickname_unseen_characters"),
        ({"nickname": "Alice", "password": "long enough"}, "nickname", "nickname_taken"),
    ],
)
def test_sign_up_that_cannot_be_makes_nobody(
    stranger: Client, alice: User, body: dict[str, str], field: str, code: str
) -> None:
    response = stranger.post("/auth/local/signup", body)

    assert response.status_code == 400
    assert response.get_json()["error"]["fields"] == {field: [code]}
    assert stranger.post("/auth/local", body | {"password": "long enough"}).status_code in (
        400,
        401,
    )


def test_unknown_addresses_are_404_in_json(stranger: Client) -> None:
    for path in (
        "/api",
        "/api/",
        "/api/v2/votes",
        "/api/v1",
        "/api/v1/none",
        "/tracker",
        "/tracker/x",
    ):
        response = stranger.get(path)
        assert (response.status_code, code_of(response)) == (404, "not_found"), path


def test_wrong_method_is_405_and_says_what_is_allowed(as_alice: Client) -> None:
    response = as_alice.delete("/user/nickname")

    assert (response.status_code, code_of(response)) == (405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"PATCH", "OPTIONS"}


def test_failure_of_ours_is_500_in_json(app: Flask, as_alice: Client) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.extensions["whaling_token_key"] = "no key at all"

    response = as_alice.get("/user", headers={"Origin": "https://client.example"})

    assert (response.status_code, code_of(response)) == (500, "internal_error")
    assert "Origin" in response.headers["Vary"]


def test_pages_keep_their_own_errors(stranger: Client) -> None:
    response = stranger.raw.get("/apis/v1/none")

    assert (response.status_code, response.mimetype) == (404, "text/html")


def test_sentences_speak_the_clients_language(stranger: Client) -> None:
    korean = stranger.get("/user", headers={"Accept-Language": "ko"}).get_json()
    english = stranger.get("/user", headers={"Accept-Language": "en"}).get_json()

    assert korean["detail"] == "로그인이 필요해요."
    assert english["detail"] == "Please sign in first."


def test_signing_in_too_often_is_429_in_json(make_app: MakeApp) -> None:
    client = Client(make_app(rate_limits=True).test_client())
    wrong = {"nickname": "alice"}

    statuses = [client.post("/auth/local", wrong).status_code for _ in range(11)]
    response = client.post("/auth/local", wrong)

    assert statuses == [400] * 10 + [429]
    assert code_of(response) == "too_many_requests"
    assert int(response.headers["Retry-After"]) > 0


def test_same_question_twice_without_a_key_is_two_votes(as_alice: Client) -> None:
    make.make_coin(observed_at=utcnow())
    asked = {"coin_code": "BTC", "duration": "day", "range": 5, "comment": "up"}

    assert as_alice.post("/votes", asked).get_json() != as_alice.post("/votes", asked).get_json()
