"""What goes wrong for people, and what they are told: nothing is lost, nothing happens twice."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app.models import Ballot, Vote
from tests.browser.checks import FEW_LOOKS, flaws
from tests.browser.conftest import MakeStage, Visit
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.flow]

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
MEMBERS = ("/", "/votes", "/coins", "/create", "/me", "/me/votes", "/me/points", "/me/settings")


@pytest.fixture
def member(stage: Stage, visit: Visit) -> Visitor:
    """Somebody with 300 points who is signed in."""
    visitor = visit(stage)
    stage.add_person("ishmael")
    visitor.sign_in("ishmael")
    return visitor


@pytest.fixture
def vote_id(stage: Stage) -> int:
    """An open question that somebody else asked."""
    return stage.add_vote("ahab")


@SCRIPTS
def test_too_few_points_to_answer_say_how_many_and_what_helps(
    stage: Stage, visit: Visit, vote_id: int, scripts: bool
) -> None:
    stage.add_person("pip", points=5)
    poor = visit(stage, scripts=scripts, width=375)
    poor.sign_in("pip")
    poor.go(f"/votes/{vote_id}/answer?choice=yes")

    poor.sees("고래밥이 %(n)s개 모자라요", n=5)
    poor.submit("[role=dialog] form")
    assert poor.points() == 15

    poor.answer(vote_id, "yes")
    assert poor.points() == 5


def test_too_few_points_to_ask_say_how_many_are_missing(stage: Stage, visit: Visit) -> None:
    stage.add_person("pip", points=20)
    poor = visit(stage)
    poor.sign_in("pip")

    poor.ask()

    poor.sees("고래밥이 %(n)s개 모자라요", n=30)
    expect(poor.page.locator("[name=request_key]")).to_have_count(0)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_stale_prices_are_told_on_every_page(stage: Stage, visit: Visit, language: str) -> None:
    stage.add_person("ishmael")
    visitor = visit(stage, language=language, width=375)
    visitor.sign_in("ishmael")
    expect(visitor.page.locator(".wl-strip")).to_have_count(0)
    stage.age_prices(timedelta(minutes=5))

    for path in (*MEMBERS, "/tutorial", "/nowhere"):
        visitor.go(path)
        expect(visitor.page.locator(".wl-strip:visible"), path).to_have_count(1)
    visitor.go("/coins")
    assert flaws(visitor.page, FEW_LOOKS) == []


def test_nothing_is_asked_from_a_stale_price(stage: Stage, member: Visitor) -> None:
    stage.age_prices(timedelta(minutes=2))

    member.ask()

    member.sees("지금은 질문을 만들 수 없어요")
    expect(member.page.locator("[name=request_key]")).to_have_count(0)
    assert (member.points(), stage.count(Vote)) == (300, 0)


@SCRIPTS
def test_a_wrong_password_keeps_the_nickname_and_says_so(
    stage: Stage, visit: Visit, scripts: bool
) -> None:
    stage.add_person("ishmael")
    visitor = visit(stage, scripts=scripts)
    visitor.go("/login")
    visitor.page.fill("[name=nickname]", "ishmael")
    visitor.page.fill("[name=password]", "not-the-password")

    visitor.submit("form:has([name=password])")

    expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.page.locator("[name=nickname]")).to_have_value("ishmael")
    expect(visitor.page.locator("[name=password]")).to_have_value("")


def test_whoever_tries_too_often_is_told_to_rest(make_stage: MakeStage, visit: Visit) -> None:
    visitor = visit(make_stage(rate_limits=True))
    visitor.go("/login")
    for _ in range(11):
        visitor.page.fill("[name=nickname]", "ishmael")
        visitor.page.fill("[name=password]", "not-the-password")
        visitor.submit("form:has([name=password])")

    visitor.sees("조금 쉬었다 해 주세요")
    assert flaws(visitor.page) == []


def test_an_answer_in_a_second_tab_is_refused_kindly(
    stage: Stage, member: Visitor, vote_id: int
) -> None:
    member.go(f"/votes/{vote_id}/answer?choice=no")
    second = member.page.context.new_page()
    second.goto(f"{member.url}/votes/{vote_id}/answer?choice=yes")
    second.locator("[role=dialog] [type=submit]").click()
    second.wait_for_url(f"**/votes/{vote_id}")

    member.submit("[role=dialog] form")

    expect(member.page.get_by_role("alert")).to_be_visible()
    assert member.at_vote() == vote_id
    assert (member.points(), stage.count(Ballot)) == (290, 1)


@SCRIPTS
def test_going_back_after_answering_answers_nothing_again(
    stage: Stage, visit: Visit, vote_id: int, scripts: bool
) -> None:
    stage.add_person("queequeg")
    friend = visit(stage, scripts=scripts)
    friend.sign_in("queequeg")
    friend.answer(vote_id, "yes")

    friend.page.go_back()
    friend.go(f"/votes/{vote_id}")

    expect(friend.page.locator(".wl-crowd .wl-mine")).to_be_visible()
    assert (friend.points(), stage.count(Ballot)) == (290, 1)


def test_going_back_after_asking_offers_what_was_asked(stage: Stage, member: Visitor) -> None:
    member.ask()
    vote_id = member.create()

    member.page.go_back()

    member.sees("똑같은 질문이 열려 있어요")
    expect(member.page.locator(f"main a[href='/votes/{vote_id}']")).to_be_visible()
    assert stage.count(Vote) == 1


@SCRIPTS
def test_a_double_click_answers_once(
    stage: Stage, visit: Visit, vote_id: int, scripts: bool
) -> None:
    stage.add_person("queequeg")
    friend = visit(stage, scripts=scripts)
    friend.sign_in("queequeg")
    friend.go(f"/votes/{vote_id}/answer?choice=yes")

    friend.page.locator("[role=dialog] [type=submit]").dblclick()

    friend.at_vote()
    expect(friend.page.locator(".wl-crowd .wl-mine")).to_be_visible()
    expect(friend.page.get_by_role("alert")).to_have_count(0)
    assert (friend.points(), stage.count(Ballot)) == (290, 1)


@SCRIPTS
def test_a_double_click_asks_once(stage: Stage, visit: Visit, scripts: bool) -> None:
    stage.add_person("ishmael")
    visitor = visit(stage, scripts=scripts)
    visitor.sign_in("ishmael")
    visitor.ask()

    visitor.page.locator("form:has([name=request_key]) [type=submit]").dblclick()

    visitor.at_vote()
    assert (visitor.points(), stage.count(Vote)) == (250, 1)


def test_signing_out_leaves_nothing_to_go_back_to(member: Visitor) -> None:
    member.go("/me")
    member.submit("form[action='/logout']")
    member.page.wait_for_url(f"{member.url}/")

    member.page.go_back()

    expect(member.page.locator("[name=password]")).to_be_visible()
