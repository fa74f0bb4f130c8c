"""Voiding on pages: staff alone, a reason, the amounts, then the deed."""

from datetime import datetime

import pytest

from app.models import User, Vote
from tests import factories
from tests.conftest import MakeApp, Visitor
from tests.web.votes.test_answering import sheet

REASON = {"reason": "거래소 점검"}


def test_amounts_are_spelled_out_before_anything_happens(
    as_admin: Visitor, bob: User, vote: Vote
) -> None:
    factories.answer(bob, vote)

    page = as_admin.get(f"/votes/{vote.id}/void", query_string=REASON).text

    assert "이유 거래소 점검 답한 사람 1명에게 10개 만든 사람 50개 모두 60개" in sheet(page)
    assert factories.is_state(vote, "ongoing")


def test_voiding_gives_everything_back_and_says_so(
    as_admin: Visitor, alice: User, bob: User, vote: Vote
) -> None:
    factories.answer(bob, vote)

    answer = as_admin.post(f"/votes/{vote.id}/void", data=REASON)

    assert (answer.status_code, answer.location) == (303, f"/votes/{vote.id}")
    assert factories.is_state(vote, "void")
    assert (factories.balance(alice), factories.balance(bob)) == (300, 300)
    assert "무효로 했어요. 고래밥 60개를 돌려줬어요." in as_admin.get(answer.location).text


def test_voiding_twice_gives_back_once(as_admin: Visitor, alice: User, vote: Vote) -> None:
    as_admin.post(f"/votes/{vote.id}/void", data=REASON)
    as_admin.post(f"/votes/{vote.id}/void", data=REASON)

    assert factories.balance(alice) == 300
    assert "이미 결과가 나온 질문" in as_admin.get(f"/votes/{vote.id}").text


def test_settled_vote_cannot_be_voided(as_admin: Visitor, alice: User, now: datetime) -> None:
    settled = factories.make_settled_vote(alice, now=now)

    asked = as_admin.get(f"/votes/{settled.id}/void", query_string=REASON)

    assert asked.location == f"/votes/{settled.id}"
    as_admin.post(f"/votes/{settled.id}/void", data=REASON)
    assert factories.is_state(settled, "tracked")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "🐳" * 5000])
@pytest.mark.parametrize("method", ["get", "post"])
def test_reason_that_says_nothing_or_too_much_is_refused(
    as_admin: Visitor, vote: Vote, reason: str, method: str
) -> None:
    place = "query_string" if method == "get" else "data"

    answer = as_admin.open(f"/votes/{vote.id}/void", method=method, **{place: {"reason": reason}})

    assert answer.location == f"/votes/{vote.id}"
    assert factories.is_state(vote, "ongoing")
    assert "이유" in as_admin.get(answer.location).text.split("wl-notes")[1].split("</div>")[0]


@pytest.mark.parametrize("method", ["get", "post"])
def test_others_may_not_void(as_bob: Visitor, vote: Vote, method: str) -> None:
    answer = as_bob.open(f"/votes/{vote.id}/void", method=method, data=REASON)

    assert answer.status_code == 403
    assert factories.is_state(vote, "ongoing")


def test_strangers_are_led_to_sign_in(client: Visitor, vote: Vote) -> None:
    assert client.post(f"/votes/{vote.id}/void", data=REASON).location == "/login"
    assert factories.is_state(vote, "ongoing")


@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_vote_is_not_found(as_admin: Visitor, method: str) -> None:
    address = "/votes/999/void?reason=x"

    assert as_admin.open(address, method=method, data=REASON).status_code == 404


def test_voiding_without_a_token_is_refused(make_app: MakeApp, admin: User, vote: Vote) -> None:
    browser = make_app(csrf=True).test_client().sign_in(admin)

    assert browser.post(f"/votes/{vote.id}/void", data=REASON).status_code == 400
    assert factories.is_state(vote, "ongoing")
