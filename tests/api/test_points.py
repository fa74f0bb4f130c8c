"""One's own points over JSON."""

from app.models import User
from tests import factories as make
from tests.api.conftest import Client, code_of, first_field


def test_ledger_comes_in_pages_with_running_balances(as_alice: Client, alice: User) -> None:
    for _ in range(3):
        make.make_vote(alice)

    first = as_alice.get("/points/ledger?limit=3").get_json()
    rest = as_alice.get(f"/points/ledger?before={first['next_before']}").get_json()

    assert [one["balance"] for one in first["entries"]] == [150, 200, 250]
    assert [one["reason"] for one in rest["entries"]] == ["welcome"]
    assert (first["entry_count"], rest["next_before"]) == (4, None)


def test_page_that_cannot_be_is_refused(as_alice: Client) -> None:
    for query in ("limit=0", "limit=201", "before=x", "before=-1", f"before={10**30}"):
        response = as_alice.get(f"/points/ledger?{query}")
        assert (response.status_code, first_field(response)) == (400, query.partition("=")[0])


def test_ledger_is_ones_own(as_alice: Client, as_bob: Client, alice: User) -> None:
    make.make_vote(alice)

    assert as_alice.get("/points/ledger").get_json()["entry_count"] == 2
    assert as_bob.get("/points/ledger").get_json()["entry_count"] == 1


def test_top_up_is_given_once_a_day(as_alice: Client) -> None:
    first, second = as_alice.post("/points/top-up"), as_alice.post("/points/top-up")

    assert (first.status_code, first.get_json()) == (201, {"amount": 10, "balance": 310})
    assert (second.status_code, code_of(second)) == (409, "already_topped_up")
    assert as_alice.get("/user").get_json()["point"] == 310
