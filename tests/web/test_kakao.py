"""Signing in with Kakao, through a Kakao that answers: the whole way, and every way it ends."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.extensions import db
from app.models import Identity, User
from app.web.accounts import handshakes
from tests.conftest import MakeApp, Visitor
from tests.fake_kakao import ADMIN_KEY, APP_ID, MINA, PNG, FakeKakao
from tests.web.visitors import PASSWORD, newcomer, person, said

Come = Callable[..., TestResponse]
LOST = "로그인이 중간에 끊겼어요"


@pytest.fixture
def kakao() -> Iterator[FakeKakao]:
    with FakeKakao() as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, kakao: FakeKakao) -> Flask:
    return make_app(**kakao.settings())


@pytest.fixture
def client(app: Flask) -> Visitor:
    return cast(Visitor, app.test_client())


def away(client: Visitor, start: str = "/login/kakao") -> str:
    """Begin, walk over Kakao's page, and say where Kakao sends the browser."""
    page = requests.get(client.get(start).location, allow_redirects=False, timeout=5)
    return str(page.headers["Location"]).removeprefix("http://localhost")


def come(client: Visitor, start: str = "/login/kakao") -> TestResponse:
    """The whole way there and back."""
    return client.get(away(client, start))


def told(client: Visitor, answer: TestResponse) -> str:
    """The words of the page that an answer leads to."""
    return said(client.get(answer.location))


def is_in(client: Visitor) -> bool:
    return client.get("/me").status_code == 200


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_button_is_offered_only_where_kakao_is_set_up(make_app: MakeApp, client: Visitor) -> None:
    without = make_app().test_client()

    for path in ("/login", "/signup"):
        assert "/login/kakao" in client.get(path).text
        assert "kakao" not in without.get(path).text
    assert without.get("/login/kakao").status_code == 404
    assert without.get("/login/kakao/callback").status_code == 404


def test_new_person_is_welcomed_and_may_choose_a_name(app: Flask, client: Visitor) -> None:
    answer = come(client)

    assert (answer.status_code, answer.location) == (303, "/welcome")
    page = client.get("/welcome")
    assert "고래밥 300개를 드렸어요" in said(page)
    assert 'value="미나"' in page.text
    assert client.post("/welcome", data={"nickname": "파도"}).location == "/tutorial"
    assert "파도" in said(client.get("/me"))


def test_name_of_another_is_refused_on_arrival(app: Flask, client: Visitor) -> None:
    person(app, "파도")
    come(client)

    answer = client.post("/welcome", data={"nickname": "파도"})

    assert answer.status_code == 422
    assert 'value="파도"' in answer.text


def test_known_person_goes_where_they_wanted(app: Flask, client: Visitor) -> None:
    come(client)
    again = cast(Visitor, app.test_client())

    answer = come(again, "/login/kakao?next=/me/points")

    assert (answer.status_code, answer.location) == (303, "/me/points")
    assert people(app) == 1


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/" + "x" * 300])
def test_way_back_never_leads_to_another_host(app: Flask, client: Visitor, wanted: str) -> None:
    come(client)
    again = cast(Visitor, app.test_client())

    assert come(again, f"/login/kakao?next={wanted}").location == "/"


def test_sign_in_sends_fixed_address_state_nonce_and_challenge(client: Visitor) -> None:
    first, second = (
        parse_qs(urlsplit(client.get("/login/kakao", headers={"Host": "evil"}).location).query)
        for _ in range(2)
    )

    assert first["redirect_uri"] == ["http://localhost/login/kakao/callback"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]


def test_person_who_refuses_is_told_and_stays_outside(
    app: Flask, client: Visitor, kakao: FakeKakao
) -> None:
    kakao.decision = "deny"

    answer = come(client)

    assert answer.location == "/login"
    assert "카카오 로그인을 취소했어요" in told(client, answer)
    assert people(app) == 0


def test_tampered_state_is_refused(app: Flask, client: Visitor) -> None:
    back = away(client)

    answer = client.get(re.sub("state=[^&]+", "state=mine", back))

    assert LOST in told(client, answer)
    assert people(app) == 0


def test_code_longer_than_any_of_kakaos_is_not_passed_on(
    app: Flask, client: Visitor, kakao: FakeKakao
) -> None:
    back = away(client)
    before = list(kakao.asked)

    client.get(re.sub("code=[^&]+", f"code={'x' * 513}", back))

    assert kakao.asked == before
    assert people(app) == 0


def test_answer_for_another_browser_is_refused(app: Flask, client: Visitor) -> None:
    back = away(client)
    victim = cast(Visitor, app.test_client())

    answer = victim.get(back)

    assert LOST in told(victim, answer)
    assert not is_in(victim)


def test_answer_is_good_once(client: Visitor) -> None:
    back = away(client)
    client.get(back)

    assert LOST in told(client, client.get(back))


def test_sign_in_left_lying_for_ten_minutes_is_over(app: Flask) -> None:
    now = utcnow().replace(microsecond=0)
    with app.test_request_context():
        begun, late = (handshakes.begin(wanted="/", user_id=None, now=now) for _ in range(2))

        in_time = handshakes.take(begun.state, now=now + timedelta(minutes=10))
        too_late = handshakes.take(late.state, now=now + timedelta(minutes=10, seconds=1))

        assert in_time == begun
        assert too_late is None
        assert handshakes.take(begun.state, now=now) is None


def test_later_tab_does_not_disturb_the_earlier_one(client: Visitor) -> None:
    first, _second = away(client), away(client)

    assert client.get(first).location == "/welcome"


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "theirs"}, {"aud": "another-app"}, {"iss": "https://else.example"}, {"exp": 1}],
    ids=["nonce", "aud", "iss", "exp"],
)
def test_token_that_is_not_for_this_sign_in_is_refused(
    app: Flask, client: Visitor, kakao: FakeKakao, claims: dict[str, object]
) -> None:
    kakao.overrides = claims

    answer = come(client)

    assert "카카오 로그인을 확인하지 못했어요" in told(client, answer)
    assert people(app) == 0


@pytest.mark.parametrize(
    "query", ["", "&code=", "&code=x", "&error=server_error", "&code=" + "x" * 600]
)
def test_answer_that_makes_no_sense_is_refused(client: Visitor, query: str) -> None:
    state = parse_qs(urlsplit(client.get("/login/kakao").location).query)["state"][0]

    answer = client.get(f"/login/kakao/callback?state={state}{query}")

    assert "카카오 로그인을 확인하지 못했어요" in told(client, answer)


@pytest.mark.parametrize("mode", ["html", "error", "cut", "empty"])
@pytest.mark.parametrize("path", ["/oauth/token", "/v2/user/me"])
def test_kakao_that_is_down_is_named_and_leaves_no_half_account(
    app: Flask, client: Visitor, kakao: FakeKakao, path: str, mode: str
) -> None:
    kakao.broken[path] = mode

    answer = come(client)

    assert "카카오가 지금 대답하지 않아요" in told(client, answer)
    assert (people(app), is_in(client)) == (0, False)


def test_person_without_a_profile_comes_in_all_the_same(
    app: Flask, client: Visitor, kakao: FakeKakao
) -> None:
    kakao.profiles[MINA] = {}

    assert come(client).location == "/welcome"
    assert 'value="user1"' in client.get("/welcome").text


def test_picture_is_served_from_our_host(client: Visitor, kakao: FakeKakao) -> None:
    come(client)

    source = re.search(r'src="(/pictures/[0-9a-f]{64})"', client.get("/me").text)
    assert source
    answer = client.get(source[1])
    assert (answer.data, answer.mimetype) == (PNG, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert kakao.url not in client.get("/me").text


@pytest.mark.parametrize("name", ["x", "0" * 64, "0" * 65, "..%2f..%2fsecret_key"])
def test_unknown_picture_is_not_there(client: Visitor, name: str) -> None:
    assert client.get(f"/pictures/{name}").status_code == 404


def settings_link(client: Visitor) -> str:
    found = re.search(r'href="(/me/settings/kakao\?token=[^"]+)"', client.get("/me/settings").text)
    assert found
    return found[1]


def test_account_of_ours_links_kakao_and_comes_in_by_it(app: Flask, client: Visitor) -> None:
    alice = newcomer(app, password=PASSWORD)

    answer = come(alice, settings_link(alice))

    assert answer.location == "/me/settings"
    assert "카카오를 연결했어요" in told(alice, answer)
    come(client)
    assert "alice" in said(client.get("/me"))


def test_link_wants_the_form_token(app: Flask, kakao: FakeKakao) -> None:
    alice = newcomer(app)

    assert alice.get("/me/settings/kakao").status_code == 400
    assert alice.get("/me/settings/kakao?token=forged").status_code == 400
    assert kakao.asked == []


def test_link_begun_by_one_person_is_not_ended_by_another(app: Flask) -> None:
    alice = newcomer(app)
    back = away(alice, settings_link(alice))
    alice.sign_in(person(app, "bob"))

    answer = alice.get(back)

    assert LOST in told(alice, answer)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Identity)) == 0


def test_kakao_of_somebody_else_is_not_linked(app: Flask, client: Visitor) -> None:
    come(client)
    alice = newcomer(app)

    answer = come(alice, settings_link(alice))

    assert "이미 다른 계정에 연결돼 있어요" in told(alice, answer)


def test_unlinking_needs_another_way_in(app: Flask, client: Visitor, kakao: FakeKakao) -> None:
    come(client)
    refused = client.post("/me/settings/kakao/unlink", headers={"Referer": "http://localhost/me"})
    assert "마지막 방법이에요" in told(client, refused)

    new = {"password": PASSWORD, "password_again": PASSWORD}
    assert client.post("/me/settings/first-password", data=new).status_code == 303
    done = client.post("/me/settings/kakao/unlink")

    assert "카카오 연결을 끊었어요" in told(client, done)
    assert kakao.unlinked == [str(MINA)]


def test_first_password_is_checked_and_never_the_second(app: Flask, client: Visitor) -> None:
    come(client)
    form = {"password": "short", "password_again": "short"}
    assert client.post("/me/settings/first-password", data=form).status_code == 422

    alice = newcomer(app, password=PASSWORD)
    form = {"password": "another-word", "password_again": "another-word"}
    alice.post("/me/settings/first-password", data=form)

    entered = cast(Visitor, app.test_client())
    login = {"nickname": "alice", "password": "another-word"}
    assert entered.post("/login", data=login).status_code == 422


@pytest.mark.parametrize("path", ["/me/settings/kakao", "/welcome", "/me/settings/kakao/unlink"])
def test_strangers_are_led_to_sign_in(client: Visitor, path: str) -> None:
    answer = client.post(path) if path.endswith("unlink") else client.get(path)

    assert (answer.status_code, answer.location[:6]) == (303, "/login")


def test_person_who_is_in_goes_home(app: Flask, kakao: FakeKakao) -> None:
    assert newcomer(app).get("/login/kakao").location == "/"


def hook(client: Visitor, *, key: str = ADMIN_KEY, **values: str) -> int:
    form = {"app_id": APP_ID, "user_id": str(MINA), "referrer_type": "UNLINK_FROM_APPS"} | values
    headers = {"Authorization": f"KakaoAK {key}"}
    return client.post("/kakao/unlinked", data=form, headers=headers).status_code


def test_disconnected_at_kakao_is_signed_out_here(client: Visitor, app: Flask) -> None:
    come(client)

    assert hook(cast(Visitor, app.test_client())) == 200

    assert not is_in(client)


def test_disconnection_may_come_in_the_address(client: Visitor, app: Flask) -> None:
    come(client)
    query = {"app_id": APP_ID, "user_id": str(MINA)}
    headers = {"Authorization": f"KakaoAK {ADMIN_KEY}"}

    answer = app.test_client().get("/kakao/unlinked", query_string=query, headers=headers)

    assert answer.status_code == 200
    assert not is_in(client)


def test_disconnection_of_a_stranger_is_taken_note_of(client: Visitor) -> None:
    assert hook(client, user_id="99") == 200
    assert hook(client, user_id="") == 200


@pytest.mark.parametrize(
    ("wrong", "status"), [({"key": "guess"}, 401), ({"key": "열쇠"}, 401), ({"app_id": "1"}, 400)]
)
def test_disconnection_that_is_not_kakaos_changes_nothing(
    app: Flask, client: Visitor, wrong: dict[str, str], status: int
) -> None:
    come(client)
    wrong = {k: v.encode().decode("latin-1") if k == "key" else v for k, v in wrong.items()}

    assert hook(cast(Visitor, app.test_client()), **wrong) == status

    assert is_in(client)


def test_hooks_are_closed_where_nothing_is_set_up(make_app: MakeApp, kakao: FakeKakao) -> None:
    keyless = make_app(**(kakao.settings() | {"kakao_admin_key": ""}))

    assert hook(cast(Visitor, keyless.test_client()), key="") == 404
    assert make_app().test_client().post("/kakao/events").status_code == 404


def test_unsafe_account_is_signed_out(app: Flask, client: Visitor, kakao: FakeKakao) -> None:
    come(client)
    event = "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked"

    answer = app.test_client().post("/kakao/events", data=kakao.event(event=event))

    assert answer.status_code == 202
    assert not is_in(client)
    assert come(client).location == "/"


def test_forged_event_changes_nothing(app: Flask, client: Visitor, kakao: FakeKakao) -> None:
    come(client)

    for forged in ("", "x.y.z", kakao.id_token(), kakao.event(aud="another-app")):
        answer = app.test_client().post("/kakao/events", data=forged)
        assert answer.status_code == 400
        assert answer.get_json()["err"] == "invalid_request"

    assert is_in(client)


def test_event_waits_while_the_keys_cannot_be_had(client: Visitor, kakao: FakeKakao) -> None:
    kakao.broken["/.well-known/jwks.json"] = "error"

    assert client.post("/kakao/events", data=kakao.event()).status_code == 503


def test_visitor_stays_signed_in_though_kakao_breaks_later(
    client: Visitor, kakao: FakeKakao
) -> None:
    come(client)

    kakao.broken = dict.fromkeys(("/oauth/token", "/v2/user/me"), "error")

    assert is_in(client)
