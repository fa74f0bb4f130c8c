"""JSON on the wire: exact numbers, and 304 for what hasn't changed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.api.wire import exact, kst_text, utc_text
from app.clock import utcnow
from app.models import User
from tests import factories as make
from tests.api.conftest import API, Client


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.00000001", "0.00000001"),
        ("1E+2", "100"),
        ("1.3E-7", "0.00000013"),
        ("92233720368.54775807", "92233720368.54775807"),
        ("162876000", "162876000"),
        ("-0.5", "-0.5"),
    ],
)
def test_decimal_is_a_number_with_its_own_digits(number: str, text: str) -> None:
    assert exact({"price": Decimal(number)}) == f'{{"price":{text}}}'


def test_text_that_looks_like_a_number_stays_a_text() -> None:
    assert exact(["1.5", Decimal("1.5"), None, True]) == '["1.5",1.5,null,true]'


def test_what_is_not_made_for_json_is_refused() -> None:
    with pytest.raises(TypeError, match="datetime"):
        exact({"at": datetime(2026, 1, 1, tzinfo=UTC)})


def test_times_are_korean_for_the_contract_and_utc_for_newer_fields() -> None:
    moment = datetime(2026, 1, 1, 15, 0, 0, 250, tzinfo=UTC)

    assert kst_text(moment) == "2026-01-02T00:00:00.000250"
    assert utc_text(moment) == "2026-01-01T15:00:00.000250Z"
    assert utc_text(None) is None


def test_unchanged_answer_is_304_without_a_body(as_bob: Client, readable: dict[str, str]) -> None:
    for address in set(readable.values()) - {f"{API}/user/export"}:
        first = as_bob.get(address)

        second = as_bob.get(address, headers={"If-None-Match": first.headers["ETag"]})

        assert (second.status_code, second.data) == (304, b""), address
        assert first.headers["Cache-Control"] == second.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/votes", "/user", "/points/ledger", "/desk/accounts"])
def test_what_is_ones_own_is_kept_for_nobody_else(as_bob: Client, path: str) -> None:
    response = as_bob.get(path)

    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in response.headers["Vary"]


def test_etag_that_a_proxy_weakened_is_known_too(as_alice: Client) -> None:
    etag = as_alice.get("/votes").headers["ETag"]

    for sent in (f"W/{etag}", f'"other", {etag}', "*"):
        assert as_alice.get("/votes", headers={"If-None-Match": sent}).status_code == 304
    assert as_alice.get("/votes", headers={"If-None-Match": '"other"'}).status_code == 200


def test_changed_list_is_sent_again(as_alice: Client, alice: User) -> None:
    etag = as_alice.get("/votes").headers["ETag"]

    make.make_vote(alice, now=utcnow())

    response = as_alice.get("/votes", headers={"If-None-Match": etag})
    assert (response.status_code, len(response.get_json())) == (200, 1)


def test_nobody_else_gets_a_304_for_my_list(
    as_alice: Client, as_bob: Client, alice: User, bob: User
) -> None:
    vote = make.make_vote(alice, now=utcnow())
    make.answer(bob, vote, now=utcnow())
    etag = as_alice.get("/votes").headers["ETag"]

    assert as_bob.get("/votes", headers={"If-None-Match": etag}).status_code == 200


def test_tokens_are_never_kept_by_a_cache(stranger: Client, as_alice: Client) -> None:
    response = stranger.post("/auth/token/refresh", {"refresh_token": as_alice.refresh})

    assert response.headers["Cache-Control"] == "no-store"
