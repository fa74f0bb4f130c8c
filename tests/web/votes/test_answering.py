"""Answering on pages: the sheet before it, the deed, and every refusal."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from sqlalchemy.orm import Session

from app.models import User, Vote
from app.services import points, votes
from tests import factories
from tests.conftest import MakeApp, Visitor
from tests.web.votes.test_detail import words


def sheet(page: str) -> str:
    return words(page.split('role="dialog"')[1].split("</main>")[0])


@pytest.fixture
def poor(session: Session) -> User:
    return factories.make_user("poor", points=6)


@pytest.fixture
def free_vote(admin: User, now: datetime) -> Vote:
    """A staff question: nothing to pay, 30 to win."""
    return factories.make_vote(admin, now=now - timedelta(hours=1))


def test_sheet_says_what_the_answer_costs_pays_and_means(as_bob: Visitor, vote: Vote) -> None:
    page = as_bob.get(f"/votes/{vote.id}/answer?choice=yes")

    text = sheet(page.text)
    assert page.status_code == 200
    assert "‘예’로 답할까요?" in text
    assert "내 답 예 · 110원 이상 거는 고래밥 10 (300 → 290) 맞히면 +20 결과" in text
    assert "답한 뒤에는 바꿀 수 없어요" in text


@pytest.mark.parametrize(
    ("direction", "choice", "meaning"),
    [("up", "no", "110원 미만"), ("down", "yes", "90원 이하"), ("down", "no", "90원 초과")],
)
def test_sheet_names_the_prices_that_make_the_answer_right(
    as_bob: Visitor, alice: User, now: datetime, direction: str, choice: str, meaning: str
) -> None:
    vote = factories.make_vote(alice, direction=direction, now=now)

    assert meaning in sheet(as_bob.get(f"/votes/{vote.id}/answer?choice={choice}").text)


def test_sheet_changes_nothing(as_bob: Visitor, bob: User, vote: Vote) -> None:
    as_bob.get(f"/votes/{vote.id}/answer?choice=yes")

    assert factories.balance(bob) == 300
    assert factories.reload(vote.id).answer_count == 0


def test_page_behind_the_sheet_cannot_be_reached(as_bob: Visitor, vote: Vote) -> None:
    page = as_bob.get(f"/votes/{vote.id}/answer?choice=yes").text

    assert re.search(r'<div class="wl-wrap wl-page" inert', page)
    assert page.count(" inert") == 4


def test_answer_is_given_paid_and_told(as_bob: Visitor, bob: User, vote: Vote) -> None:
    answer = as_bob.post(f"/votes/{vote.id}/answer", data={"choice": "no"})

    assert (answer.status_code, answer.location) == (303, f"/votes/{vote.id}")
    assert factories.balance(bob) == 290
    assert factories.reload(vote.id).no_count == 1
    assert "답했어요. 고래밥 290개 남았어요." in as_bob.get(f"/votes/{vote.id}").text


def test_answer_to_a_staff_vote_is_free(as_bob: Visitor, bob: User, free_vote: Vote) -> None:
    assert "거는 고래밥 무료" in sheet(as_bob.get(f"/votes/{free_vote.id}/answer?choice=yes").text)

    as_bob.post(f"/votes/{free_vote.id}/answer", data={"choice": "yes"})

    assert factories.balance(bob) == 300
    assert factories.reload(free_vote.id).yes_count == 1


def test_second_answer_is_refused_and_changes_nothing(
    as_bob: Visitor, bob: User, vote: Vote
) -> None:
    as_bob.post(f"/votes/{vote.id}/answer", data={"choice": "yes"})
    as_bob.get(f"/votes/{vote.id}")

    again = as_bob.post(f"/votes/{vote.id}/answer", data={"choice": "no"})

    assert again.location == f"/votes/{vote.id}"
    assert "이미 답한 질문이에요" in as_bob.get(again.location).text
    assert factories.balance(bob) == 290
    assert factories.reload(vote.id).no_count == 0


def test_same_answer_again_is_no_error_and_spends_once(
    as_bob: Visitor, bob: User, vote: Vote
) -> None:
    for _press in range(2):
        again = as_bob.post(f"/votes/{vote.id}/answer", data={"choice": "yes"})

    page = as_bob.get(again.location).text
    assert "고래밥 290개 남았어요" in page
    assert "이미 답한 질문이에요" not in page
    assert factories.balance(bob) == 290


def test_sheet_for_an_answered_vote_leads_back_with_the_reason(
    as_bob: Visitor, bob: User, vote: Vote
) -> None:
    factories.answer(bob, vote)

    page = as_bob.get(f"/votes/{vote.id}/answer?choice=yes", follow_redirects=True)

    assert page.request.path == f"/votes/{vote.id}"
    assert "이미 답한 질문이에요" in page.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_answer_after_the_deadline_is_refused(
    as_bob: Visitor, bob: User, alice: User, now: datetime, method: str
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(hours=8, minutes=1))
    given = {"choice": "yes"}

    if method == "post":
        as_bob.post(f"/votes/{vote.id}/answer", data=given)
    else:
        as_bob.get(f"/votes/{vote.id}/answer", query_string=given)

    assert "답변이 마감된 질문이에요. 고래밥은 그대로예요." in as_bob.get("/votes").text
    assert factories.balance(bob) == 300


def test_answer_to_a_void_vote_is_refused(
    as_bob: Visitor, bob: User, vote: Vote, now: datetime
) -> None:
    votes.void_vote(vote_id=vote.id, reason="x", now=now)

    as_bob.post(f"/votes/{vote.id}/answer", data={"choice": "yes"})

    assert factories.balance(bob) == 300
    assert factories.reload(vote.id).answer_count == 0


@pytest.mark.parametrize("choice", [None, "", "maybe", "1", "YES", "yes\0", "🐳" * 5000])
def test_answer_that_is_neither_yes_nor_no_is_refused(
    as_bob: Visitor, bob: User, vote: Vote, choice: str | None
) -> None:
    data = {} if choice is None else {"choice": choice}

    answer = as_bob.post(f"/votes/{vote.id}/answer", data=data)

    assert answer.location == f"/votes/{vote.id}"
    assert "예와 아니오 중에서 골라 주세요" in as_bob.get(answer.location).text
    assert factories.balance(bob) == 300


def test_sheet_without_a_choice_leads_to_the_vote(as_bob: Visitor, vote: Vote) -> None:
    assert as_bob.get(f"/votes/{vote.id}/answer?choice=maybe").location == f"/votes/{vote.id}"


def test_too_few_points_are_told_with_what_helps(client: Visitor, poor: User, vote: Vote) -> None:
    page = client.sign_in(poor).get(f"/votes/{vote.id}/answer?choice=yes").text

    text = sheet(page)
    assert "고래밥이 4개 모자라요" in text
    assert "답하려면 10개가 필요한데 6개 있어요" in text
    assert 'action="/me/top-up"' in page
    assert 'href="/votes?mine=staff"' in page
    assert "whale-startled" in page


def test_top_up_on_the_sheet_leads_back_to_the_answer(
    client: Visitor, poor: User, vote: Vote
) -> None:
    here = f"/votes/{vote.id}/answer?choice=no"
    client.sign_in(poor)
    [back] = re.findall(r'name="next" value="([^"]+)"', client.get(here).text)

    answer = client.post("/me/top-up", data={"next": unescape(back)})

    assert (answer.status_code, answer.location) == (303, here)
    assert "‘아니오’로 답할까요?" in sheet(client.get(here).text)


def test_top_up_is_not_offered_twice_a_day(
    client: Visitor, vote: Vote, now: datetime, admin: User
) -> None:
    broke = factories.make_user("broke", points=0)
    points.take_top_up(user_id=broke.id, now=now)
    factories.answer(broke, vote)
    other = factories.make_vote(factories.make_user("carl"), now=now)

    page = client.sign_in(broke).get(f"/votes/{other.id}/answer?choice=yes").text

    assert "고래밥이 10개 모자라요" in page
    assert "/me/top-up" not in page


def test_answer_without_enough_points_leads_to_the_sheet_that_says_so(
    client: Visitor, poor: User, vote: Vote
) -> None:
    answer = client.sign_in(poor).post(f"/votes/{vote.id}/answer", data={"choice": "no"})

    assert answer.location == f"/votes/{vote.id}/answer?choice=no"
    assert factories.balance(poor) == 6
    assert factories.reload(vote.id).answer_count == 0


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("number", ["999", "9" * 30])
def test_unknown_vote_is_not_found(as_bob: Visitor, method: str, number: str) -> None:
    address = f"/votes/{number}/answer?choice=yes"

    assert as_bob.open(address, method=method, data={"choice": "yes"}).status_code == 404


def test_stranger_is_led_to_sign_in_and_back(client: Visitor, vote: Vote) -> None:
    sheet_first = client.get(f"/votes/{vote.id}/answer?choice=yes")
    deed_first = client.post(f"/votes/{vote.id}/answer", data={"choice": "yes"})

    assert sheet_first.location == f"/login?next=%2Fvotes%2F{vote.id}%2Fanswer%3Fchoice%3Dyes"
    assert deed_first.location.startswith("/login")
    assert factories.reload(vote.id).answer_count == 0


def test_answer_without_a_token_is_refused(make_app: MakeApp, bob: User, vote: Vote) -> None:
    browser = make_app(csrf=True).test_client().sign_in(bob)

    answer = browser.post(f"/votes/{vote.id}/answer", data={"choice": "yes"})

    assert answer.status_code == 400
    assert factories.balance(bob) == 300


def test_answer_with_the_token_of_the_sheet_is_taken(
    make_app: MakeApp, bob: User, vote: Vote
) -> None:
    browser = make_app(csrf=True).test_client().sign_in(bob)
    page = browser.get(f"/votes/{vote.id}/answer?choice=yes").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]

    browser.post(f"/votes/{vote.id}/answer", data={"choice": "yes", "csrf_token": token})

    assert factories.balance(bob) == 290
