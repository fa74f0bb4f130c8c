"""Language and theme: address, cookie, browser, and Korean at last."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web import preferences

BROWSER = {"Accept": "text/html"}


@pytest.fixture
def visitor(bare_app: Flask) -> FlaskClient:
    return bare_app.test_client()


def language(page: str) -> str:
    return page.split('<html lang="')[1][:2]


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("", "ko"), ("fr", "ko"), ("en-GB,en;q=0.8", "en"), ("ko-KR,ko;q=0.9,en;q=0.8", "ko")],
)
def test_browser_decides_where_nobody_chose(visitor: FlaskClient, wanted: str, spoken: str) -> None:
    page = visitor.get("/nowhere", headers={"Accept-Language": wanted})

    assert language(page.text) == spoken


def test_address_beats_the_cookie_and_the_cookie_the_browser(visitor: FlaskClient) -> None:
    visitor.set_cookie("lang", "en")

    assert language(visitor.get("/nowhere", headers={"Accept-Language": "ko"}).text) == "en"
    assert language(visitor.get("/nowhere?lang=ko").text) == "ko"


def test_choice_is_kept_and_leads_back_to_the_plain_address(visitor: FlaskClient) -> None:
    answer = visitor.get("/health?lang=en&a=1&a=2&theme=dark", headers=BROWSER)

    assert (answer.status_code, answer.location) == (303, "/health?a=1&a=2")
    assert visitor.get_cookie("lang").value == "en"
    assert visitor.get_cookie("theme").value == "dark"


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/\\\\elsewhere.example/x"])
def test_link_to_the_same_page_stays_on_this_host(bare_app: Flask, path: str) -> None:
    with bare_app.test_request_context(path):
        link = preferences.same_page(lang="en")

    assert link.startswith("/")
    assert link[1] not in "/\\"


def test_unknown_choices_are_ignored(visitor: FlaskClient) -> None:
    answer = visitor.get("/nowhere?lang=xx&theme=pink", headers=BROWSER)

    assert answer.status_code == 404
    assert visitor.get_cookie("lang") is None
    assert "data-bs-theme" not in answer.text


def test_client_that_reads_no_pages_is_not_redirected(visitor: FlaskClient) -> None:
    with visitor.get("/static/css/pages.css?lang=en", headers={"Accept": "text/css"}) as answer:
        assert answer.status_code == 200


def test_theme_is_written_only_when_chosen(visitor: FlaskClient) -> None:
    assert "data-bs-theme" not in visitor.get("/nowhere").text

    visitor.set_cookie("theme", "dark")
    assert 'data-bs-theme="dark"' in visitor.get("/nowhere").text


def test_theme_button_goes_round(bare_app: Flask) -> None:
    seen = ["system"]
    for _step in range(3):
        with bare_app.test_request_context(f"/?theme={seen[-1]}"):
            seen.append(preferences.next_theme())

    assert seen == ["system", "dark", "light", "system"]


def test_page_names_its_other_language(visitor: FlaskClient) -> None:
    page = visitor.get("/nowhere?x=%26").text

    assert 'hreflang="en" href="/nowhere?x=%26&amp;lang=en"' in page


def test_caches_keep_the_languages_apart(visitor: FlaskClient) -> None:
    assert {"Accept-Language", "Cookie"} <= set(visitor.get("/nowhere").vary)
