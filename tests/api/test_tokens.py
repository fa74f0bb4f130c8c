"""Signing in and out over JSON, with nickname and password."""

from app.models import User
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of

NEO = {"nickname": "neo", "password": "a long password"}


def test_sign_up_answers_person_and_tokens(stranger: Client) -> None:
    response = stranger.post("/auth/local/signup", NEO)

    found = response.get_json()
    assert response.status_code == 201
    assert (found["user"]["nickname"], found["user"]["point"]) == ("neo", 300)
    stranger.access = found["token"]["access_token"]
    assert stranger.get("/user").get_json() == found["user"]


def test_sign_in_answers_in_the_same_shape(stranger: Client) -> None:
    signed_up = stranger.post("/auth/local/signup", NEO).get_json()

    response = stranger.post("/auth/local", NEO)

    assert response.status_code == 200
    assert response.get_json()["user"] == signed_up["user"]
    assert response.get_json()["token"].keys() == {"access_token", "refresh_token"}


def test_wrong_password_and_unknown_person_are_told_alike(stranger: Client) -> None:
    make.make_user("neo", password="a long password")

    for name in ("neo", "nobody", ""):
        response = stranger.post("/auth/local", {"nickname": name, "password": "another"})
        assert (response.status_code, code_of(response)) == (401, "wrong_credentials")


def test_signing_out_ends_this_client_alone(sign_in: SignIn, alice: User) -> None:
    here, there = sign_in(alice), sign_in(alice)

    assert here.post("/auth/logout").status_code == 204

    assert here.get("/user").status_code == 401
    assert here.post("/auth/logout").status_code == 401
    assert there.get("/user").status_code == 200


def test_signing_out_everywhere_ends_all_clients(sign_in: SignIn, alice: User) -> None:
    here, there = sign_in(alice), sign_in(alice)

    assert here.post("/auth/logout-all").status_code == 204

    assert {here.get("/user").status_code, there.get("/user").status_code} == {401}


def test_spent_refresh_token_ends_the_session(stranger: Client, as_alice: Client) -> None:
    spent = {"refresh_token": as_alice.refresh}
    new = stranger.post("/auth/token/refresh", spent).get_json()

    response = stranger.post("/auth/token/refresh", spent)

    assert (response.status_code, code_of(response)) == (401, "token_not_valid")
    for access in (as_alice.access, new["access"]):
        as_alice.access = access
        assert as_alice.get("/user").status_code == 401


def test_refresh_asks_for_a_text(stranger: Client) -> None:
    for wrong in (None, 1, ["x"], {"a": "b"}):
        response = stranger.post("/auth/token/refresh", {"refresh_token": wrong})
        assert response.status_code == 400
        assert "refresh_token" in response.get_json()


def test_sessions_name_the_device_and_this_one(stranger: Client, sign_in: SignIn) -> None:
    sign_in(make.make_user("neo", password="a long password"))
    signed = stranger.post("/auth/local", NEO, headers={"User-Agent": "Phone/1.0"}).get_json()
    stranger.access = signed["token"]["access_token"]

    found = stranger.get("/user/sessions").get_json()

    devices = [(one["device"], one["is_current"]) for one in found]
    assert devices == [("Phone/1.0", True), ("test", False)]


def test_one_session_can_be_ended_from_another(sign_in: SignIn, alice: User) -> None:
    lost, here = sign_in(alice), sign_in(alice)
    [ident] = [s["id"] for s in here.get("/user/sessions").get_json() if not s["is_current"]]

    assert here.delete(f"/user/sessions/{ident}").status_code == 204

    assert lost.get("/user").status_code == 401
    assert here.delete(f"/user/sessions/{ident}").status_code == 404


def test_session_of_somebody_else_is_not_there(as_alice: Client, as_bob: Client) -> None:
    [theirs] = as_bob.get("/user/sessions").get_json()

    response = as_alice.delete(f"/user/sessions/{theirs['id']}")

    assert (response.status_code, code_of(response)) == (404, "not_found")
    assert as_bob.get("/user").status_code == 200


def test_new_password_ends_every_session_and_begins_one(sign_in: SignIn) -> None:
    neo = make.make_user("neo", password="a long password")
    here, there = sign_in(neo), sign_in(neo)

    signed = here.post(
        "/user/password", {"old_password": "a long password", "new_password": "another long one"}
    ).get_json()

    assert {here.get("/user").status_code, there.get("/user").status_code} == {401}
    here.access = signed["token"]["access_token"]
    assert here.get("/user").status_code == 200


def test_wrong_old_password_changes_nothing(sign_in: SignIn) -> None:
    here = sign_in(make.make_user("neo", password="a long password"))

    response = here.post("/user/password", {"old_password": "x", "new_password": "another long"})

    assert response.get_json()["error"]["fields"] == {"old_password": ["old_password_wrong"]}
    assert here.get("/user").status_code == 200


def test_client_with_a_token_has_no_cookies(as_alice: Client) -> None:
    response = as_alice.get("/user", headers={"Cookie": "whaling=planted; whaling_remember=x"})

    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers["Vary"]
