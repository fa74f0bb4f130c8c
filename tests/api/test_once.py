"""Idempotency-Key over HTTP: asked twice, charged once, answered the same."""

import pytest

from app.clock import utcnow
from app.models import User
from app.services import market
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of
from tests.conftest import MakeApp

NEW_VOTE = {"coin_code": "BTC", "duration": "day", "range": 5, "comment": "up"}
KEY = {"Idempotency-Key": "9f1c-one"}


def balance(client: Client) -> int:
    return int(client.get("/user").get_json()["point"])


def test_vote_is_made_once_per_key(as_alice: Client, coin: str) -> None:
    first = as_alice.post("/votes/", NEW_VOTE, headers=KEY)
    second = as_alice.post("/votes", NEW_VOTE, headers=KEY)

    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 201
    assert balance(as_alice) == 250


def test_vote_made_with_a_key_keeps_its_base_rate(as_alice: Client, coin: str) -> None:
    found = market.get_coin(coin)
    assert found is not None
    make.make_candles(found, "100", "100", until=utcnow())

    made = as_alice.post("/votes/", NEW_VOTE, headers=KEY).get_json()["vote_id"]

    assert as_alice.get(f"/votes/{made}").get_json()["base_rate_count"] == 1


def test_answer_is_given_once_per_key(as_bob: Client, alice: User) -> None:
    path = f"/votes/{make.make_vote(alice, now=utcnow()).id}/choice/"

    first = as_bob.post(path, {"choice": 1}, headers=KEY)
    second = as_bob.post(path, {"choice": 1}, headers=KEY)

    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 201
    assert balance(as_bob) == 290


def test_key_outlives_a_restart(as_alice: Client, make_app: MakeApp, coin: str) -> None:
    first = as_alice.post("/votes/", NEW_VOTE, headers=KEY)
    restarted = Client(make_app().test_client(), as_alice.access)

    second = restarted.post("/votes/", NEW_VOTE, headers=KEY)

    assert (second.status_code, second.data) == (201, first.data)
    assert balance(restarted) == 250


def test_order_and_blanks_of_the_body_make_no_difference(as_alice: Client, coin: str) -> None:
    first = as_alice.post("/votes/", NEW_VOTE, headers=KEY)
    raw = b'{ "range":5,"comment":"up",\n"duration":"day", "coin_code":"BTC" }'

    second = as_alice.post("/votes/", data=raw, headers=KEY | {"Content-Type": "application/json"})

    assert second.data == first.data


def test_key_with_another_body_or_path_is_409(as_alice: Client, coin: str) -> None:
    made = as_alice.post("/votes/", NEW_VOTE, headers=KEY).get_json()["vote_id"]

    for response in (
        as_alice.post("/votes/", NEW_VOTE | {"range": 6}, headers=KEY),
        as_alice.post(f"/votes/{made}/choice/", {"choice": 1}, headers=KEY),
    ):
        assert (response.status_code, code_of(response)) == (409, "idempotency_key_reused")
    assert balance(as_alice) == 250


def test_same_body_under_another_address_is_409(as_bob: Client, alice: User) -> None:
    first, second = (make.make_vote(alice, now=utcnow()).id for _ in range(2))
    as_bob.post(f"/votes/{first}/choice", {"choice": 1}, headers=KEY)

    response = as_bob.post(f"/votes/{second}/choice", {"choice": 1}, headers=KEY)

    assert (response.status_code, code_of(response)) == (409, "idempotency_key_reused")
    assert balance(as_bob) == 290


def test_key_is_ones_own(as_alice: Client, as_bob: Client, coin: str) -> None:
    first = as_alice.post("/votes/", NEW_VOTE, headers=KEY)
    second = as_bob.post("/votes/", NEW_VOTE | {"range": 6}, headers=KEY)

    assert first.get_json() != second.get_json()


def test_lasting_refusal_is_repeated_even_when_it_could_pass_now(
    sign_in: SignIn, alice: User
) -> None:
    path = f"/votes/{make.make_vote(alice, now=utcnow()).id}/choice/"
    poor = sign_in(make.make_user("poor", points=9))

    first = poor.post(path, {"choice": 1}, headers=KEY)
    poor.post("/points/top-up")
    second = poor.post(path, {"choice": 1}, headers=KEY)

    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 400
    assert poor.post(path, {"choice": 1}, headers={"Idempotency-Key": "new"}).status_code == 201


def test_passing_refusal_may_be_tried_again(as_alice: Client) -> None:
    make.make_coin(price=None)
    first = as_alice.post("/votes/", NEW_VOTE, headers=KEY)

    make.set_price("BTC", "100", at=utcnow())

    assert first.status_code == 503
    assert as_alice.post("/votes/", NEW_VOTE, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a b", "é", "a\tb"])
def test_key_that_cannot_be_is_refused(as_alice: Client, coin: str, key: str) -> None:
    response = as_alice.post("/votes/", NEW_VOTE, headers={"Idempotency-Key": key})

    assert (response.status_code, code_of(response)) == (400, "idempotency_key_invalid")
    assert balance(as_alice) == 300
