"""The checks themselves: they find what they are there to find."""

import pytest
from playwright.sync_api import Page

from tests.browser.checks import flaws, korean, violations
from tests.browser.conftest import Visit
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def page(bare: Stage, visit: Visit) -> Page:
    """A page of ours that each test spoils."""
    visitor = visit(bare, language="en")
    visitor.go("/login")
    return visitor.page


def spoil(page: Page, script: str) -> None:
    page.evaluate(f"() => {{ {script} }}")


def test_a_picture_without_words_is_found(page: Page) -> None:
    spoil(page, "document.querySelector('main img').removeAttribute('alt')")

    assert [one.split(":")[0] for one in violations(page)] == ["image-alt"]


def test_a_colour_too_pale_for_the_dark_alone_is_found(page: Page) -> None:
    spoil(page, "document.querySelector('main h1').style.color = '#16181d'")

    assert [one.split(":")[0] for one in flaws(page)] == [
        "375 dark color-contrast",
        "1280 dark color-contrast",
    ]


def test_what_is_wider_than_a_phone_is_found(page: Page) -> None:
    spoil(page, "document.querySelector('main form').style.minWidth = '360px'")

    assert [one for one in flaws(page) if "320 too wide" in one]
    assert not [one for one in flaws(page) if "1280 too wide" in one]


def test_korean_on_an_english_page_is_found(page: Page) -> None:
    spoil(page, "document.querySelector('main h1').textContent = '로그인'")

    assert korean(page) == ["로그인"]
