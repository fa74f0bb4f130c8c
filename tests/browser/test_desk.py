"""An account in a browser: linked from the empty desk, looked at, and let go again."""

import pytest
from playwright.sync_api import expect

from app.clock import utcnow
from app.jobs.desk import BalanceKeeper
from app.simulator.desk.samples import add_sample_accounts
from app.web.desk.samples import SAMPLES, SampleKeys
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.flow]

READERS = [("ko", 375, True), ("en", 1280, False)]


@pytest.mark.parametrize(("language", "width", "scripts"), READERS)
def test_account_is_linked_seen_and_unlinked(
    stage: Stage, visit: Visit, language: str, width: int, scripts: bool
) -> None:
    add_sample_accounts(stage.exchange)
    owner = visit(stage, language=language, width=width, scripts=scripts)
    owner.sign_up("ishmael")

    links(owner, SAMPLES[0])
    with stage.app.app_context():
        assert BalanceKeeper(stage.app).work(utcnow()).ok
    sees(owner, scripts)
    unlinks(owner)

    assert owner.complaints == []


def links(owner: Visitor, keys: SampleKeys) -> None:
    """By the form, with the keys typed in; the exchange has said yes to each so far."""
    owner.go("/desk")
    owner.page.locator("a.btn[href='/desk/link']").click()
    owner.page.check(f"#exchange-{keys.exchange}")
    owner.page.fill("#access_key", keys.access)
    owner.page.fill("#secret_key", keys.secret)
    owner.submit("form:has(#access_key)")
    owner.page.wait_for_url("**/desk?account=*")
    assert set(owner.page.locator(".wl-chip-good").all_inner_texts()) == {owner.say("확인됨")}
    assert keys.secret not in owner.page.content()


def sees(owner: Visitor, scripts: bool) -> None:
    """The holdings come by themselves; without scripts they come with the page."""
    if not scripts:
        owner.go("/desk")
    table = owner.page.locator("table")
    expect(table).to_contain_text("BTC")
    expect(table).to_contain_text("OLDCOIN")
    expect(owner.page.locator(".wl-alloc")).to_be_visible()


def unlinks(owner: Visitor) -> None:
    """Asked first, then gone."""
    owner.page.locator("a[href='/desk/accounts/1/unlink']").click()
    owner.submit("form[action='/desk/accounts/1/unlink']")
    owner.page.wait_for_url("**/desk")
    expect(owner.page.locator("main")).to_contain_text(owner.say("아직 연결한 계좌가 없어요"))
