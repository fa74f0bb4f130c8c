"""A backtest as people live it: asked, followed, read, cancelled; with and without scripts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from app.clock import utcnow
from app.jobs.backtests import BacktestWorker
from app.services.market import get_coin
from tests import factories as make
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.flow]

READERS = [("ko", 375, True), ("ko", 1280, False), ("en", 1280, True), ("en", 375, False)]
CLOSES = [str(100_000_000 + 500_000 * (n * n % 17 + n // 5)) for n in range(200)]


def give_days(stage: Stage) -> None:
    """Bitcoin has 200 finished days."""
    with stage.app.app_context():
        coin = get_coin("BTC")
        assert coin is not None
        make.make_candles(coin, *CLOSES, until=utcnow())


@contextmanager
def working(stage: Stage) -> Iterator[None]:
    """The leader's worker beside the server, not held up by any minute."""
    stage.app.extensions["whaling_scheduler"] = "leader"
    worker = BacktestWorker(stage.app, second=lambda: 30)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def ask(visitor: Visitor) -> None:
    visitor.go("/desk/backtest")
    visitor.page.select_option("[name=coin]", "BTC")
    visitor.submit("form[action='/desk/backtest']")
    visitor.page.wait_for_url("**/desk/backtest/*")


@pytest.mark.parametrize(("language", "width", "scripts"), READERS)
def test_backtest_is_asked_followed_and_read(
    stage: Stage, visit: Visit, language: str, width: int, scripts: bool
) -> None:
    give_days(stage)
    visitor = visit(stage, language=language, width=width, scripts=scripts)
    visitor.sign_up("ahab")

    ask(visitor)
    visitor.sees("차례를 기다리고 있어요")
    visitor.page.reload()
    visitor.sees("차례를 기다리고 있어요")
    with working(stage):
        expect(visitor.page.locator("#h-eq")).to_be_visible()

    for sentence in ("지나고 고른 k", "그때그때 고른 k", "그냥 들고 있었다면", "이렇게 계산했어요"):
        visitor.sees(sentence)
    expect(visitor.page.locator(".line-brand")).to_have_count(1)
    expect(visitor.page.locator(".wl-table .pick")).to_have_count(1)
    with visitor.page.expect_download() as file:
        visitor.page.locator("a[href$='trades.csv']").click()
    assert file.value.suggested_filename.endswith("-trades.csv")


@pytest.mark.parametrize("scripts", [True, False])
def test_waiting_one_is_cancelled_by_its_button(stage: Stage, visit: Visit, scripts: bool) -> None:
    visitor = visit(stage, scripts=scripts)
    visitor.sign_up("starbuck")
    ask(visitor)

    visitor.submit("form[action$='/cancel']")

    visitor.sees("취소했어요")
