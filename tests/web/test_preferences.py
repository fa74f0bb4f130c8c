"""Language and theme: address, account, cookie, browser, and Korean at last."""

from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import User
from app.web import preferences
from tests.conftest import Visitor
from tests.web.visitors import PASSWORD, newcomer, person

BROWSER = {"Accept": "text/html"}


@pytest.fixture
def visitor(bare_app: Flask) -> FlaskClient:
    return bare_app.test_client()


@pytest.fixture
def alice(app: Flask) -> User:
    return person(app, password=PASSWORD)


def log_in(app: Flask, **cookies: str) -> Visitor:
    """Alice in a browser of her own, which had chosen this before she signed in."""
    browser = cast(Visitor, app.test_client())
    for name, value in cookies.items():
        browser.set_cookie(name, value)
    browser.post("/login", data={"nickname": "alice", "password": PASSWORD})
    return browser


def chosen(app: Flask, user: User) -> tuple[str | None, str | None]:
    with app.app_context():
        kept = db.session.get_one(User, user.id)
        return kept.language, kept.theme


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


def test_theme_button_goes_round() -> None:
    seen = ["system"]
    for _step in range(3):
        seen.append(preferences.next_theme(seen[-1]))

    assert seen == ["system", "dark", "light", "system"]


def test_page_names_its_other_language(visitor: FlaskClient) -> None:
    page = visitor.get("/nowhere?x=%26").text

    assert 'hreflang="en" href="/nowhere?x=%26&amp;lang=en"' in page


def test_caches_keep_the_languages_apart(visitor: FlaskClient) -> None:
    assert {"Accept-Language", "Cookie"} <= set(visitor.get("/nowhere").vary)


def test_choice_of_a_signed_in_person_is_the_accounts(app: Flask, alice: User) -> None:
    here = log_in(app)

    answer = here.get("/votes?lang=en&theme=dark", headers=BROWSER)

    assert (answer.status_code, answer.location) == (303, "/votes")
    assert chosen(app, alice) == ("en", "dark")
    assert here.get_cookie("lang") is here.get_cookie("theme") is None
    elsewhere = log_in(app).get("/votes", headers={"Accept-Language": "ko"}).text
    assert language(elsewhere) == "en"
    assert 'data-bs-theme="dark"' in elsewhere


def test_account_beats_the_cookie_and_the_address_the_account(app: Flask, alice: User) -> None:
    log_in(app).get("/votes?lang=en", headers=BROWSER)

    here = log_in(app, lang="ko", theme="light")

    assert language(here.get("/votes").text) == "en"
    assert language(here.get("/votes?lang=ko", headers={"Accept": "*/*"}).text) == "ko"
    assert chosen(app, alice) == ("en", "light")


def test_choice_before_the_first_sign_in_is_taken_over(app: Flask, alice: User) -> None:
    log_in(app, lang="en", theme="dark")
    log_in(app, lang="ko", theme="light")

    assert chosen(app, alice) == ("en", "dark")


def test_choice_before_signing_up_is_taken_over(app: Flask, client: Visitor) -> None:
    client.get("/signup?lang=en", headers=BROWSER)
    form = {"nickname": "neo", "password": PASSWORD, "password_again": PASSWORD}
    client.post("/signup", data=form)
    client.delete_cookie("lang")

    assert language(client.get("/votes").text) == "en"


def test_nonsense_in_a_cookie_is_not_taken_over(app: Flask, alice: User) -> None:
    log_in(app, lang="xx", theme="pink")

    assert chosen(app, alice) == (None, None)


def test_system_is_a_choice_too(app: Flask, alice: User) -> None:
    here = log_in(app, theme="dark")

    here.get("/me/settings?theme=system", headers=BROWSER)

    assert "data-bs-theme" not in here.get("/votes").text


def test_after_signing_out_the_browser_speaks_as_before(app: Flask, alice: User) -> None:
    here = log_in(app)
    here.get("/votes?lang=en", headers=BROWSER)

    here.post("/logout")

    assert language(here.get("/votes").text) == "ko"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_link_on_another_site_changes_nothing_of_an_account(app: Flask, site: str) -> None:
    here = newcomer(app, "bob")

    page = here.get("/votes?lang=en", headers=BROWSER | {"Sec-Fetch-Site": site})

    assert (page.status_code, language(page.text)) == (200, "en")
    assert language(here.get("/votes").text) == "ko"


def test_client_is_answered_in_the_language_it_asks_for(app: Flask, alice: User) -> None:
    here = log_in(app)
    here.get("/votes?lang=en", headers=BROWSER)

    refused = here.get("/api/v1/user", headers={"Accept-Language": "ko"})

    assert refused.get_json()["detail"] == "로그인이 필요해요."
    assert "찾을 수 없어요" in here.get("/api/nowhere").get_json()["detail"]


def test_failure_page_asks_the_database_for_nothing(
    app: Flask, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.testing = app.config["PROPAGATE_EXCEPTIONS"] = False
    here = log_in(app, lang="en")

    def broken(**_given: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("app.services.browsers.find", broken)
    page = here.get("/votes")

    assert page.status_code == 500
    assert language(page.text) == "en"
