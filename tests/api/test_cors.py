"""Which origins a browser lets call us: said on every answer, errors and preflights included."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.conftest import Client
from tests.conftest import MakeApp

HOME = "https://client.example"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(cors_origins=(HOME, "http://localhost:3000"))


def allowed(response: TestResponse) -> str | None:
    assert "Origin" in response.headers["Vary"]
    return response.headers.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/coins"),
        ("GET", "/user"),
        ("GET", "/none"),
        ("DELETE", "/votes"),
        ("POST", "/auth/token/verify"),
        ("POST", "/auth/token/refresh/"),
        ("POST", "/auth/local"),
        ("GET", "/tracker/coins/"),
        ("GET", "/coin/tickers_20"),
        ("GET", "/coin/tickers_db/"),
        ("POST", "/coin/tickers_db"),
        ("GET", "/coin/none"),
    ],
)
def test_every_answer_names_the_exact_origin(stranger: Client, method: str, path: str) -> None:
    response = stranger.send(method, path, headers={"Origin": HOME})

    assert allowed(response) == HOME
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(
    "path", ["/votes/", "/votes", "/votes/1/choice/", "/user/nickname", "/none"]
)
def test_preflight_asks_for_no_token(stranger: Client, path: str) -> None:
    response = stranger.send(
        "OPTIONS",
        path,
        headers={
            "Origin": HOME,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type,x-csrftoken",
        },
    )

    assert (response.status_code, allowed(response)) == (204, HOME)
    methods = set(response.headers["Access-Control-Allow-Methods"].split(", "))
    headers = set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert methods >= {"GET", "POST", "PATCH", "OPTIONS"}
    assert headers >= {"authorization", "content-type", "x-csrftoken", "idempotency-key"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "*",
        "https://client.example.evil",
        "http://client.example",
        "HTTPS://CLIENT.EXAMPLE",
    ],
)
def test_other_origins_get_no_permission(stranger: Client, origin: str) -> None:
    ask = {"Origin": origin, "Access-Control-Request-Method": "GET"}

    assert allowed(stranger.get("/coins", headers={"Origin": origin})) is None
    assert allowed(stranger.send("OPTIONS", "/coins", headers=ask)) is None


def test_answer_not_changed_since_is_readable_too(stranger: Client) -> None:
    etag = stranger.get("/coins").headers["ETag"]

    response = stranger.get("/coins", headers={"Origin": HOME, "If-None-Match": etag})

    assert (response.status_code, allowed(response)) == (304, HOME)


def test_pages_say_nothing_of_origins(stranger: Client) -> None:
    response = stranger.raw.get("/votes", headers={"Origin": HOME})

    assert "Access-Control-Allow-Origin" not in response.headers
