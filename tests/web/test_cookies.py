"""Cookies carry guarded names over TLS, and plain ones without it."""

from http.cookies import SimpleCookie

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.web.visitors import PASSWORD, person

TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
NAMES = {"whaling", "whaling_remember"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(trusted_proxies=1)


def set_cookies(answer: TestResponse) -> dict[str, SimpleCookie]:
    lines = answer.headers.getlist("Set-Cookie")
    return {line.partition("=")[0]: SimpleCookie(line) for line in lines}


def log_in(app: Flask, headers: dict[str, str]) -> TestResponse:
    person(app, password=PASSWORD)
    form = {"nickname": "alice", "password": PASSWORD, "remember": "y"}
    return app.test_client(use_cookies=False).post("/login", data=form, headers=headers)


def visit(app: Flask, path: str, *cookies: str) -> TestResponse:
    """A visit over TLS with these cookies and no others."""
    headers = TLS | {"Cookie": "; ".join(cookies)}
    return app.test_client(use_cookies=False).get(path, headers=headers)


def pair(answer: TestResponse, name: str) -> str:
    return f"{name}={set_cookies(answer)[name][name].coded_value}"


def test_over_tls_every_cookie_is_bound_to_this_host(app: Flask) -> None:
    told = set_cookies(log_in(app, TLS))

    assert set(told) == {f"__Host-{name}" for name in NAMES}
    for name, cookie in told.items():
        assert (cookie[name]["path"], cookie[name]["domain"]) == ("/", "")
        assert cookie[name]["secure"]
        assert cookie[name]["httponly"]
        assert cookie[name]["samesite"] == "Lax"


def test_without_tls_names_are_plain(app: Flask) -> None:
    told = set_cookies(log_in(app, {}))

    assert set(told) == NAMES
    assert not any(cookie[name]["secure"] for name, cookie in told.items())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_guarded_cookie_brings_a_person_back(app: Flask, name: str) -> None:
    cookie = pair(log_in(app, TLS), f"__Host-{name}")

    assert visit(app, "/me", cookie).status_code == 200


@pytest.mark.parametrize("name", sorted(NAMES))
def test_cookie_without_the_guard_is_worth_nothing_over_tls(app: Flask, name: str) -> None:
    cookie = pair(log_in(app, {}), name)

    assert visit(app, "/me", cookie).status_code == 303
    assert visit(app, "/me", f"__Host-{cookie}").status_code == 200


def test_planted_neighbour_does_not_hide_the_guarded_cookie(app: Flask) -> None:
    own = pair(log_in(app, TLS), "__Host-whaling")

    assert visit(app, "/me", "whaling=planted", own, "whaling=planted").status_code == 200


def test_guarded_name_is_no_name_of_ours_without_tls(app: Flask) -> None:
    own = pair(log_in(app, TLS), "__Host-whaling")

    answer = app.test_client(use_cookies=False).get("/me", headers={"Cookie": own})

    assert answer.status_code == 303


def test_signing_out_over_tls_forgets_the_guarded_cookies(app: Flask) -> None:
    entered = log_in(app, TLS)
    headers = TLS | {"Cookie": "; ".join(pair(entered, f"__Host-{name}") for name in NAMES)}

    left = app.test_client(use_cookies=False).post("/logout", headers=headers)

    assert set_cookies(left)["__Host-whaling_remember"]["__Host-whaling_remember"]["expires"]
    assert all("; Secure" in line for line in left.headers.getlist("Set-Cookie"))


def test_language_and_theme_are_guarded_too(app: Flask) -> None:
    chosen = app.test_client(use_cookies=False).get("/?lang=en&theme=dark", headers=TLS)

    assert set(set_cookies(chosen)) == {"__Host-lang", "__Host-theme"}
    page = visit(app, "/", "__Host-lang=en", "__Host-theme=dark").text
    assert '<html lang="en"' in page
    assert 'data-bs-theme="dark"' in page
