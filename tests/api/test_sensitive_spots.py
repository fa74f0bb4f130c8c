"""What the original client is sensitive to (part D.2 of the contract), row by row."""

import json
from datetime import timedelta

import pytest

from app.clock import utcnow
from app.models import User
from app.services import tokens, votes
from app.wiring import token_key
from tests import factories as make
from tests.api.conftest import Client, SignIn

NEW_VOTE = {"coin_code": "BTC", "duration": "day", "range": 5, "comment": "up"}


def test_d2_01_verify_judges_by_the_header_and_ignores_any_body(
    as_alice: Client, stranger: Client
) -> None:
    lie = {"headers": {"Authorization": f"Bearer {as_alice.access}"}}

    assert stranger.post("/auth/token/verify", lie).status_code == 400
    assert as_alice.post("/auth/token/verify", {"headers": "Bearer 1"}).status_code == 200
    assert as_alice.post("/auth/token/verify", data=b"\xff{", headers={}).status_code == 200


def test_d2_02_verify_never_fails_otherwise_than_by_400_or_401(stranger: Client) -> None:
    strange = (
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "bearer 1",
        "Token x",
        "Bearer a b",
        "Bearer \x7f",
    )
    for header in strange:
        response = stranger.post("/auth/token/verify", headers={"Authorization": header})
        assert response.status_code == 401


def test_d2_03_refresh_answers_both_names(stranger: Client, as_alice: Client) -> None:
    pair = stranger.post("/auth/token/refresh/", {"refresh_token": as_alice.refresh}).get_json()

    assert pair["access"] == pair["access_token"]
    as_alice.access = pair["access"]
    assert as_alice.get("/user").status_code == 200


def test_d2_04_tokens_survive_being_kept_as_json(as_alice: Client) -> None:
    for token in (as_alice.access, as_alice.refresh):
        assert json.dumps(token) == f'"{token}"'


def test_d2_05_lists_are_arrays_even_when_empty(as_alice: Client) -> None:
    assert as_alice.get("/votes").get_json() == []
    assert as_alice.get("/user/created-votes").get_json()["votes"] == []
    assert as_alice.get("/user/participated-votes").get_json()["votes"] == []


def test_d2_06_what_the_screen_reads_is_never_null(as_bob: Client, alice: User, bob: User) -> None:
    now = utcnow()
    waiting = make.make_vote(alice, now=now - timedelta(days=1))
    void = make.make_vote(alice, now=now - timedelta(days=1))
    settled = make.make_vote(alice, now=now - timedelta(days=1))
    for vote in (waiting, void, settled):
        make.answer(bob, vote)
    votes.void_vote(vote_id=void.id, reason="상장 폐지", now=now)
    make.settle(make.close(settled), now=now)

    for vote in as_bob.get("/user/participated-votes").get_json()["votes"]:
        assert vote["created_price"] is not None
        assert (vote["finished_price"] is not None) == (vote["state"] == "tracked")
        assert vote["user"]["participated_at"] is not None
        assert all(vote[name] for name in ("created_at", "finished_at", "tracked_at"))


def test_d2_07_wall_clock_is_korean(as_alice: Client, alice: User) -> None:
    vote = make.make_vote(alice, now=make.NOW)  # 03:04:30 UTC

    found = as_alice.get(f"/votes/{vote.id}").get_json()

    assert found["created_at"] == "2026-03-02T12:04:30"
    assert found["finished_at"] == "2026-03-02T20:04:00"
    assert found["tracked_at"] == "2026-03-03T12:04:00"


def test_d2_08_names_hold_no_parentheses(stranger: Client) -> None:
    make.make_coin("ABC", korean_name="에이비씨(구 (디이에프", observed_at=utcnow())
    make.make_coin("GHI", korean_name="지에이치아이 (신)", observed_at=utcnow())

    names = {coin["code"]: coin["krname"] for coin in stranger.get("/coins").get_json()}
    tracked = [coin["coin_fullname"] for coin in stranger.get("/tracker/coins").get_json()]

    assert names == {"ABC": "에이비씨구 디이에프", "GHI": "지에이치아이"}
    assert "지에이치아이(GHI)" in tracked


def test_d2_09_server_refuses_on_its_own_and_nan_is_404(
    sign_in: SignIn, as_alice: Client, coin: str
) -> None:
    poor = sign_in(make.make_user("poor", points=49))

    assert poor.post("/votes/", NEW_VOTE).status_code == 400
    assert poor.get("/votes").get_json() == []
    assert as_alice.get("/votes/NaN").status_code == 404


def test_d2_10_answer_is_there_as_soon_as_201_is_said(as_bob: Client, alice: User) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id

    as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 1})

    assert as_bob.get(f"/votes/{vote_id}").get_json()["user"]["choice"] == 1


def test_d2_11_my_page_tells_the_points_of_this_moment(as_bob: Client, alice: User) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id
    before = as_bob.get("/user")

    as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 1})
    after = as_bob.get("/user", headers={"If-None-Match": before.headers["ETag"]})

    assert (before.get_json()["point"], after.get_json()["point"]) == (300, 290)


@pytest.mark.parametrize("empty", [0, None])
def test_d2_12_range_that_the_client_lets_through_is_refused(
    as_alice: Client, coin: str, empty: int | None
) -> None:
    response = as_alice.post("/votes/", NEW_VOTE | {"range": empty})

    assert response.status_code == 400
    assert "range" in response.get_json()


def test_d2_13_nickname_may_have_twenty_characters(as_alice: Client) -> None:
    assert as_alice.post("/user/nickname/check", {"nickname": "고" * 20}).status_code == 200
    assert as_alice.post("/user/nickname/check", {"nickname": "고" * 21}).status_code == 400


def test_d2_14_prices_keep_all_their_decimals(stranger: Client, as_alice: Client) -> None:
    make.make_coin(price="0.00000123", observed_at=utcnow())

    made = as_alice.post("/votes/", NEW_VOTE).get_json()["vote_id"]

    assert b'"cur_price":0.00000123' in stranger.get("/tracker/coins").data
    assert b'"created_price":0.00000123' in as_alice.get(f"/votes/{made}").data


def test_d2_15_day_old_token_is_401_everywhere(as_alice: Client, alice: User) -> None:
    long_ago = utcnow() - tokens.ACCESS_FOR
    pair = tokens.issue(user_id=alice.id, device="", key=token_key(), now=long_ago)
    as_alice.access = pair.access

    assert as_alice.get("/user").status_code == 401
    assert as_alice.post("/auth/token/verify").status_code == 401
