"""Signing out on a shared computer: the way back shows nothing of who was there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium
from tests.browser.stage import Stage
from tests.browser.visitor import visiting

pytestmark = pytest.mark.browser


@pytest.fixture
def remembering(browser: Browser) -> Iterator[Browser]:
    """A Chromium that keeps pages for the way back, as everybody's does but Playwright's."""
    found = browser.browser_type.launch(
        executable_path=chromium.path(),
        args=list(chromium.ARGUMENTS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield found
    found.close()


@pytest.mark.parametrize("way_out", ["/logout", "/me/settings/sign-out-everywhere"])
def test_going_back_after_signing_out_shows_nothing_of_the_person(
    bare: Stage, remembering: Browser, way_out: str
) -> None:
    with visiting(remembering, bare.url, language="ko") as visitor:
        page = visitor.page
        visitor.sign_in("pip")
        for address in ("/votes", "/me/points", "/me/settings"):
            visitor.go(address)
            expect(page.locator(".wl-points")).to_be_visible()
        visitor.submit(f"form[action='{way_out}']")
        expect(page.locator(".wl-points")).to_have_count(0)

        for _page in range(3):
            page.go_back(wait_until="commit")
            expect(page.locator(".wl-top .btn-primary")).to_be_visible()
            expect(page.locator(".wl-points")).to_have_count(0)
            expect(page.locator("body")).not_to_contain_text("pip")
