"""Every endpoint of the contract, as the original client calls it."""

import re
from datetime import datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.domain.kst import to_kst
from app.models import User
from app.services import votes
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of, first_field

NEW_VOTE = {"coin_code": "BTC", "duration": "day", "range": 5, "comment": "up"}
VOTE_FIELDS = {
    "vote_id", "coin", "is_admin_vote", "created_at", "updated_at", "state", "finished_at",
    "tracked_at", "created_price", "finished_price", "spent_point", "earned_point", "is_answer",
    "duration", "range", "comment", "total_participants", "pos_participants", "neg_participants",
    "pos_whales", "neg_whales", "uploader", "user",
}  # fmt: skip
NAIVE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?")


def vote_id_of(response: TestResponse) -> int:
    assert response.status_code == 201
    return int(response.get_json()["vote_id"])


BOTH_FORMS = [
    ("GET", "/user", 200),
    ("GET", "/user/created-votes", 200),
    ("GET", "/user/participated-votes", 200),
    ("GET", "/user/sessions", 200),
    ("GET", "/votes", 200),
    ("GET", "/votes/1", 200),
    ("GET", "/votes/1/evidence", 200),
    ("GET", "/coins", 200),
    ("GET", "/coins/BTC", 200),
    ("GET", "/tracker/coins", 200),
    ("GET", "/points/ledger", 200),
    ("POST", "/auth/token/verify", 200),
    ("POST", "/auth/token/refresh", 400),
    ("POST", "/votes", 400),
    ("POST", "/votes/1/choice", 400),
    ("POST", "/user/nickname/check", 400),
    ("PATCH", "/user/nickname", 400),
    ("POST", "/auth/local", 400),
    ("POST", "/auth/local/signup", 400),
]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a1_both_slash_forms_are_answered_directly(
    as_alice: Client, alice: User, slash: str
) -> None:
    make.make_vote(alice, now=utcnow())

    found = [
        (method, path, as_alice.send(method, path + slash).status_code)
        for method, path, _status in BOTH_FORMS
    ]

    assert found == BOTH_FORMS


def test_a1_accuracy_has_no_form_with_a_slash(as_alice: Client) -> None:
    assert as_alice.get("/acc-percent").status_code == 200
    assert as_alice.get("/acc-percent/").status_code == 404


FOR_PEOPLE = [
    ("GET", "/user"),
    ("POST", "/user/nickname/check"),
    ("PATCH", "/user/nickname"),
    ("POST", "/user/password"),
    ("GET", "/user/created-votes"),
    ("GET", "/user/participated-votes"),
    ("GET", "/user/sessions"),
    ("DELETE", "/user/sessions/1"),
    ("GET", "/votes"),
    ("POST", "/votes"),
    ("GET", "/votes/1"),
    ("GET", "/votes/1/evidence"),
    ("POST", "/votes/1/choice"),
    ("GET", "/acc-percent"),
    ("GET", "/points/ledger"),
    ("POST", "/points/top-up"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/logout-all"),
]


def test_a1_strangers_are_told_to_sign_in(stranger: Client) -> None:
    for method, path in FOR_PEOPLE:
        response = stranger.send(method, path)

        assert response.status_code == 401, path
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
        assert response.get_json()["detail"]
        assert code_of(response) == "token_missing"


def test_a1_bad_token_is_told_by_the_contracts_code(as_alice: Client) -> None:
    as_alice.access = "nonsense"

    response = as_alice.get("/user")

    assert response.status_code == 401
    assert response.get_json()["code"] == "token_not_valid"


def test_a1_csrf_header_is_taken_and_not_asked_for(as_alice: Client) -> None:
    cookie = {"Cookie": "csrftoken=another-application's", "X-CSRFTOKEN": "another-application's"}

    for headers in (cookie, {}):
        response = as_alice.patch("/user/nickname", {"nickname": "neo"}, headers=headers)
        assert response.status_code == 200


def test_a3_verify_says_nothing_when_the_token_is_good(as_alice: Client) -> None:
    response = as_alice.post("/auth/token/verify")

    assert (response.status_code, response.data) == (200, b"")


def test_a3_verify_tells_a_missing_header_from_a_bad_token(stranger: Client) -> None:
    missing = stranger.post("/auth/token/verify")
    stranger.access = "nonsense"
    bad = stranger.post("/auth/token/verify")

    assert (missing.status_code, bad.status_code) == (400, 401)
    assert missing.get_json()["message"]
    assert bad.get_json()["message"]


def test_a3_refresh_of_a_bad_token_is_401_and_of_none_400(stranger: Client) -> None:
    bad = stranger.post("/auth/token/refresh/", {"refresh_token": "nonsense"})
    missing = stranger.post("/auth/token/refresh/", {})

    assert (bad.status_code, bad.get_json()["message"] != "") == (401, True)
    assert (missing.status_code, first_field(missing)) == (400, "refresh_token")


def test_a2_user_is_told_with_the_contracts_names(sign_in: SignIn) -> None:
    user = make.make_user("고래", points=120, record=(2, 3))

    found = sign_in(user).get("/user").get_json()

    assert found["nickname"] == "고래"
    assert found["acc_percent"] == 66.66
    assert found["point"] == 120
    assert found["profile_img"] is None
    assert found["is_default_profile"] is True
    assert (found["right_answers"], found["settled_answers"]) == (2, 3)


def test_a3_nickname_check_is_empty_when_free_or_ones_own(as_alice: Client) -> None:
    for name in ("somebody", "alice"):
        response = as_alice.post("/user/nickname/check", {"nickname": name})
        assert (response.status_code, response.data) == (200, b"")


def test_a3_nickname_check_of_a_taken_one_is_409_with_a_plain_text(
    as_alice: Client, bob: User
) -> None:
    response = as_alice.post("/user/nickname/check", {"nickname": "bob"})

    assert response.status_code == 409
    assert isinstance(response.get_json()["nickname"], str)
    assert code_of(response) == "nickname_taken"


def test_a3_rename_is_empty_and_done(as_alice: Client) -> None:
    response = as_alice.patch("/user/nickname", {"nickname": "앨리스"})

    assert (response.status_code, response.data) == (200, b"")
    assert as_alice.get("/user").get_json()["nickname"] == "앨리스"


@pytest.mark.parametrize("name", ["bob", "", " ", "x" * 21, "a\nb"])
def test_a3_rename_to_what_cannot_be_is_told_in_a_list(
    as_alice: Client, bob: User, name: str
) -> None:
    response = as_alice.patch("/user/nickname", {"nickname": name})

    assert response.status_code == 400
    assert isinstance(response.get_json()["nickname"][0], str)
    assert as_alice.get("/user").get_json()["nickname"] == "alice"


def test_a2_vote_has_every_field_of_the_contract(as_alice: Client, coin: str) -> None:
    made = vote_id_of(as_alice.post("/votes/", NEW_VOTE))

    vote = as_alice.get(f"/votes/{made}").get_json()

    assert vote.keys() >= VOTE_FIELDS
    assert vote["coin"] == {"code": "BTC", "krname": "비트코인", "image": ""}
    assert (vote["state"], vote["duration"], vote["range"], vote["comment"]) == (
        "ongoing", "day", 5, "up",
    )  # fmt: skip
    assert (vote["created_price"], vote["finished_price"], vote["is_answer"]) == (100, None, None)
    assert (vote["spent_point"], vote["earned_point"]) == (10, 20)
    assert vote["user"] == {"choice": None, "is_answer": None, "participated_at": None}


def test_a1_vote_times_are_korean_without_offset(as_alice: Client, coin: str) -> None:
    made = vote_id_of(as_alice.post("/votes/", NEW_VOTE))

    vote = as_alice.get(f"/votes/{made}").get_json()

    for name in ("created_at", "updated_at", "finished_at", "tracked_at"):
        assert NAIVE.fullmatch(vote[name]), vote[name]
    assert vote["finished_at"].endswith(":00")
    korean_now = to_kst(utcnow()).replace(tzinfo=None)
    assert abs(datetime.fromisoformat(vote["created_at"]) - korean_now) < timedelta(minutes=1)


def test_a2_settled_vote_tells_price_and_whether_the_crowd_was_right(
    as_bob: Client, alice: User, bob: User
) -> None:
    vote = make.make_vote(alice, now=utcnow() - timedelta(days=1))
    make.answer(bob, vote, "no")
    make.settle(make.close(vote), "110")

    found = as_bob.get(f"/votes/{vote.id}").get_json()

    assert (found["state"], found["finished_price"], found["is_answer"]) == ("tracked", 110, False)
    assert (found["user"]["choice"], found["user"]["is_answer"]) == (2, False)
    assert NAIVE.fullmatch(found["user"]["participated_at"])


def test_a2_void_vote_looks_settled_at_its_first_price_to_old_clients(
    as_bob: Client, alice: User, bob: User
) -> None:
    vote = make.make_vote(alice, now=utcnow())
    make.answer(bob, vote)
    votes.void_vote(vote_id=vote.id, reason="거래 중단", now=utcnow())

    found = as_bob.get(f"/votes/{vote.id}").get_json()

    assert (found["state"], found["finished_price"], found["is_answer"]) == ("tracked", 100, None)
    assert (found["voided"], found["void_reason"]) == (True, "거래 중단")
    assert (found["user"]["choice"], found["user"]["is_answer"]) == (1, None)


def test_vote_tells_how_often_it_happened_before(as_bob: Client, alice: User) -> None:
    now = utcnow()
    make.make_candles(make.make_coin(), *["100", "110"] * 3, "100", until=now)
    known, unknown = make.make_vote(alice, now=now), make.make_vote(alice, coin="ETH", now=now)

    first, second = (as_bob.get(f"/votes/{vote.id}").get_json() for vote in (known, unknown))

    told = ("base_rate", "base_rate_hits", "base_rate_count")
    assert [first[name] for name in told] == [0.5, 3, 6]
    assert [second[name] for name in told] == [None, None, None]


def test_staff_vote_is_free_and_pays_thirty(sign_in: SignIn, admin: User, coin: str) -> None:
    captain = sign_in(admin)

    made = vote_id_of(captain.post("/votes/", NEW_VOTE))

    vote = captain.get(f"/votes/{made}").get_json()
    assert (vote["is_admin_vote"], vote["spent_point"], vote["earned_point"]) == (True, 0, 30)
    assert captain.get("/user").get_json()["point"] == 300


def test_a3_list_is_newest_first_without_settled_ones(as_alice: Client, alice: User) -> None:
    now = utcnow()
    make.make_settled_vote(alice, now=now)
    older = make.make_vote(alice, now=now - timedelta(hours=9)).id
    newer = make.make_vote(alice, now=now).id

    found = as_alice.get("/votes").get_json()

    assert [vote["vote_id"] for vote in found] == [newer, older]
    assert [vote["state"] for vote in found] == ["ongoing", "finished"]


def test_a3_list_filters_by_state_and_ignores_unknown_ones(as_alice: Client, alice: User) -> None:
    now = utcnow()
    closed = make.make_vote(alice, now=now - timedelta(hours=9)).id
    live = make.make_vote(alice, now=now).id

    def ids(query: str) -> list[int]:
        return [vote["vote_id"] for vote in as_alice.get(f"/votes?{query}").get_json()]

    assert ids("state=ongoing") == [live]
    assert ids("state=finished") == [closed]
    assert ids("state=tracked") == ids("state=") == ids("") == [live, closed]


def test_a3_popular_order_is_most_answered_then_newest(
    as_alice: Client, alice: User, bob: User
) -> None:
    now = utcnow()
    ids = [make.make_vote(alice, now=now).id for _ in range(3)]
    make.answer(bob, make.reload(ids[0]), now=now)

    found = as_alice.get("/votes/?sort=popular").get_json()

    assert [vote["vote_id"] for vote in found] == [ids[0], ids[2], ids[1]]


@pytest.mark.parametrize(
    ("part", "found"),
    [("et", ["ETH"]), ("ETH", ["ETH"]), ("이더", ["ETH"]), ("xyz", []), ("%", []), ("Ether", [])],
)
def test_a3_list_finds_part_of_code_or_korean_name(
    as_alice: Client, alice: User, part: str, found: list[str]
) -> None:
    make.make_coin("ETH", korean_name="이더리움", english_name="Ethereum", observed_at=utcnow())
    for code in ("BTC", "ETH"):
        make.make_vote(alice, coin=code, now=utcnow())

    codes = [
        vote["coin"]["code"]
        for vote in as_alice.get("/votes", query_string={"coin": part}).get_json()
    ]

    assert codes == found


def test_a3_own_lists_count_all_whatever_is_asked_for(as_alice: Client, alice: User) -> None:
    now = utcnow()
    settled = make.make_settled_vote(alice, now=now).id
    closed = make.make_vote(alice, now=now - timedelta(hours=9)).id
    live = make.make_vote(alice, now=now).id

    def ask(state: str) -> tuple[int, int, list[int]]:
        own = as_alice.get(f"/user/created-votes?state={state}").get_json()
        ids = [vote["vote_id"] for vote in own["votes"]]
        return own["ongoing_count"], own["finished_count"], ids

    assert ask("ongoing") == (1, 2, [live])
    assert ask("finished") == (1, 2, [closed, settled])
    assert ask("whatever") == (1, 2, [live, closed, settled])


def test_a3_participated_votes_are_those_one_answered(
    as_bob: Client, alice: User, bob: User
) -> None:
    now = utcnow()
    answered = make.make_vote(alice, now=now)
    make.make_vote(alice, now=now)
    make.answer(bob, answered, now=now)

    own = as_bob.get("/user/participated-votes").get_json()

    assert (own["ongoing_count"], own["finished_count"]) == (1, 0)
    assert [vote["vote_id"] for vote in own["votes"]] == [answered.id]


def test_a3_answer_is_given_back_and_counted(as_bob: Client, alice: User) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id

    response = as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 2})

    assert (response.status_code, response.get_json()) == (201, {"vote_id": vote_id, "choice": 2})
    vote = as_bob.get(f"/votes/{vote_id}").get_json()
    assert (vote["total_participants"], vote["neg_participants"]) == (1, 1)
    assert as_bob.get("/user").get_json()["point"] == 290


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"coin_code": "NONE"}, "coin_code", "coin_unknown"),
        ({"range": 0}, "range", "range_out_of_bounds"),
        ({"range": 301}, "range", "range_out_of_bounds"),
        ({"range": 10**400}, "range", "range_out_of_bounds"),
        ({"range": None}, "range", "field_missing"),
        ({"range": "5"}, "range", "not_whole_number"),
        ({"range": 5.0}, "range", "not_whole_number"),
        ({"range": True}, "range", "not_whole_number"),
        ({"duration": "year"}, "duration", "duration_unknown"),
        ({"duration": ["day"]}, "duration", "not_text"),
        ({"comment": "sideways"}, "comment", "direction_unknown"),
        ({"comment": "down", "range": 100}, "range", "fall_too_large"),
    ],
)
def test_a1_question_that_cannot_be_is_told_by_field(
    as_alice: Client, coin: str, change: dict[str, object], field: str, code: str
) -> None:
    response = as_alice.post("/votes/", NEW_VOTE | change)

    assert response.status_code == 400
    assert isinstance(response.get_json()[field][0], str)
    assert response.get_json()["error"]["fields"] == {field: [code]}
    assert as_alice.get("/user").get_json()["point"] == 300


def test_a3_too_few_points_are_told_as_uploader_and_participant(sign_in: SignIn, coin: str) -> None:
    poor = sign_in(make.make_user("poor", points=9))
    vote_id = make.make_vote(make.make_user(), now=utcnow()).id

    asked = poor.post("/votes/", NEW_VOTE)
    answered = poor.post(f"/votes/{vote_id}/choice/", {"choice": 1})

    assert (asked.status_code, first_field(asked)) == (400, "uploader")
    assert (answered.status_code, first_field(answered)) == (400, "participant")
    assert code_of(asked) == code_of(answered) == "not_enough_points"


def test_a3_second_answer_is_told_without_a_field(as_bob: Client, alice: User) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id
    as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 1})

    response = as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 2})

    assert response.status_code == 400
    assert isinstance(response.get_json()["non_field_errors"][0], str)
    assert code_of(response) == "already_answered"
    assert as_bob.get("/user").get_json()["point"] == 290


def test_a3_accuracy_of_all_is_a_text_with_one_decimal(
    as_bob: Client, alice: User, bob: User
) -> None:
    now = utcnow()
    for choice in ("yes", "yes", "no"):
        vote = make.make_vote(alice, now=now - timedelta(days=1))
        make.answer(bob, vote, choice)
        make.settle(make.close(vote), "110", now=now)

    assert as_bob.get("/acc-percent").get_json() == {"acc_percent": "66.7"}


def test_a3_coins_need_no_token_and_are_found_by_part(stranger: Client, coin: str) -> None:
    make.make_coin("ETH", korean_name="이더리움", english_name="Ethereum")

    def codes(part: str) -> list[str]:
        found = stranger.get("/coins", query_string={"coin": part}).get_json()
        return [one["code"] for one in found]

    assert sorted(codes("")) == ["BTC", "ETH"]
    assert codes("et") == codes("리움") == ["ETH"]


def test_a3_one_coin_is_told_or_404(stranger: Client, coin: str) -> None:
    found, missing = stranger.get("/coins/BTC"), stranger.get("/coins/NONE")

    assert found.get_json().items() >= {"code": "BTC", "krname": "비트코인", "image": ""}.items()
    assert (missing.status_code, "detail" in missing.get_json()) == (404, True)


def test_c_tracker_tells_prices_in_the_coin_services_shape(stranger: Client) -> None:
    seen = datetime.fromisoformat("2026-03-01T15:05:42+00:00")
    make.make_coin(price="0.00012345", observed_at=seen)

    [coin] = stranger.get("/tracker/coins/").get_json()

    assert (
        coin.items()
        >= {
            "coin_code": "BTC",
            "coin_name": "비트코인",
            "coin_fullname": "비트코인(BTC)",
            "coin_image": "",
            "full_updated_time": "2026-03-02T00:05:00",
            "updated_date": 20260302,
            "updated_time": 5,
        }.items()
    )


def test_c_tracker_picks_codes_and_leaves_out_unknown_ones(stranger: Client, coin: str) -> None:
    make.make_coin("ETH", korean_name="이더리움")
    make.make_coin("NEW", korean_name="새것", price=None)

    def codes(query: str) -> list[str]:
        return sorted(one["coin_code"] for one in stranger.get(f"/tracker/coins{query}").get_json())

    assert codes("") == ["BTC", "ETH"]
    assert codes("?coin_code=ETH&coin_code=NONE") == ["ETH"]
    assert codes("/?coin_code=NONE") == codes("/?coin_code=NEW") == []
