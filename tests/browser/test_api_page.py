"""The page of the API: readable by all, and a request can be sent from it."""

import pytest
from playwright.sync_api import expect

from tests.browser.checks import FEW_LOOKS, flaws, korean
from tests.browser.conftest import Visit
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
ADDRESS = "/api/v1/docs"


def test_page_of_the_api_is_accessible_in_english(stage: Stage, visit: Visit) -> None:
    visitor = visit(stage, language="en")

    visitor.go(ADDRESS)

    assert korean(visitor.page) == []
    assert flaws(visitor.page, FEW_LOOKS) == []


def test_request_sent_from_the_page_shows_its_answer_and_keeps_the_token(
    stage: Stage, visit: Visit
) -> None:
    page = visit(stage, language="ko").page
    page.goto(stage.url + ADDRESS)

    for ident, answer in (
        ("tokens-sign_up", "201"),
        ("votes-create", "201"),
        ("votes-index", "200"),
    ):
        operation = page.locator(f"#{ident}")
        operation.locator("summary").click()
        operation.get_by_role("button").click()
        expect(operation.locator("form pre")).to_contain_text(answer)

    expect(page.get_by_label("액세스 토큰")).not_to_have_value("")
    expect(page.locator("#votes-index form pre")).to_contain_text('"uploader_nickname":"neo"')


def test_without_scripts_the_page_is_read_and_offers_no_dead_form(
    stage: Stage, visit: Visit
) -> None:
    page = visit(stage, language="ko", scripts=False).page
    page.goto(stage.url + ADDRESS)

    page.locator("#votes-create summary").click()

    expect(page.locator("#votes-create")).to_contain_text("range_out_of_bounds")
    expect(page.locator("form[data-try]").first).to_be_hidden()
    expect(page.locator("#token")).to_be_hidden()
