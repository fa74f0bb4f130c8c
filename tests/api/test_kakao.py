"""Signing in with Kakao over JSON, against a Kakao that answers."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import User
from tests.api.conftest import Client, code_of
from tests.conftest import MakeApp
from tests.fake_kakao import MINA, NATIVE_KEY, FakeKakao

BACK = "https://client.example/oauth"


@pytest.fixture
def kakao() -> Iterator[FakeKakao]:
    with FakeKakao() as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, kakao: FakeKakao) -> Flask:
    return make_app(**kakao.settings(), kakao_redirect_uris=(BACK,))


def exchange(client: Client, kakao: FakeKakao, **body: object) -> TestResponse:
    return client.post("/auth", {"code": kakao.code(BACK), "redirect_uri": BACK} | body)


def people() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_code_signs_a_new_person_up_and_a_known_one_in(stranger: Client, kakao: FakeKakao) -> None:
    first, second = exchange(stranger, kakao), exchange(stranger, kakao)

    assert (first.status_code, second.status_code) == (201, 200)
    user = first.get_json()["user"]
    assert (user["nickname"], user["point"]) == ("user1", 300)
    assert (user["is_default_profile"], user["profile_img"][:26]) == (
        False,
        "http://localhost/pictures/",
    )
    stranger.access = second.get_json()["token"]["access_token"]
    assert stranger.get("/user").get_json() == second.get_json()["user"]
    assert set(second.get_json()["token"]) == {"access_token", "refresh_token"}


def test_auth_has_no_slash_form(stranger: Client) -> None:
    assert stranger.post("/auth/", {}).status_code == 404


@pytest.mark.parametrize("key", ["rest-key", NATIVE_KEY])
def test_id_token_of_the_sdk_signs_in(stranger: Client, kakao: FakeKakao, key: str) -> None:
    token = kakao.id_token(aud=key, nonce="n")

    answer = stranger.post("/auth/kakao", {"id_token": token, "nonce": "n"})

    assert answer.status_code == 201


def test_access_token_of_the_sdk_signs_in(stranger: Client, kakao: FakeKakao) -> None:
    answer = stranger.post("/auth/kakao/", {"access_token": kakao.access_token()})

    assert answer.status_code == 201


def test_three_ways_lead_to_one_person(stranger: Client, kakao: FakeKakao) -> None:
    ids = {
        answer.get_json()["user"]["id"]
        for answer in (
            exchange(stranger, kakao),
            stranger.post("/auth/kakao", {"id_token": kakao.id_token()}),
            stranger.post("/auth/kakao", {"access_token": kakao.access_token()}),
        )
    }

    assert len(ids) == people() == 1


def test_tokens_of_other_apps_are_refused(stranger: Client, kakao: FakeKakao) -> None:
    for body in (
        {"access_token": kakao.access_token(app_id="9999")},
        {"id_token": kakao.id_token(aud="another-app")},
        {"id_token": kakao.id_token(nonce="theirs"), "nonce": "mine"},
        {"id_token": kakao.id_token(exp=1)},
        {"id_token": kakao.event()},
        {"id_token": "x.y.z"},
        {"access_token": "x\r\ny"},
    ):
        answer = stranger.post("/auth/kakao", body)
        assert (answer.status_code, code_of(answer)) == (400, "kakao_refused")

    assert people() == 0


def test_refused_code_carries_kakaos_own_code(stranger: Client, kakao: FakeKakao) -> None:
    answer = exchange(stranger, kakao, code="unknown")

    assert (answer.status_code, code_of(answer)) == (400, "kakao_refused")
    assert answer.get_json()["error_code"] == "KOE320"


def test_address_that_is_not_on_the_list_is_refused(stranger: Client, kakao: FakeKakao) -> None:
    answer = exchange(stranger, kakao, redirect_uri="https://evil.example/oauth")

    assert (answer.status_code, code_of(answer)) == (400, "kakao_redirect_unknown")
    assert answer.get_json()["redirect_uri"]
    assert kakao.asked == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/auth", {}, "code"),
        ("/auth", {"code": "x"}, "redirect_uri"),
        ("/auth", {"code": "", "redirect_uri": BACK}, "code"),
        ("/auth", {"code": 5, "redirect_uri": BACK}, "code"),
        ("/auth", {"code": None, "redirect_uri": BACK}, "code"),
        ("/auth/kakao", {}, "id_token"),
        ("/auth/kakao", {"id_token": ["x"]}, "id_token"),
        ("/auth/kakao", {"access_token": 5}, "access_token"),
        ("/auth/kakao", {"id": MINA, "nickname": "미나"}, "id_token"),
    ],
)
def test_body_that_cannot_be_right_is_told_by_its_field(
    stranger: Client, path: str, body: dict[str, object], field: str
) -> None:
    answer = stranger.post(path, body)

    assert answer.status_code == 400
    assert isinstance(answer.get_json()[field], list)
    assert people() == 0


@pytest.mark.parametrize("mode", ["html", "error", "cut", "empty"])
def test_e31_kakao_that_is_down_leaves_no_half_account(
    stranger: Client, kakao: FakeKakao, mode: str
) -> None:
    kakao.broken["/v2/user/me"] = mode

    answer = exchange(stranger, kakao)

    assert (answer.status_code, code_of(answer)) == (503, "kakao_unavailable")
    assert people() == 0


def test_e31_person_without_an_account_block_comes_in(stranger: Client, kakao: FakeKakao) -> None:
    kakao.profiles[MINA] = {}

    user = exchange(stranger, kakao).get_json()["user"]

    assert (user["profile_img"], user["is_default_profile"]) == (None, True)


def test_nickname_is_kept_when_coming_back(stranger: Client, kakao: FakeKakao) -> None:
    stranger.access = exchange(stranger, kakao).get_json()["token"]["access_token"]
    stranger.patch("/user/nickname", {"nickname": "파도"})

    assert exchange(stranger, kakao).get_json()["user"]["nickname"] == "파도"


@pytest.mark.parametrize("path", ["/auth", "/auth/kakao"])
def test_without_kakao_the_way_in_is_not_there(make_app: MakeApp, path: str) -> None:
    client = Client(make_app().test_client())

    assert code_of(client.post(path, {"code": "x", "redirect_uri": BACK})) == "not_found"
