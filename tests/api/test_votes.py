"""What clients may know beyond the contract about votes."""

from datetime import timedelta

from app.clock import utcnow
from app.models import User
from app.services import votes
from tests import factories as make
from tests.api.conftest import Client, code_of


def test_evidence_of_a_settled_vote_can_be_checked_at_the_exchange(
    as_bob: Client, alice: User
) -> None:
    vote = make.make_settled_vote(alice, final_price="110.5", now=utcnow())

    response = as_bob.get(f"/votes/{vote.id}/evidence")

    found = response.get_json()
    assert b'"final_price":110.5,' in response.data
    assert (found["market"], found["source"], found["outcome"]) == ("KRW-BTC", "upbit", "yes")
    assert (found["threshold_price"], found["comparison"]) == (110, ">=")
    assert found["raw_quote"] == '{"trade_price":110.5}'
    assert all(
        found[name].endswith("Z") for name in ("candle_opened_at", "fetched_at", "settled_at")
    )


def test_evidence_of_a_void_vote_is_the_reason(as_bob: Client, alice: User) -> None:
    vote = make.make_vote(alice, direction="down", now=utcnow() - timedelta(hours=1))
    votes.void_vote(vote_id=vote.id, reason="거래 중단", now=utcnow())

    found = as_bob.get(f"/votes/{vote.id}/evidence").get_json()

    assert (found["state"], found["void_reason"], found["final_price"]) == (
        "void", "거래 중단", None,
    )  # fmt: skip
    assert (found["threshold_price"], found["comparison"]) == (90, "<=")


def test_evidence_of_no_vote_is_404(as_bob: Client) -> None:
    for ident in (999, 2**63, 0):
        assert as_bob.get(f"/votes/{ident}/evidence").status_code == 404
        assert as_bob.get(f"/votes/{ident}").status_code == 404


def test_list_is_each_persons_own_and_never_older_than_ones_own_deed(
    as_alice: Client, as_bob: Client, alice: User, bob: User
) -> None:
    vote = make.make_vote(alice, now=utcnow())
    before = as_bob.get("/votes?limit=5")
    known = {"If-None-Match": before.headers["ETag"]}
    assert as_bob.get("/votes?limit=5", headers=known).status_code == 304

    as_bob.post(f"/votes/{vote.id}/choice", {"choice": 2})

    after = as_bob.get("/votes?limit=5", headers=known)
    assert after.status_code == 200
    assert [one["user"]["choice"] for one in after.get_json()] == [2]
    assert [one["user"]["choice"] for one in as_alice.get("/votes?limit=5").get_json()] == [None]


def test_list_names_pictures_and_the_next_page_as_it_was_asked_for(
    as_bob: Client, alice: User
) -> None:
    for _vote in range(2):
        make.make_vote(alice, now=utcnow())

    plain, slash = as_bob.get("/votes?limit=1"), as_bob.get("/votes/?limit=1")
    elsewhere = as_bob.get("/votes?limit=1", headers={"Host": "other.example"})

    assert plain.headers["Link"].startswith("</api/v1/votes?limit=1&cursor=")
    assert slash.headers["Link"].startswith("</api/v1/votes/?limit=1&cursor=")
    assert elsewhere.get_json() == plain.get_json()


def test_vote_names_its_uploader(as_bob: Client, alice: User) -> None:
    vote = make.make_vote(alice, now=utcnow())

    found = as_bob.get(f"/votes/{vote.id}").get_json()

    assert (found["uploader"], found["uploader_nickname"]) == (alice.id, "alice")


def test_closed_vote_takes_no_answer_and_says_so(as_bob: Client, alice: User) -> None:
    vote = make.make_closed_vote(alice, now=utcnow())

    response = as_bob.post(f"/votes/{vote.id}/choice", {"choice": 1})

    assert code_of(response) == "vote_closed"
    assert response.get_json()["non_field_errors"]
