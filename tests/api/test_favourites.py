"""Favourite coins over JSON."""

import pytest

from tests import factories as make
from tests.api.conftest import Client, code_of

ONE = "/user/favourites/BTC"


def codes(client: Client) -> list[str]:
    return [coin["code"] for coin in client.get("/user/favourites").get_json()]


def test_favourite_is_added_listed_and_dropped(as_alice: Client, coin: str) -> None:
    assert (as_alice.put(ONE).status_code, codes(as_alice)) == (204, ["BTC"])
    [told] = as_alice.get("/user/favourites").get_json()
    assert set(told) == {"code", "krname", "image", "added_at"}
    assert told["added_at"].endswith("Z")

    assert (as_alice.delete(ONE).status_code, codes(as_alice)) == (204, [])


def test_again_is_harmless(as_alice: Client, coin: str) -> None:
    assert [as_alice.put(ONE).status_code for _ in range(2)] == [204, 204]
    assert codes(as_alice) == ["BTC"]
    assert [as_alice.delete(ONE).status_code for _ in range(2)] == [204, 204]


def test_favourites_of_others_are_out_of_reach(as_alice: Client, as_bob: Client, coin: str) -> None:
    as_alice.put(ONE)

    as_bob.delete(ONE)

    assert (codes(as_alice), codes(as_bob)) == (["BTC"], [])


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_unknown_coin_isnt_there(as_alice: Client, method: str) -> None:
    response = as_alice.send(method, "/user/favourites/NONE")

    assert (response.status_code, code_of(response)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/user/favourites"), ("PUT", ONE), ("DELETE", ONE)]
)
def test_strangers_are_refused(stranger: Client, method: str, path: str) -> None:
    make.make_coin("BTC")

    response = stranger.send(method, path)

    assert (response.status_code, code_of(response)) == (401, "token_missing")


def test_list_known_already_isnt_sent_again(as_alice: Client, coin: str) -> None:
    as_alice.put(ONE)
    etag = as_alice.get("/user/favourites").headers["ETag"]

    assert as_alice.get("/user/favourites", headers={"If-None-Match": etag}).status_code == 304
