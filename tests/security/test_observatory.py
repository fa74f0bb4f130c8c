"""Every kind of answer earns an A+ by the rules of Mozilla's Observatory, with room above."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from app.db import transaction
from app.models import Picture
from tests.conftest import NOW, MakeApp
from tests.security.observatory import score
from tests.web.visitors import PASSWORD, coin, person

#: A visit through the proxy over TLS, from a page of some other host.
SCAN = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.5",
    "Origin": "https://elsewhere.example",
}
WANTED = 110
FULL = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(trusted_proxies=1, cors_origins=("https://client.example",))


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    person(app, password=PASSWORD)
    coin(app)
    return app.test_client()


def scan(browser: FlaskClient, path: str) -> int:
    with browser.get(path, headers=SCAN) as answer:
        return score(answer.headers).total


@pytest.mark.parametrize(
    "path",
    [
        "/", "/votes", "/create?coin=BTC", "/coins", "/login", "/signup", "/tutorial", "/me",
        "/nowhere", "/health", "/api/v1/docs", "/api/v1/openapi.json", "/api/v1/coins",
        "/api/v1/user", "/api/v1/nowhere", "/tracker/coins", "/static/css/pages.css",
        "/?lang=en&theme=dark",
    ],
)  # fmt: skip
def test_answer_is_an_a_plus(browser: FlaskClient, path: str) -> None:
    assert scan(browser, path) >= WANTED


@pytest.mark.parametrize("path", ["/me", "/me/settings", "/me/points", "/me/votes"])
def test_own_page_is_an_a_plus(browser: FlaskClient, path: str) -> None:
    form = {"nickname": "alice", "password": PASSWORD, "remember": "y"}
    entered = browser.post("/login", data=form, headers=SCAN)

    assert entered.headers.getlist("Set-Cookie")
    assert score(entered.headers).total >= WANTED
    page = browser.get(path, headers=SCAN)
    assert page.status_code == 200
    assert score(page.headers).total >= WANTED


def test_origin_that_may_call_the_api_is_the_only_one(browser: FlaskClient) -> None:
    welcome = SCAN | {"Origin": "https://client.example"}
    allowed = browser.get("/api/v1/coins", headers=welcome).headers
    others = browser.get("/api/v1/coins", headers=SCAN).headers

    assert allowed["Access-Control-Allow-Origin"] == "https://client.example"
    assert "Access-Control-Allow-Origin" not in others


def test_picture_may_be_shown_by_clients_and_nothing_more(app: Flask) -> None:
    alice = person(app)
    with app.app_context(), transaction() as session:
        content = {"media_type": "image/png", "content": b"\x89PNG\r\n\x1a\n", "fetched_at": NOW}
        session.add(Picture(user_id=alice.id, digest="0" * 64, **content))

    answer = app.test_client().get(f"/pictures/{'0' * 64}", headers=SCAN)

    assert answer.status_code == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert score(answer.headers).total >= WANTED


@pytest.mark.parametrize(
    ("name", "value", "total"),
    [
        ("Content-Security-Policy", None, 55),
        ("Content-Security-Policy", "default-src 'self' 'unsafe-inline'", 60),
        ("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-eval' 'self'", 70),
        ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'", 125),
        ("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'", 80),
        ("Strict-Transport-Security", None, 80),
        ("Strict-Transport-Security", "max-age=3600", 120),
        ("X-Content-Type-Options", None, 125),
        ("Referrer-Policy", "unsafe-url", 120),
        ("Cross-Origin-Resource-Policy", None, 120),
        ("Access-Control-Allow-Origin", "*", 50),
        ("Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax", 60),
        ("Set-Cookie", "a=1; Path=/; Secure; SameSite=Lax", 70),
        ("Set-Cookie", "__Host-a=1; Path=/x; Secure; HttpOnly; SameSite=Lax", 80),
        ("Set-Cookie", "__Host-a=1; Path=/; Secure; HttpOnly", 130),
        ("Set-Cookie", "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax", 135),
    ],
)
def test_scorer_sees_what_is_missing(name: str, value: str | None, total: int) -> None:
    headers = Headers({**FULL, name: value} if value else {k: FULL[k] for k in FULL if k != name})

    assert score(Headers(FULL)).total == 130
    assert score(headers).total == total
