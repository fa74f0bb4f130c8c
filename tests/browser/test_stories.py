"""From sign-up to settled points, as people live it: in both languages, with and without script."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app.models import Vote
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.flow]

READERS = [("ko", 375, True), ("ko", 1280, False), ("en", 1280, True), ("en", 375, False)]
UNTIL_CLOSED = timedelta(hours=8)
#: A little more than a day, so that the deciding candle is older than anything done to the price.
UNTIL_SETTLED = timedelta(hours=16, minutes=10)


@pytest.mark.parametrize(("language", "width", "scripts"), READERS)
def test_a_question_lives_from_sign_up_to_settled_points(
    stage: Stage, visit: Visit, language: str, width: int, scripts: bool
) -> None:
    asker, friend = (
        visit(stage, language=language, width=width, scripts=scripts) for _ in range(2)
    )
    asker.sign_up("ishmael")
    friend.sign_up("queequeg")
    stage.fall("KRW-BTC", 20)

    vote_id = asks(asker)
    answers(asker, vote_id, "no")
    answers(friend, vote_id, "yes")
    stage.age_votes(UNTIL_CLOSED)
    stage.run_minute()
    waits(friend, vote_id)
    stage.age_votes(UNTIL_SETTLED)
    stage.run_minute()

    misses(asker, vote_id)
    hits(friend, vote_id)
    finds_the_evidence(friend)
    finds_it_on_the_own_page(asker, "빗나감")
    finds_it_on_the_own_page(friend, "적중")
    finds_the_points_in_the_ledger(asker, 300 - 50 - 10)
    finds_the_points_in_the_ledger(friend, 300 - 10 + 20)
    assert stage.books_are_right()


def asks(asker: Visitor) -> int:
    asker.ask()
    asker.sees("만든 뒤에는 고치거나 지울 수 없어요.")
    vote_id = asker.create()
    asker.sees("질문을 만들었어요. 고래밥이 %(left)s개 남았어요.", left=250)
    return vote_id


def answers(visitor: Visitor, vote_id: int, choice: str) -> None:
    before = visitor.points()
    visitor.go(f"/votes/{vote_id}")
    expect(visitor.page.locator(".wl-crowd")).to_have_count(0)
    expect(visitor.page.locator(".wl-ring-locked")).to_be_visible()

    visitor.answer(vote_id, choice)

    assert visitor.points() == before - 10
    expect(visitor.page.locator(".wl-crowd .wl-mine")).to_be_visible()
    expect(visitor.page.locator(".wl-ring-locked")).to_have_count(0)


def waits(visitor: Visitor, vote_id: int) -> None:
    visitor.go(f"/votes/{vote_id}")
    visitor.sees("답변이 끝났어요. 결과를 기다려요")
    visitor.go("/votes?state=waiting")
    expect(visitor.page.locator(f"main a[href='/votes/{vote_id}']")).to_be_visible()


def misses(visitor: Visitor, vote_id: int) -> None:
    visitor.go(f"/votes/{vote_id}")
    visitor.sees("이번엔 빗나갔어요")


def hits(visitor: Visitor, vote_id: int) -> None:
    visitor.go(f"/votes/{vote_id}")
    visitor.sees("맞혔어요! 고래밥 %(n)s개를 받았어요", n=20)


def finds_the_evidence(visitor: Visitor) -> None:
    receipt = visitor.page.locator(".wl-receipt")
    for row in ("시작 가격", "마지막 1분봉 종가", "규칙", "받은 시각", "변화"):
        expect(receipt).to_contain_text(visitor.say(row))
    expect(receipt).to_contain_text("KRW-BTC")
    expect(receipt).to_contain_text("KST")
    receipt.locator("summary").click()
    expect(receipt.locator("pre")).to_contain_text('"market":"KRW-BTC"')


def finds_it_on_the_own_page(visitor: Visitor, verdict: str) -> None:
    visitor.go("/me")
    chip = visitor.page.locator(".wl-item .wl-chip")
    expect(chip).to_have_text(visitor.say(verdict))


def finds_the_points_in_the_ledger(visitor: Visitor, balance: int) -> None:
    visitor.go("/me/points")
    visitor.sees("장부가 맞아요")
    moves = visitor.page.locator("tbody td:nth-child(2)").all_inner_texts()
    assert visitor.points() == balance == sum(int(move.replace("−", "-")) for move in moves)


def test_the_same_question_is_offered_before_it_is_asked_again(stage: Stage, visit: Visit) -> None:
    asker, friend = visit(stage), visit(stage, scripts=False)
    asker.sign_up("ishmael")
    friend.sign_up("queequeg")
    asker.ask()
    vote_id = asker.create()

    friend.ask()
    friend.sees("똑같은 질문이 열려 있어요")
    friend.page.locator(f"main a[href='/votes/{vote_id}']").click()

    assert friend.at_vote() == vote_id
    assert (friend.points(), stage.count(Vote)) == (300, 1)


def test_staff_voids_a_question_and_everybody_has_the_points_back(
    stage: Stage, visit: Visit
) -> None:
    stage.add_person("starbuck", is_staff=True)
    asker, staff = visit(stage), visit(stage, width=375)
    asker.sign_up("ishmael")
    staff.sign_in("starbuck")
    asker.ask()
    vote_id = asker.create()
    asker.answer(vote_id, "yes")

    staff.go(f"/votes/{vote_id}")
    staff.page.fill("[name=reason]", "거래소가 점검 중이었어요")
    staff.submit("form:has([name=reason])")
    staff.submit("[role=dialog] form")

    staff.sees("무효로 했어요. 고래밥 %(n)s개를 돌려줬어요.", n=60)
    asker.go(f"/votes/{vote_id}")
    asker.sees("무효가 됐어요. 고래밥을 모두 돌려드렸어요")
    asker.sees("거래소가 점검 중이었어요")
    finds_the_points_in_the_ledger(asker, 300)
    assert stage.books_are_right()
