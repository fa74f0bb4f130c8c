"""The keyboard alone is enough: every stop can be seen, and each deed done without a mouse."""

import pytest
from playwright.sync_api import Page, expect

from app.models import Ballot, Vote
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.browser

MANY = 80
_IS_AT = "(selector) => document.activeElement.matches(selector)"
_IN_SHEET = "() => document.activeElement.closest('[role=dialog]') !== null"
#: Why the element that has the focus can't be seen, or nothing.
_UNSEEN = """() => {
  const here = document.activeElement;
  if (here === document.body) return null;
  const name = `${here.tagName} ${here.className} ${here.textContent.trim().slice(0, 30)}`;
  const style = getComputedStyle(here);
  if (style.outlineStyle === "none" && style.boxShadow === "none") return `no ring: ${name}`;
  const box = here.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  if (!inside) return `off screen: ${name}`;
  const top = document.elementFromPoint(
    Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1),
    Math.min(Math.max(box.y + Math.min(box.height / 2, 20), 1), innerHeight - 1));
  if (top && (here.contains(top) || top.contains(here))) return null;
  return `${name} covered by ${top && top.tagName} ${top && top.className}`;
}"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something is focused that the selector names."""
    for _ in range(MANY):
        page.keyboard.press("Tab")
        if page.evaluate(_IS_AT, selector):
            return
    raise AssertionError(f"{MANY} times Tab never came to {selector}")


def enter(page: Page, selector: str) -> None:
    """Go to a link or button and press Enter; the page that it leads to is there."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def sign_in(visitor: Visitor, nickname: str) -> None:
    visitor.go("/login")
    tab_to(visitor.page, "[name=nickname]")
    visitor.page.keyboard.type(nickname)
    tab_to(visitor.page, "[name=password]")
    visitor.page.keyboard.type(PASSWORD)
    tab_to(visitor.page, "[name=remember]")
    visitor.page.keyboard.press("Space")
    enter(visitor.page, "main [type=submit]")


@pytest.fixture
def member(stage: Stage, visit: Visit) -> Visitor:
    """Somebody who signed in by keyboard."""
    stage.add_person("ishmael")
    visitor = visit(stage)
    sign_in(visitor, "ishmael")
    return visitor


@pytest.fixture
def vote_id(stage: Stage) -> int:
    """A question that somebody else asked."""
    return stage.add_vote("ahab")


def test_signing_in_needs_no_mouse(member: Visitor) -> None:
    assert member.points() == 300
    names = [cookie["name"] for cookie in member.page.context.cookies()]
    assert "whaling_remember" in names


def test_the_first_stop_skips_to_the_content(member: Visitor) -> None:
    member.go("/votes")
    member.page.keyboard.press("Tab")
    expect(member.page.locator(".wl-skip")).to_be_focused()

    member.page.keyboard.press("Enter")
    member.page.keyboard.press("Tab")

    assert member.page.evaluate(_IS_AT, "main *")


def test_the_list_is_searched_and_narrowed(member: Visitor, vote_id: int) -> None:
    page, card = member.page, member.page.locator(f"main a[href='/votes/{vote_id}']")
    member.go("/votes")
    tab_to(page, "main [type=search]")
    page.keyboard.type("ㅂㅌ")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(card).to_be_visible()

    enter(page, "main a[href*='direction=down']")

    expect(card).to_have_count(0)


def test_an_answer_is_given(stage: Stage, member: Visitor, vote_id: int) -> None:
    page = member.page
    member.go(f"/votes/{vote_id}")
    enter(page, "main [href$='answer?choice=no']")
    tab_to(page, "[role=dialog] [type=submit]")

    with page.expect_navigation():
        page.keyboard.press("Enter")

    expect(page.locator(".wl-crowd .wl-mine")).to_be_visible()
    assert (member.points(), stage.count(Ballot)) == (290, 1)


def test_the_sheet_keeps_the_focus_and_escape_leads_back(
    stage: Stage, member: Visitor, vote_id: int
) -> None:
    page = member.page
    member.go(f"/votes/{vote_id}/answer?choice=yes")
    assert page.evaluate(_IN_SHEET)
    for key in ("Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(key)
        assert page.evaluate(_IN_SHEET), key

    with page.expect_navigation():
        page.keyboard.press("Escape")

    assert member.at_vote() == vote_id
    assert stage.count(Ballot) == 0


def test_a_question_is_asked(stage: Stage, member: Visitor) -> None:
    page = member.page
    member.go("/create")
    enter(page, "main a[href*='coin=BTC']")
    enter(page, "main a[href*='duration=day']")
    tab_to(page, "[name=range]")
    page.keyboard.type("7")
    enter(page, "main [type=submit]")
    enter(page, "main a[href*='direction=up']")
    enter(page, "form:has([name=request_key]) [type=submit]")

    member.at_vote()
    assert (member.points(), stage.count(Vote)) == (250, 1)


@pytest.mark.parametrize("width", [375, 1280])
def test_every_stop_can_be_seen(
    stage: Stage, visit: Visit, member: Visitor, vote_id: int, width: int
) -> None:
    visitor = visit(stage, width=width, state=member.page.context.storage_state())
    unseen = []
    mine = ("/create", "/me", "/me/settings")
    for path in ("/", "/votes", f"/votes/{vote_id}", *mine, "/coins", "/coins/BTC"):
        visitor.go(path)
        for _ in range(MANY):
            visitor.page.keyboard.press("Tab")
            unseen += [f"{path} {found}" for found in [visitor.page.evaluate(_UNSEEN)] if found]
            if visitor.page.evaluate(_IS_AT, "body"):
                break

    assert "\n".join(unseen) == ""
