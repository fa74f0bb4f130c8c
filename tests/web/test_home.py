"""The start page: one's own day, or what this is."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask

from app.clock import utcnow
from app.domain.kst import next_kst_day
from app.models import User
from app.services import points
from tests import factories
from tests.conftest import Visitor
from tests.web.votes.test_detail import words

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def now() -> datetime:
    return utcnow()


def test_visitor_is_told_what_this_is(client: Visitor, alice: User, now: datetime) -> None:
    vote = factories.make_vote(alice, now=now)

    page = client.get("/")

    assert page.status_code == 200
    assert 'href="/signup"' in page.text
    assert f'href="/votes/{vote.id}"' in page.text


def test_first_visitor_sees_a_page_without_votes(client: Visitor) -> None:
    assert "아직 열린 질문이 없어요" in client.get("/").text


def test_visitor_sees_a_decided_vote_with_its_whales(
    client: Visitor, alice: User, now: datetime
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    factories.answer(factories.make_user("carl", record=(9, 10)), vote, "yes")
    factories.settle(factories.close(vote), "110")

    page = words(client.get("/").text)

    assert "웨일 1명 예 100.0%" in page
    assert "결과 나온 질문 1개 전체 적중률 100.0%" in page


def test_whales_who_are_divided_are_shown_as_divided(
    client: Visitor, alice: User, now: datetime
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    for name, choice in (("carl", "yes"), ("dana", "no")):
        factories.answer(factories.make_user(name, record=(9, 10)), vote, choice)
    factories.settle(factories.close(vote), "110")

    assert "웨일 2명 반반 50.0%" in words(client.get("/").text)


def test_whales_of_an_open_vote_are_not_shown_off(
    client: Visitor, alice: User, now: datetime
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(hours=1))
    factories.answer(factories.make_user("carl", record=(9, 10)), vote, "yes")

    assert "100.0%" not in client.get("/").text


def test_newcomer_is_shown_the_way(client: Visitor, bob: User) -> None:
    page = words(client.sign_in(bob).get("/").text)

    assert "bob님, 오늘은 나올 결과가 없어요" in page
    assert "아직 답한 질문이 없어요" in page
    assert "아직 결과가 나온 답이 없어요. 1번 더 맞히면 웨일이에요." in page
    assert "아직 열린 질문이 없어요" in page


def test_results_of_today_are_counted(client: Visitor, alice: User, bob: User) -> None:
    midnight = next_kst_day(utcnow())
    asked = [midnight - timedelta(days=1, minutes=ahead) for ahead in (2, -2)]
    for moment in asked:
        factories.answer(bob, factories.make_vote(alice, now=moment))

    page = client.sign_in(bob).get("/").text

    assert "bob님, 오늘 결과가 1개 나와요" in page


def test_accuracy_and_the_way_to_a_whale_are_told(client: Visitor, now: datetime) -> None:
    user = factories.make_user("dora", record=(26, 38))

    page = words(client.sign_in(user).get("/").text)

    assert "68.42 %" in page
    assert "38번 중 26번 맞혔어요. 2번 더 맞히면 웨일이에요." in page


@pytest.mark.parametrize(
    ("record", "told"),
    [((9, 9), "1 more right answer makes"), ((8, 8), "2 more right answers make")],
)
def test_one_thing_is_counted_as_one_in_english(
    app: Flask, client: Visitor, monkeypatch: pytest.MonkeyPatch, record: tuple[int, int], told: str
) -> None:
    monkeypatch.setitem(app.config, "WHALING_WHALE_MIN_SETTLED", 10)
    user = factories.make_user("dora", record=record)

    page = client.sign_in(user).get("/", headers={"Accept-Language": "en"}).text

    assert told in page


def test_whale_is_told_so(client: Visitor) -> None:
    whale = factories.make_user("whale", record=(7, 10))

    assert "지금 웨일이에요." in client.sign_in(whale).get("/").text


def test_own_open_answers_and_what_closes_next_are_shown(
    client: Visitor, alice: User, bob: User, now: datetime
) -> None:
    moment = now - timedelta(hours=1)
    mine, week, day = (
        factories.make_vote(alice, duration=duration, now=moment)
        for duration in ("day", "week", "day")
    )
    factories.answer(bob, mine)

    page = client.sign_in(bob).get("/").text

    cards = [int(number) for number in re.findall(r'data-live="vote-(\d+)"', page)]
    assert cards == [mine.id, day.id, week.id]
    assert f'data-live-url="/votes/live?ids={mine.id},{day.id},{week.id}"' in page


def test_what_came_out_last_is_shown_with_my_own_verdict(
    client: Visitor, alice: User, bob: User, now: datetime
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    factories.answer(bob, vote, "no")
    factories.settle(factories.close(vote), "110")

    mine, hers = (words(client.sign_in(user).get("/").text) for user in (bob, alice))

    assert "최근에 나온 결과" in mine
    assert "내 답 아니오 빗나감" in mine
    assert "최근에 나온 결과" not in hers


def test_who_answered_everything_is_told(
    client: Visitor, alice: User, bob: User, now: datetime
) -> None:
    factories.answer(bob, factories.make_vote(alice, now=now - timedelta(hours=1)))

    assert "열린 질문에 모두 답했어요" in client.sign_in(bob).get("/").text


def test_daily_points_are_offered_once(client: Visitor, bob: User, now: datetime) -> None:
    browser = client.sign_in(bob)

    assert 'action="/me/top-up"' in browser.get("/").text
    points.take_top_up(user_id=bob.id, now=now)
    assert 'action="/me/top-up"' not in browser.get("/").text


def test_nickname_is_escaped(client: Visitor) -> None:
    browser = client.sign_in(factories.make_user("<i>eve</i>"))

    assert "<i>eve" not in browser.get("/").text


@pytest.mark.parametrize("path", ["/", "/votes"])
def test_asking_is_one_touch_away_on_a_phone(client: Visitor, bob: User, path: str) -> None:
    page = client.sign_in(bob).get(path).text

    assert re.search(r'<a class="wl-fab" href="/create">', page)


def test_start_page_only_answers_get(client: Visitor) -> None:
    assert client.post("/").status_code == 405
