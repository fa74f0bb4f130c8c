"""Vote cards in all situations."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.votes import Choice, VoteState
from app.web.cards import votecard, votecards
from tests.web.conftest import NOW, Speaking

pytestmark = pytest.mark.usefixtures("korean")
CLOSED = {
    "state": VoteState.FINISHED,
    "finished_at": NOW - timedelta(hours=1),
    "tracked_at": NOW + timedelta(hours=30),
}


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_open_card_offers_both_answers_and_hides_the_crowd(make_view) -> None:
    card = votecard(make_view(yes_count=3, no_count=1), NOW)

    assert 'href="/votes/7/answer?choice=yes"' in card
    assert 'href="/votes/7/answer?choice=no"' in card
    assert "75.0%" not in card
    assert "4명 참여 맞히면 고래밥 +20" in words(card)


def test_card_shows_the_crowd_once_answered(make_view) -> None:
    card = votecard(make_view(yes_count=3, no_count=1, my_choice=Choice.YES), NOW)

    assert "/answer" not in card
    assert "내 선택 예 75.0% 3명 1명 아니오 25.0%" in words(card)


def test_card_that_closes_soon_is_amber(make_view) -> None:
    soon = votecard(make_view(finished_at=NOW + timedelta(hours=2, minutes=14)), NOW)

    assert "wl-soon" in soon
    assert "2시간 14분 남음" in words(soon)
    assert "wl-soon" not in votecard(make_view(), NOW)


def test_closed_card_says_when_the_result_comes(make_view) -> None:
    card = votecard(make_view(yes_count=1, **CLOSED), NOW)

    assert "결과대기" in card
    assert "1일 6시간 뒤 결과" in words(card)
    assert "wl-crowd-closed" in card


def test_closed_card_whose_time_has_come_is_being_decided(make_view) -> None:
    view = make_view(**(CLOSED | {"tracked_at": NOW}))

    assert "결과를 정하고 있어요" in votecard(view, NOW)


@pytest.mark.parametrize(
    ("mine", "chip"),
    [(Choice.YES, "wl-chip-good"), (Choice.NO, "빗나감"), (None, "결과 예")],
)
def test_settled_card_tells_my_own_result(make_view, mine: Choice | None, chip: str) -> None:
    settled = {"state": VoteState.TRACKED, "final_price": Decimal(105), "outcome": Choice.YES}

    card = votecard(make_view(my_choice=mine, **settled), NOW)

    assert chip in card
    assert "결과 +5.00%" in words(card)


def test_void_card_says_so(make_view) -> None:
    assert "wl-chip-void" in votecard(make_view(state=VoteState.VOID), NOW)


def test_nobody_answered_is_said_in_words(make_view) -> None:
    assert "답한 사람이 없어요" in votecard(make_view(**CLOSED), NOW)


def test_missing_price_is_said_and_not_guessed(make_view) -> None:
    card = votecard(make_view(now_price=None), NOW)

    assert "시세를 기다려요" in card
    assert "<circle" not in card.split("wl-track")[1].split("</figure>")[0]


def test_staff_vote_is_marked_as_free(make_view) -> None:
    assert "운영자 · 무료" in votecard(make_view(is_staff_vote=True), NOW)


def test_names_from_outside_are_escaped(make_view) -> None:
    card = votecard(make_view(korean_name='<b>"x"', coin_code="A&B"), NOW)

    assert "<b>&#34;" not in card
    assert "&lt;b&gt;" in card
    assert "A&amp;B" in card


def test_card_is_drawn_per_language(speaking: Speaking, make_view) -> None:
    view = make_view()

    with speaking("ko"):
        korean = votecard(view, NOW)
    with speaking("en"):
        english = votecard(view, NOW)

    assert "오를까요?" in korean
    assert "higher in" in english


def test_whales_who_are_divided_evenly_chose_neither(bare_app, speaking: Speaking) -> None:
    ring = bare_app.jinja_env.get_template("macros/votes.html").module.ring

    with speaking("en"):
        assert "<b>Even</b>" in ring(2, 2)
        assert "<b>No</b>" in ring(2, 3)


def test_cards_of_a_list_change_with_minute_language_and_vote(
    speaking: Speaking, make_view
) -> None:
    vote = make_view(finished_at=NOW.replace(second=0) + timedelta(hours=5))
    korean = votecards((vote,), NOW)
    later = votecards((vote,), NOW + timedelta(minutes=1))
    answered = votecards((replace(vote, my_choice=Choice.YES),), NOW)
    with speaking("en"):
        english = votecards((vote,), NOW)

    assert korean == votecards((vote,), NOW) == votecard(vote, NOW)
    assert len({korean, later, answered, english}) == 4
