"""Signing in with Kakao as people do it: in a browser, over Kakao's own page and back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from app.models import User
from tests.browser.checks import flaws, korean
from tests.browser.conftest import MakeStage, Visit
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor
from tests.fake_kakao import FakeKakao

pytestmark = [pytest.mark.browser, pytest.mark.flow]

READERS = [("ko", 375, True), ("en", 1280, False)]
BOTH = pytest.mark.parametrize(("language", "width", "scripts"), READERS)


@pytest.fixture
def kakao() -> Iterator[FakeKakao]:
    with FakeKakao(decision="ask") as server:
        yield server


@pytest.fixture
def stage(make_stage: MakeStage, kakao: FakeKakao) -> Stage:
    """The server knows its public address once it listens, so it is told then."""
    stage = make_stage(**kakao.settings())
    stage.app.config["WHALING_PUBLIC_URL"] = stage.url
    kakao.settings(stage.url)
    return stage


def forgive(visitor: Visitor) -> None:
    """Forget that the browser asked another host, and nothing else."""
    abroad = "asks another host: http://127.0.0.1:"
    visitor.complaints[:] = [one for one in visitor.complaints if not one.startswith(abroad)]


def to_kakao(visitor: Visitor, link: str = ".btn-kakao") -> None:
    """Follow the link to Kakao's page, the one other host that people are sent to."""
    visitor.page.locator(link).click()
    visitor.page.wait_for_selector("#approve")
    forgive(visitor)


def decide(visitor: Visitor, decision: str, arrive: str) -> None:
    """Press a button of Kakao's page and arrive here again."""
    visitor.page.locator(f"#{decision}").click()
    visitor.page.wait_for_url(f"{visitor.url}{arrive}")
    forgive(visitor)


def come_in(visitor: Visitor, arrive: str) -> None:
    visitor.go("/login")
    to_kakao(visitor)
    decide(visitor, "approve", arrive)


@BOTH
def test_new_person_chooses_a_name_and_comes_back_as_the_same(
    stage: Stage, visit: Visit, language: str, width: int, scripts: bool
) -> None:
    how = {"language": language, "width": width, "scripts": scripts}
    first, later = visit(stage, **how), visit(stage, **how)

    come_in(first, "/welcome")
    first.page.fill("[name=nickname]", "starbuck")
    first.submit("form:has([name=nickname])")
    first.page.wait_for_url("**/tutorial")
    come_in(later, "/")

    assert (first.points(), later.points()) == (300, 300)
    later.go("/me")
    expect(later.page.locator("h1")).to_have_text("starbuck")
    assert stage.count(User) == 1


@BOTH
def test_person_who_refuses_is_told_and_may_try_again(
    stage: Stage, visit: Visit, language: str, width: int, scripts: bool
) -> None:
    visitor = visit(stage, language=language, width=width, scripts=scripts)
    visitor.go("/login")
    to_kakao(visitor)

    decide(visitor, "deny", "/login")

    told = visitor.say("카카오 로그인을 취소했어요.")
    expect(visitor.page.get_by_text(told)).to_be_visible()
    assert stage.count(User) == 0
    come_in(visitor, "/welcome")


def test_person_who_turns_back_at_kakao_finds_the_page_as_it_was(
    stage: Stage, visit: Visit
) -> None:
    visitor = visit(stage)
    visitor.go("/login")
    to_kakao(visitor)

    visitor.page.go_back()

    visitor.page.wait_for_url(f"{stage.url}/login")
    come_in(visitor, "/welcome")


def test_tampered_answer_lets_nobody_in(stage: Stage, visit: Visit, kakao: FakeKakao) -> None:
    visitor = visit(stage)
    visitor.go("/login")
    to_kakao(visitor)
    code = kakao.code(f"{stage.url}/login/kakao/callback")

    visitor.go(f"/login/kakao/callback?code={code}&state=mine")

    told = visitor.say("로그인이 중간에 끊겼어요. 처음부터 다시 해 주세요.")
    expect(visitor.page.get_by_text(told)).to_be_visible()
    assert stage.count(User) == 0


def test_account_is_linked_unlinked_and_left(stage: Stage, visit: Visit) -> None:
    visitor = visit(stage)
    visitor.sign_up("starbuck")
    visitor.go("/me/settings")
    to_kakao(visitor, "a[href*='settings/kakao']")
    decide(visitor, "approve", "/me/settings")
    visitor.submit("form[action$='kakao/unlink']")
    expect(visitor.page.locator("a[href*='settings/kakao']")).to_be_visible()

    visitor.page.locator("a[href='/me/settings/leave']").click()
    visitor.page.fill("[name=confirmation]", "a-quiet-harbour")
    visitor.submit("#leave-form")

    visitor.page.wait_for_url(f"{stage.url}/")
    expect(
        visitor.page.get_by_text(visitor.say("계정을 지웠어요. 그동안 함께해 주셔서 고마워요."))
    ).to_be_visible()
    assert stage.books_are_right()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_pages_of_kakao_have_no_flaws(stage: Stage, visit: Visit, language: str) -> None:
    visitor = visit(stage, language=language)
    seen: list[str] = []
    for path in ("/login", "/signup"):
        visitor.go(path)
        seen += flaws(visitor.page)
    come_in(visitor, "/welcome")
    seen += flaws(visitor.page)
    for path in ("/me", "/me/settings", "/me/settings/leave"):
        visitor.go(path)
        seen += flaws(visitor.page)
        seen += korean(visitor.page) if language == "en" else []

    assert seen == []
