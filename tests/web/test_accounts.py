"""The way in and out, one's own page and lists, the settings."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services import accounts
from app.web.accounts.entry import own_path
from tests import factories
from tests.web.visitors import PASSWORD, newcomer, person, said, visitor

WRONG = "not-the-password"
MakeApp = Callable[..., Flask]
BAD_NAMES = ["", "   ", "a\x00b", "🐳" * 5_000, "a\nb", "\u200b"]


def log_in(client: FlaskClient, name: str = "alice", password: str = PASSWORD, **more: str):
    form = {"nickname": name, "password": password, **more}
    return client.post("/login", data=form)


def join(client: FlaskClient, name: str = "alice", password: str = PASSWORD, again: str = ""):
    form = {"nickname": name, "password": password, "password_again": again or password}
    return client.post("/signup", data=form)


def is_in(client: FlaskClient) -> bool:
    """Whether this browser is let into a page of one's own."""
    return client.get("/me").status_code == 200


def cookies(answer: TestResponse) -> str:
    return "\n".join(answer.headers.getlist("Set-Cookie"))


def test_sign_up_gives_300_points_and_shows_the_tutorial(client: FlaskClient) -> None:
    answer = join(client)

    assert (answer.status_code, answer.location) == (303, "/tutorial")
    shown = said(client.get("/tutorial"))
    assert "고래밥 300개를 드렸어요" in shown
    assert "300" in said(client.get("/me/points"))


@pytest.mark.parametrize("name", BAD_NAMES)
def test_impossible_nickname_is_refused_at_its_field(client: FlaskClient, name: str) -> None:
    answer = join(client, name)

    assert answer.status_code == 422
    assert 'id="nickname-error"' in answer.text
    assert not is_in(client)


def test_refused_sign_up_keeps_the_nickname_and_never_the_password(client: FlaskClient) -> None:
    answer = join(client, "mermaid", "first-password", "other-password")

    assert answer.status_code == 422
    assert 'value="mermaid"' in answer.text
    assert 'id="password_again-error"' in answer.text
    assert "first-password" not in answer.text
    assert "other-password" not in answer.text


def test_nickname_of_another_is_refused(app: Flask, client: FlaskClient) -> None:
    person(app, "Alice")

    answer = join(client, "ALICE")

    assert answer.status_code == 422
    assert "누가 먼저" in said(answer)


def test_form_beyond_all_measure_is_told_so(client: FlaskClient) -> None:
    answer = join(client, "🐳" * 10_000)

    assert answer.status_code == 413
    assert "더 짧게" in said(answer)


def test_form_without_fields_is_answered_not_failed(client: FlaskClient) -> None:
    assert client.post("/signup").status_code == 422
    assert client.post("/login").status_code == 422


def test_sign_in_leads_where_one_wanted_to_go(app: Flask, client: FlaskClient) -> None:
    person(app, password=PASSWORD)
    led = client.get("/me/votes?kind=created")

    assert (led.status_code, led.location) == (303, "/login?next=%2Fme%2Fvotes%3Fkind%3Dcreated")
    answer = client.post(led.location, data={"nickname": "alice", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/me/votes?kind=created")


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\t/evil.example", "",
     "/login", "/logout", "/signup?next=/me", "javascript:alert(1)", "/a\nb"],
)  # fmt: skip
def test_only_a_page_of_ours_is_gone_on_to(address: str) -> None:
    assert own_path(address) is None


def test_stranger_address_after_sign_in_is_the_start_page(app: Flask, client: FlaskClient) -> None:
    person(app, password=PASSWORD)

    answer = client.post(
        "/login?next=//evil.example", data={"nickname": "alice", "password": PASSWORD}
    )

    assert answer.location == "/"


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong-one"), ("nobody", PASSWORD)])
def test_one_sentence_for_a_wrong_nickname_or_password(
    app: Flask, client: FlaskClient, name: str, password: str
) -> None:
    person(app, password=PASSWORD)

    answer = log_in(client, name, password)

    assert answer.status_code == 422
    assert "닉네임이나 비밀번호가 맞지 않아요." in said(answer)
    assert f'value="{name}"' in answer.text
    assert password not in answer.text


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_signed_in_visitor_of_an_entrance_goes_home(app: Flask, path: str) -> None:
    client = newcomer(app)

    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, answer.location) == (303, "/")


def test_session_before_sign_in_is_thrown_away(app: Flask, client: FlaskClient) -> None:
    person(app, password=PASSWORD)
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"

    log_in(client)

    with client.session_transaction() as session:
        assert "planted" not in session
        assert "_user_id" in session


def test_cookies_are_hidden_from_scripts_and_other_sites(app: Flask, client: FlaskClient) -> None:
    person(app, password=PASSWORD)

    set_cookies = log_in(client, remember="y").headers.getlist("Set-Cookie")

    assert {cookie.partition("=")[0] for cookie in set_cookies} == {"whaling", "whaling_remember"}
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in set_cookies)
    assert not any("Secure" in cookie for cookie in set_cookies)


def test_cookies_are_secure_behind_tls(make_app: MakeApp) -> None:
    app = make_app(trusted_proxies=1)
    person(app, password=PASSWORD)

    answer = app.test_client().post(
        "/login",
        data={"nickname": "alice", "password": PASSWORD, "remember": "y"},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"},
    )

    assert [cookie.count("; Secure") for cookie in answer.headers.getlist("Set-Cookie")] == [1, 1]


def test_remembered_browser_comes_back_without_its_session(app: Flask, client: FlaskClient) -> None:
    person(app, password=PASSWORD)
    log_in(client, remember="y")

    client.delete_cookie("whaling")

    assert is_in(client)


def test_signing_out_forgets_session_and_browser(app: Flask, client: FlaskClient) -> None:
    person(app, password=PASSWORD)
    log_in(client, remember="y")
    with client.session_transaction() as session:
        session["of_this_person"] = "a word"

    assert client.post("/logout").location == "/"

    with client.session_transaction() as session:
        assert "of_this_person" not in session
    assert not is_in(client)
    assert client.get_cookie("whaling_remember") is None
    assert client.post("/logout").status_code == 303


@pytest.mark.parametrize("path", ["/logout", "/me/settings/sign-out-everywhere", "/me/top-up"])
def test_deeds_are_done_by_post_alone(app: Flask, path: str) -> None:
    assert newcomer(app).get(path).status_code == 405


@pytest.mark.parametrize(
    "path", ["/login", "/signup", "/logout", "/me/settings/nickname", "/me/settings/password",
             "/me/settings/sign-out-everywhere", "/me/top-up", "/create"]
)  # fmt: skip
def test_form_without_token_is_refused(make_app: MakeApp, path: str) -> None:
    app = make_app(csrf=True)
    client = newcomer(app)

    answer = client.post(path, data={"nickname": "bob", "password": PASSWORD})

    assert answer.status_code == 400
    assert "오래 열어 둔 페이지" in said(answer)
    assert is_in(client)


def test_form_with_its_token_is_taken(make_app: MakeApp) -> None:
    app = make_app(csrf=True)
    person(app, password=PASSWORD)
    client = app.test_client()
    token = client.get("/login").text.split('name="csrf_token" type="hidden" value="')[1]

    answer = log_in(client, csrf_token=token.partition('"')[0])

    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/me", "/me/votes", "/me/settings", "/me/points", "/create"])
def test_stranger_is_led_to_sign_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=%2F")


@pytest.mark.parametrize("path", ["/me/settings/nickname", "/me/top-up", "/create"])
def test_deed_of_a_stranger_leads_to_sign_in_and_changes_nothing(
    client: FlaskClient, path: str
) -> None:
    answer = client.post(path, data={"nickname": "x"})

    assert (answer.status_code, answer.location) == (303, "/login")


def test_eleventh_try_in_a_minute_waits(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True).test_client()
    for number in range(10):
        assert log_in(client, f"name{number}").status_code == 422

    answer = log_in(client, "another")

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) <= 61
    assert "잠시 뒤에 다시" in said(answer)
    assert client.get("/login").status_code == 200


def test_guessing_one_persons_password_waits_from_any_address(make_app: MakeApp) -> None:
    app = make_app(rate_limits=True, trusted_proxies=1)
    person(app, password=PASSWORD)
    client = app.test_client()

    def guess(number: int, name: str = "alice", password: str = WRONG) -> int:
        address = {"X-Forwarded-For": f"203.0.113.{number}"}
        form = {"nickname": name, "password": password}
        return client.post("/login", data=form, headers=address).status_code

    assert [guess(number) for number in range(11)] == [422] * 10 + [429]
    assert guess(99, " ALICE ", PASSWORD) == 429
    assert guess(99, "bob") == 422


def test_signing_in_rightly_uses_up_no_guesses(make_app: MakeApp) -> None:
    app = make_app(rate_limits=True, trusted_proxies=1)
    person(app, password=PASSWORD)

    for number in range(12):
        address = {"X-Forwarded-For": f"203.0.113.{number}"}
        form = {"nickname": "alice", "password": PASSWORD}
        answer = app.test_client().post("/login", data=form, headers=address)
        assert answer.status_code == 303


def test_name_that_cant_exist_counts_for_the_address_alone(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True, trusted_proxies=1).test_client()

    for number in range(11):
        address = {"X-Forwarded-For": f"203.0.113.{number}"}
        form = {"nickname": "", "password": WRONG}
        assert client.post("/login", data=form, headers=address).status_code == 422


def test_people_are_made_twenty_a_minute(make_app: MakeApp) -> None:
    client = make_app(rate_limits=True).test_client()

    assert [join(client, "", WRONG).status_code for _ in range(21)] == [422] * 20 + [429]


def test_guessing_the_present_password_waits(make_app: MakeApp) -> None:
    client = newcomer(make_app(rate_limits=True), password=PASSWORD)

    tries = [new_password(client, WRONG).status_code for _ in range(11)]

    assert tries == [422] * 10 + [429]


def test_my_page_shows_my_accuracy_and_the_way_to_whale(make_app: MakeApp) -> None:
    app = make_app(whale_min_settled=10)
    client = newcomer(app, "minji", record=(3, 5))

    shown = said(client.get("/me"))

    assert "minji" in shown
    assert "60.00 %" in shown
    assert "5번 더 맞히면 웨일이에요" in shown
    assert "맞힘 3 틀림 2 결과 대기 0 만든 질문 0" in shown


def test_my_page_names_a_whale(app: Flask) -> None:
    assert "웨일이에요" in said(newcomer(app, record=(7, 10)).get("/me"))


def test_my_lists_show_my_own_hit_not_the_crowds(app: Flask) -> None:
    with app.app_context():
        alice, bob = factories.make_user("alice"), factories.make_user("bob")
        carol, dave = factories.make_user("carol"), factories.make_user("dave")
        vote = factories.make_vote(alice)
        for voter, choice in ((bob, "yes"), (carol, "no"), (dave, "no")):
            factories.answer(voter, vote, choice)
        factories.settle(factories.close(vote), "110")
        asker, hit, miss = (visitor(app, user) for user in (alice, bob, carol))

    assert "적중" in said(hit.get("/me/votes"))
    assert "빗나감" in said(miss.get("/me/votes"))
    assert "결과 예" in said(asker.get("/me/votes?kind=created"))


def test_tabs_part_what_takes_answers_from_what_is_over(app: Flask) -> None:
    with app.app_context():
        alice = factories.make_user("alice")
        factories.make_settled_vote(alice)
        client = visitor(app, alice)

    assert "전체 1 진행 0 완료 1" in said(client.get("/me/votes?kind=created"))
    assert "비트코인, 1일 뒤" in said(client.get("/me/votes?kind=created&tab=done"))
    assert "비트코인, 1일 뒤" not in said(client.get("/me/votes?kind=created&tab=ongoing"))


def test_long_list_goes_on_page_by_page(app: Flask) -> None:
    with app.app_context():
        alice = factories.make_user("alice", points=2000)
        for pct in range(1, 23):
            factories.make_vote(alice, range_pct=pct)
        client = visitor(app, alice)

    first = client.get("/me/votes?kind=created").text
    after = first.split("before=")[1].partition('"')[0]
    second = client.get(f"/me/votes?kind=created&before={after}").text

    assert (first.count("wl-item"), second.count("wl-item")) == (20, 2)
    assert 'rel="next"' not in second


@pytest.mark.parametrize("query", ["kind=🐳&tab=x&before=x", "before=-1", "before=" + "9" * 5000])
def test_nonsense_in_the_address_shows_the_whole_list(app: Flask, query: str) -> None:
    assert newcomer(app).get(f"/me/votes?{query}").status_code == 200


def test_nickname_changes_and_the_old_one_is_free(app: Flask) -> None:
    client = newcomer(app, "alice")

    answer = client.post("/me/settings/nickname", data={"nickname": " Mermaid "})

    assert (answer.status_code, answer.location) == (303, "/me/settings")
    assert "이제 Mermaid님이에요." in said(client.get("/me/settings"))
    with app.app_context():
        assert accounts.find_user("alice") is None


@pytest.mark.parametrize("name", [*BAD_NAMES, "BOB"])
def test_refused_nickname_changes_nothing(app: Flask, name: str) -> None:
    person(app, "bob")
    client = newcomer(app, "alice")

    answer = client.post("/me/settings/nickname", data={"nickname": name})

    assert answer.status_code == 422
    assert 'id="nickname-error"' in answer.text
    assert "alice" in said(client.get("/me"))


@pytest.mark.parametrize("form", ["nickname", "password"])
def test_language_may_be_changed_beside_a_refused_form(app: Flask, form: str) -> None:
    client = newcomer(app)
    refused = client.post(f"/me/settings/{form}")
    assert f'href="/me/settings/{form}?lang=en"' in refused.text

    answer = client.get(f"/me/settings/{form}?lang=en", follow_redirects=True)

    assert (answer.request.path, answer.status_code) == ("/me/settings", 200)
    assert '<html lang="en"' in answer.text


def new_password(client: FlaskClient, old: str = PASSWORD, new: str = "brand-new-word", again=""):
    form = {"old_password": old, "password": new, "password_again": again or new}
    return client.post("/me/settings/password", data=form)


def test_new_password_ends_every_other_session_and_keeps_this_one(app: Flask) -> None:
    alice = person(app, password=PASSWORD)
    here, there = visitor(app, alice), app.test_client()
    log_in(there, remember="y")

    assert new_password(here).status_code == 303

    assert is_in(here)
    assert not is_in(there)
    there.delete_cookie("whaling")
    assert not is_in(there)
    assert log_in(app.test_client(), password=PASSWORD).status_code == 422
    assert log_in(app.test_client(), password="brand-new-word").status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "brand-new-word", "", "old_password"),
        (PASSWORD, "short", "", "password"),
        (PASSWORD, "x" * 129, "", "password"),
        (PASSWORD, "brand-new-word", "another-word", "password_again"),
    ],
)
def test_refused_password_is_told_at_its_field(
    app: Flask, old: str, new: str, again: str, field: str
) -> None:
    alice = person(app, password=PASSWORD)
    client = visitor(app, alice)

    answer = new_password(client, old, new, again)

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert new not in answer.text
    assert is_in(visitor(app, alice))


def test_signing_out_everywhere_ends_this_session_too(app: Flask) -> None:
    alice = person(app)
    here, there = visitor(app, alice), visitor(app, alice)

    answer = here.post("/me/settings/sign-out-everywhere")

    assert (answer.status_code, answer.location) == (303, "/login")
    assert not is_in(here)
    assert not is_in(there)


def test_settings_keep_language_and_theme_in_cookies(app: Flask) -> None:
    client = newcomer(app)

    client.get("/me/settings?lang=en", headers={"Accept": "text/html"})
    client.get("/me/settings?theme=dark", headers={"Accept": "text/html"})

    shown = client.get("/me/settings").text
    assert '<html lang="en" data-bs-theme="dark">' in shown
    assert "Sign out everywhere" in shown


def test_tutorial_is_open_to_everybody(client: FlaskClient) -> None:
    assert client.get("/tutorial").status_code == 200
