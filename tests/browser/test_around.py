"""What stands around every page: the search, the link to take along, the page on paper."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


def test_link_of_a_vote_is_copied_without_what_belongs_to_this_visit(
    stage: Stage, visit: Visit
) -> None:
    vote_id = stage.add_vote("ahab")
    visitor = visit(stage)
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.go(f"/votes/{vote_id}?from=a-friend#h-price")

    visitor.page.get_by_role("button", name=visitor.say("링크 복사")).click()

    visitor.sees("링크를 복사했어요")
    copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{stage.url}/votes/{vote_id}"


@pytest.mark.parametrize("scripts", [True, False])
def test_coin_is_found_from_any_page(stage: Stage, visit: Visit, scripts: bool) -> None:
    visitor = visit(stage, scripts=scripts)
    visitor.go("/tutorial")

    visitor.page.locator("header [name=q]").fill("ㅂㅌㅋㅇ")
    visitor.page.locator("header [name=q]").press("Enter")

    visitor.page.wait_for_url(re.compile(r"/coins\?q="))
    expect(visitor.page.locator("main tr[data-coin=BTC]")).to_be_visible()


def test_paper_is_light_and_shows_what_is_said_without_what_is_pressed(
    stage: Stage, visit: Visit
) -> None:
    vote_id = stage.add_vote("ahab")
    visitor = visit(stage, width=375, dark=True)
    visitor.go(f"/votes/{vote_id}?theme=dark")

    visitor.page.emulate_media(media="print", color_scheme="dark")

    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    for pressed in (".wl-top", ".wl-tabbar", "main .wl-choices"):
        expect(visitor.page.locator(pressed)).to_be_hidden()
    scheme = visitor.page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert scheme == "light"


def test_time_left_counts_down_and_ends_at_the_deadline(stage: Stage, visit: Visit) -> None:
    vote_id = stage.add_vote("ahab")
    visitor = visit(stage)
    visitor.page.clock.install()
    visitor.page.route("**/live*", lambda route: route.abort())
    visitor.go(f"/votes/{vote_id}")
    left = visitor.page.locator("[data-countdown]")
    expect(left).to_contain_text(visitor.say("%(n)s시간", n=7))

    visitor.page.clock.fast_forward("07:30:00")
    expect(left).to_have_text(re.compile(r"^(29|30)분 남음$"))

    visitor.page.clock.fast_forward("31:00")
    expect(left).to_have_text(visitor.say("마감했어요"))
