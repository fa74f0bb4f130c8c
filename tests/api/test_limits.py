"""How often a client may change something, told before and when it is too often."""

import pytest
from flask import Flask

from app.models import User
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of
from tests.conftest import MakeApp


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(rate_limits=True)


def test_each_change_tells_how_many_are_left(as_alice: Client) -> None:
    first = as_alice.post("/points/top-up").headers
    second = as_alice.patch("/user/nickname", {"nickname": "neo"}).headers

    assert first["RateLimit-Limit"] == second["RateLimit-Limit"] == "120"
    assert (first["RateLimit-Remaining"], second["RateLimit-Remaining"]) == ("119", "118")
    assert 0 <= int(first["RateLimit-Reset"]) <= 60


def test_too_many_changes_of_one_person_are_429(
    sign_in: SignIn, alice: User, as_bob: Client
) -> None:
    first, second = sign_in(alice), sign_in(alice)

    statuses = {first.post("/points/top-up").status_code for _ in range(60)}
    statuses |= {second.post("/points/top-up").status_code for _ in range(60)}
    response = first.post("/points/top-up")

    assert statuses == {201, 409}
    assert (response.status_code, code_of(response)) == (429, "too_many_requests")
    assert 0 < int(response.headers["Retry-After"]) <= 61
    assert as_bob.post("/points/top-up").status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/user/password"), ("POST", "/user/leave"), ("GET", "/user/export")],
)
def test_what_a_stolen_token_would_be_used_for_is_counted_by_person(
    as_alice: Client, as_bob: Client, method: str, path: str
) -> None:
    statuses = [as_alice.send(method, path).status_code for _ in range(11)]

    assert set(statuses[:10]) <= {200, 400}
    assert statuses[10] == 429
    assert as_bob.send(method, path).status_code != 429


def test_reading_and_checking_tokens_have_no_limit(as_alice: Client) -> None:
    for _ in range(130):
        assert as_alice.post("/auth/token/verify").status_code == 200
    assert "RateLimit-Limit" not in as_alice.get("/user").headers


def test_strangers_are_counted_by_their_address(stranger: Client, as_alice: Client) -> None:
    stranger.access = "nonsense"

    statuses = [stranger.post("/points/top-up").status_code for _ in range(121)]

    assert statuses == [401] * 120 + [429]
    assert as_alice.post("/points/top-up").status_code == 201


def sign_in_from_everywhere(client: Client, password: str) -> list[int]:
    """The statuses of eleven tries at neo's account, each from an address of its own."""
    tried = {"nickname": "Neo", "password": password}
    return [
        client.post(
            "/auth/local", tried, environ_overrides={"REMOTE_ADDR": f"192.0.2.{number}"}
        ).status_code
        for number in range(11)
    ]


def test_guessing_one_persons_password_waits_from_any_address(stranger: Client) -> None:
    make.make_user("neo", password="a long password")

    assert sign_in_from_everywhere(stranger, "a guess") == [401] * 10 + [429]


def test_signing_in_rightly_uses_up_no_guesses(stranger: Client) -> None:
    make.make_user("neo", password="a long password")

    assert sign_in_from_everywhere(stranger, "a long password") == [200] * 11
