"""Signing in with Kakao over JSON, against a Kakao that answers."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Identity, User
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of
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


def test_a3_code_signs_a_new_person_up_and_a_known_one_in(
    stranger: Client, kakao: FakeKakao
) -> None:
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


@pytest.mark.parametrize(
    "address", ["https://evil.example/oauth", f"{BACK}/x", f"{BACK}?x=1", BACK.upper(), BACK[:-1]]
)
def test_address_that_is_not_on_the_list_is_refused(
    stranger: Client, kakao: FakeKakao, address: str
) -> None:
    answer = exchange(stranger, kakao, redirect_uri=address)

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


@pytest.fixture
def as_carol(sign_in: SignIn, stranger: Client) -> Client:
    """A person with a password and no Kakao."""
    return sign_in(make.make_user("carol", password="a-quiet-harbour"))


@pytest.fixture
def as_mina(stranger: Client, kakao: FakeKakao) -> Client:
    """A person who came by Kakao and has no password."""
    stranger.access = exchange(stranger, kakao).get_json()["token"]["access_token"]
    return stranger


def ways(client: Client) -> tuple[bool, bool]:
    """Whether this person has a password, and Kakao."""
    found = client.get("/user/ways-in").get_json()
    return found["has_password"], found["kakao_since"] is not None


def links() -> int:
    return db.session.scalar(select(func.count()).select_from(Identity)) or 0


@pytest.mark.parametrize("how", ["id_token", "access_token", "code"])
def test_kakao_is_linked_by_each_kind_of_proof(
    as_carol: Client, kakao: FakeKakao, app: Flask, how: str
) -> None:
    proof = {
        "id_token": lambda: {"id_token": kakao.id_token(nonce="n"), "nonce": "n"},
        "access_token": lambda: {"access_token": kakao.access_token()},
        "code": lambda: {"code": kakao.code(BACK), "redirect_uri": BACK},
    }[how]
    assert ways(as_carol) == (True, False)

    answer = as_carol.post("/user/kakao", proof())

    assert answer.status_code == 200
    assert answer.get_json() == as_carol.get("/user/ways-in").get_json()
    assert ways(as_carol) == (True, True)
    signed = Client(app.test_client()).post("/auth/kakao", {"id_token": kakao.id_token()})
    assert (signed.status_code, signed.get_json()["user"]["nickname"]) == (200, "carol")


def test_linking_the_same_account_twice_is_harmless(as_carol: Client, kakao: FakeKakao) -> None:
    for _time in range(2):
        assert as_carol.post("/user/kakao", {"id_token": kakao.id_token()}).status_code == 200

    assert links() == 1


def test_kakao_account_of_somebody_else_is_taken(
    as_mina: Client, sign_in: SignIn, kakao: FakeKakao
) -> None:
    as_bob = sign_in(make.make_user("bob"))

    answer = as_bob.post("/user/kakao", {"id_token": kakao.id_token()})

    assert (answer.status_code, code_of(answer)) == (409, "kakao_taken")
    assert ways(as_mina) == (False, True)


def test_second_kakao_account_is_refused(as_mina: Client, kakao: FakeKakao) -> None:
    answer = as_mina.post("/user/kakao", {"id_token": kakao.id_token(MINA + 1)})

    assert (answer.status_code, code_of(answer)) == (409, "kakao_already_linked")
    assert links() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "field_missing"),
        ({"code": ""}, "kakao_redirect_unknown"),
        ({"code": "", "redirect_uri": BACK}, "field_missing"),
        ({"code": "x", "redirect_uri": "https://evil.example/oauth"}, "kakao_redirect_unknown"),
        ({"code": "x", "redirect_uri": BACK}, "kakao_refused"),
        ({"id_token": "x.y.z"}, "kakao_refused"),
        ({"user_id": MINA}, "field_missing"),
    ],
)
def test_what_proves_nothing_links_nothing(
    as_carol: Client, body: dict[str, object], code: str
) -> None:
    answer = as_carol.post("/user/kakao", body)

    assert (answer.status_code, code_of(answer)) == (400, code)
    assert links() == 0


def test_linking_with_a_kakao_that_is_down_changes_nothing(
    as_carol: Client, kakao: FakeKakao
) -> None:
    kakao.broken["/v1/user/access_token_info"] = "error"

    answer = as_carol.post("/user/kakao", {"access_token": kakao.access_token()})

    assert (answer.status_code, code_of(answer)) == (503, "kakao_unavailable")
    assert links() == 0


def test_unlinking_leaves_the_password_and_tells_kakao(
    as_carol: Client, kakao: FakeKakao, app: Flask
) -> None:
    as_carol.post("/user/kakao", {"id_token": kakao.id_token()})

    answer = as_carol.delete("/user/kakao")

    assert (answer.status_code, answer.data) == (204, b"")
    assert ways(as_carol) == (True, False)
    assert kakao.unlinked == [str(MINA)]
    assert code_of(as_carol.delete("/user/kakao")) == "not_found"
    newcomer = Client(app.test_client()).post("/auth/kakao", {"id_token": kakao.id_token()})
    assert newcomer.status_code == 201


def test_last_way_in_stays_until_there_is_a_password(as_mina: Client, kakao: FakeKakao) -> None:
    answer = as_mina.delete("/user/kakao")
    assert (answer.status_code, code_of(answer)) == (409, "last_way_in")
    assert ways(as_mina) == (False, True)

    first = as_mina.post("/user/first-password", {"password": "a-quiet-harbour"})

    assert first.status_code == as_mina.delete("/user/kakao/").status_code == 204
    assert ways(as_mina) == (True, False)


@pytest.mark.parametrize(
    ("password", "status", "code"),
    [("short", 400, "password_too_short"), ("another-harbour", 409, "password_exists")],
)
def test_password_is_not_replaced_by_a_first_one(
    as_carol: Client, password: str, status: int, code: str
) -> None:
    answer = as_carol.post("/user/first-password", {"password": password})

    assert (answer.status_code, code_of(answer)) == (status, code)
    known = {"nickname": "carol", "password": "a-quiet-harbour"}
    assert as_carol.post("/auth/local", known).status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_without_kakao_there_is_nothing_to_link(
    make_app: MakeApp, sign_in: SignIn, alice: User, method: str
) -> None:
    client = Client(make_app().test_client(), sign_in(alice).access)

    answer = client.send(method, "/user/kakao", {"id_token": "x"})

    assert code_of(answer) == "not_found"
    assert ways(client) == (False, False)
