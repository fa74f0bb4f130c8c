"""The market as people watch it: prices that move by themselves, and say when they don't."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, Request, expect

from app.models import Favourite
from app.simulator import Simulator
from app.web import filters
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor, visiting
from tests.serving import serving

pytestmark = pytest.mark.browser

LOOKED_AT = "/api/v1/live"
BITCOIN = 'tr[data-coin="BTC"]'
FIGURES = """async ([name, values, language]) => {
  document.documentElement.lang = language;
  const figures = await import("/static/js/figures.js");
  const told = {
    won: (text) => figures.won(figures.units(text)),
    signed_won: (text) => figures.signedWon(figures.units(text)),
    signed_pct: (text) => figures.percent(figures.hundredths(text)),
    tone: (text) => figures.tone(figures.hundredths(text)),
    turnover: figures.turnover,
    whole_turnover: (text) => figures.wholeTurnover(Number(text)),
  };
  return values.map(told[name]);
}"""


def move(stage: Stage, pct: str, code: str = "BTC") -> Decimal:
    """Let a price move at the exchange, and the application see it; returns the new one."""
    now = stage.exchange.now()
    price = stage.exchange.price(f"KRW-{code}", now) * (100 + Decimal(pct)) / 100
    moved = price.quantize(Decimal(1000))
    stage.exchange.set_price(f"KRW-{code}", moved)
    stage.run_minute()
    return moved


def stays(page: Page) -> Callable[[], bool]:
    """Whether the page is still the one it was, asked later."""
    page.evaluate("window.stays = true")
    return lambda: bool(page.evaluate("window.stays === true"))


def random_prices(number: int = 300) -> list[str]:
    """Prices of every size, with as many digits as they can have, and the edges between."""
    dice = random.Random(7)
    digits = [
        Decimal(dice.randrange(1, 10**9)).scaleb(dice.randrange(-8, 2)) for _ in range(number)
    ]
    edges = ["999.95", "1000", "99.99", "100", "0.99999999", "1", "1.005", "0.00000001", "12345.5"]
    return [f"{price:f}" for price in digits] + edges


@pytest.fixture
def figures(browser: Browser, stage: Stage) -> Iterator[Callable[..., list[str]]]:
    """Formats texts by the browser's own script."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{stage.url}/health")

    def told(name: str, values: list[str], language: str = "ko") -> list[str]:
        found: list[str] = page.evaluate(FIGURES, [name, values, language])
        return found

    yield told
    context.close()


def test_script_writes_figures_as_the_server_does(
    figures: Callable[..., list[str]], stage: Stage
) -> None:
    prices = random_prices()
    moves = [*prices, *(f"-{price}" for price in prices), "0"]
    rates = [str(random.Random(n).uniform(-0.3, 0.3)) for n in range(200)]
    rates += ["0.0184", "-0.0029", "0.00009", "1e-05", "-1e-05", "0.0", "29.0", "-0.00005"]
    sums = ["0", "412800000000.0", "49000000.0", "3241849000000.0", "5000000000000.0", "1.0"]

    assert figures("won", prices) == [filters.won(Decimal(one)) for one in prices]
    assert figures("signed_won", moves) == [filters.signed_won(Decimal(one)) for one in moves]
    percent = [Decimal(one) * 100 for one in rates]
    assert figures("signed_pct", rates) == [filters.signed_pct(one) for one in percent]
    assert figures("tone", rates) == [filters.tone(one) for one in percent]
    for language in ("ko", "en"):
        how = {"Accept-Language": language}
        with stage.app.test_request_context(headers=how):
            assert figures("turnover", sums, language) == [
                filters.turnover(float(one)) for one in sums
            ]
            assert figures("whole_turnover", sums, language) == [
                filters.whole_turnover(float(one)) for one in sums
            ]


@pytest.mark.parametrize("path", ["/coins", "/coins/board"])
def test_price_moves_by_itself(stage: Stage, visit: Visit, path: str) -> None:
    page = visit(stage).page
    page.goto(stage.url + path)
    unmoved = stays(page)

    price = move(stage, "2")

    row = page.locator('[data-coin="BTC"]')
    expect(row.locator("[data-live-field=price]")).to_have_text(filters.won(price))
    rate = page.request.get(f"{stage.url}{LOOKED_AT}?codes=BTC").json()["coins"][0][3]
    told = filters.signed_pct(Decimal(str(rate)) * 100)
    expect(row.locator("[data-live-field=change]")).to_have_text(told)
    assert unmoved()


def test_moved_price_is_told_to_charts_with_all_its_digits(stage: Stage, visit: Visit) -> None:
    page = visit(stage).page
    page.goto(f"{stage.url}/coins")
    page.evaluate(
        "document.addEventListener('wl:tick', (e) => { (window.ticks ??= []).push(e.detail); })"
    )

    price = move(stage, "-1")

    shown = page.locator(f"{BITCOIN} [data-live-field=price]")
    expect(shown).to_have_text(filters.won(price))
    tick: dict[str, Any] = page.evaluate("window.ticks.filter((one) => one.code === 'BTC').at(-1)")
    assert tick["price"] == f"{price:f}"
    assert set(tick) == {"code", "price", "changeRate", "asOf"}
    assert tick["asOf"].endswith("Z")


def test_moved_price_flashes_unless_motion_is_unwanted(stage: Stage, visit: Visit) -> None:
    page = visit(stage).page
    page.emulate_media(reduced_motion="no-preference")
    page.goto(f"{stage.url}/coins")
    price = page.locator(f"{BITCOIN} [data-live-field=price]")
    expect(price).to_have_attribute("data-units", page_units := _units(price))

    move(stage, "3")
    expect(price).to_have_class("wl-price wl-tick-up")
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    expect(price).not_to_have_attribute("data-units", page_units)
    moved = move(stage, "-3")

    expect(price).to_have_text(filters.won(moved))
    expect(price).to_have_class("wl-price")


def _units(price: Any) -> str:
    return str(int(Decimal(price.inner_text().replace(",", "")) * 10**8))


def test_market_that_stands_still_says_so_and_recovers_by_itself(
    stage: Stage, visit: Visit
) -> None:
    visitor = visit(stage)
    visitor.go("/coins")
    unmoved = stays(visitor.page)
    strip = visitor.page.locator("[data-live-when=old]")
    expect(strip).to_be_hidden()

    stage.age_prices(timedelta(minutes=4))

    expect(strip).to_contain_text("시세가 4분째 멈춰 있어요.")
    expect(strip).to_contain_text("새 질문은 시세가 돌아오면 만들 수 있고")
    expect(visitor.page.locator("main .wl-page")).to_have_class("wl-wrap wl-page wl-stale")
    expect(visitor.page.locator(".wl-fresh")).to_contain_text("4분 전")
    stage.run_minute()
    expect(strip).to_be_hidden()
    expect(visitor.page.locator("main .wl-page")).to_have_class("wl-wrap wl-page")
    assert unmoved()


def test_coin_that_stands_still_among_others_says_so_and_recovers_by_itself(
    stage: Stage, visit: Visit
) -> None:
    visitor = visit(stage)
    visitor.go("/coins/BTC")
    page, unmoved = visitor.page, stays(visitor.page)
    told = page.get_by_text("거래소가 이 코인의 시세를 보내지 않고 있어요.")
    expect(told).to_be_hidden()

    stage.age_prices(timedelta(minutes=4), "BTC")

    expect(told).to_be_visible()
    expect(page.locator(".wl-fresh").first).to_contain_text("4분 전")
    expect(page.locator("[data-live-when=old]")).to_be_hidden()
    visitor.page.context.new_page().goto(f"{stage.url}/coins")
    expect(page.context.pages[-1].locator(BITCOIN)).to_have_class("wl-stale")
    move(stage, "1")
    expect(told).to_be_hidden()
    expect(page.locator(".wl-fresh").first).to_contain_text("초 전")
    assert unmoved()


def test_server_out_of_reach_is_told_and_found_again(stage: Stage, visit: Visit) -> None:
    visitor = visit(stage)
    visitor.go("/coins")
    lost = visitor.page.locator("[data-live-when=lost]")

    visitor.page.route(f"**{LOOKED_AT}*", lambda route: route.abort())

    expect(lost).to_be_visible()
    visitor.page.unroute(f"**{LOOKED_AT}*")
    visitor.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(lost).to_be_hidden()


def test_page_asks_once_a_second_and_only_while_it_is_seen(stage: Stage, visit: Visit) -> None:
    page = visit(stage).page
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one) if LOOKED_AT in one.url else None)
    page.goto(f"{stage.url}/coins")

    page.wait_for_timeout(3500)
    seen = len(asked)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(1200)
    hidden = len(asked)
    page.wait_for_timeout(2500)

    assert 2 <= seen <= 5
    assert len(asked) == hidden <= seen + 2
    assert all("if-none-match" in one.headers for one in asked[1:])


def test_screen_readers_arent_flooded(stage: Stage, visit: Visit) -> None:
    page = visit(stage).page
    page.clock.install()
    page.goto(f"{stage.url}/coins")
    said = page.locator("[data-live-said]")
    price = move(stage, "1")
    page.clock.run_for(2000)
    expect(page.locator(f"{BITCOIN} [data-live-field=price]")).to_have_text(filters.won(price))
    expect(said).to_have_text("")

    page.clock.run_for(61_000)
    move(stage, "-1")
    page.clock.run_for(3000)

    expect(said).to_have_text("시세를 새로 받았어요")
    assert page.locator("table [aria-live], table [role=status]").count() == 0


def test_board_draws_itself_anew_when_another_coin_belongs_to_it(
    seeded: Stage, visit: Visit
) -> None:
    page = visit(seeded).page
    page.clock.install()
    page.goto(f"{seeded.url}/coins/board")
    unmoved = stays(page)
    page.locator('[data-coin="BTC"]').evaluate("(one) => one.remove()")

    page.clock.run_for(5000)
    assert unmoved()
    page.clock.run_for(40_000)

    expect(page.locator('[data-coin="BTC"]')).to_be_visible()
    assert not unmoved()


def test_star_is_set_without_leaving_the_page(stage: Stage, visit: Visit) -> None:
    stage.add_person("carol")
    visitor = visit(stage)
    visitor.sign_in("carol")
    visitor.go("/coins?sort=name")
    unmoved = stays(visitor.page)
    star = visitor.page.locator(f"{BITCOIN} .wl-star")

    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")

    assert unmoved()
    assert stage.count(Favourite) == 1
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    assert stage.count(Favourite) == 0


def test_star_works_without_scripts_and_comes_back_to_the_list(stage: Stage, visit: Visit) -> None:
    stage.add_person("carol")
    visitor = visit(stage, scripts=False)
    visitor.sign_in("carol")
    visitor.go("/coins?sort=name")

    visitor.page.locator(f"{BITCOIN} .wl-star").click()

    visitor.page.wait_for_url("**/coins?sort=name")
    expect(visitor.page.locator(f"{BITCOIN} .wl-star")).to_have_attribute("aria-pressed", "true")
    visitor.page.locator(".wl-seg a", has_text="관심").click()
    expect(visitor.page.locator("tbody tr")).to_have_count(1)


def test_star_of_an_ended_session_leads_to_signing_in(stage: Stage, visit: Visit) -> None:
    stage.add_person("carol")
    visitor = visit(stage)
    visitor.sign_in("carol")
    visitor.go("/coins?tab=up")
    other = visitor.page.context.new_page()
    other.goto(f"{stage.url}/me")
    other.locator("form[action='/logout'] button").first.click()
    other.wait_for_url("**/")
    visitor.go("/coins")

    visitor.page.locator(f"{BITCOIN} .wl-star").click()

    visitor.page.wait_for_url("**/login?next=/coins")


def test_list_is_searched_ordered_and_narrowed_without_scripts(stage: Stage, visit: Visit) -> None:
    page = visit(stage, scripts=False).page
    page.goto(f"{stage.url}/coins")

    page.locator("thead a", has_text="코인").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    page.locator("[name=q]").fill("btc")
    page.locator("[name=q]").press("Enter")

    expect(page.locator("tbody tr")).to_have_count(1)
    assert "sort=name" in page.url
    page.locator(".wl-seg a", has_text="질문 있는").click()
    assert "q=btc" in page.url


def test_typing_narrows_the_list_at_once(stage: Stage, visit: Visit) -> None:
    page = visit(stage).page
    page.goto(f"{stage.url}/coins")

    page.locator("[name=q]").fill("ㅂㅌㅋㅇ")

    expect(page.locator("tbody tr:visible")).to_have_count(1)
    expect(page.locator(BITCOIN)).to_be_visible()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_column_is_cut_off(seeded: Stage, visit: Visit, language: str) -> None:
    page = visit(seeded, language=language).page
    page.goto(f"{seeded.url}/coins")

    for width in (320, 375, 768, 1024, 1200, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        cut = page.evaluate(
            "document.querySelector('#coins table').getBoundingClientRect().right"
            " - document.querySelector('#coins').getBoundingClientRect().right"
        )
        assert cut <= 1, width


def test_reason_for_caution_is_seen_at_every_width(stage: Stage, visit: Visit) -> None:
    stage.warn_of("BTC", "PRICE_FLUCTUATIONS", "TRADING_VOLUME_SOARING")
    page = visit(stage).page
    page.goto(f"{stage.url}/coins")
    why = page.locator(f"{BITCOIN} .wl-chip-warn", has_text="주의")

    expect(why).to_have_text("주의 · 가격 급등락, 거래량 급등")
    for width in (320, 375, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        shown, price = why.bounding_box(), page.locator(f"{BITCOIN} td.a").bounding_box()
        assert shown, width
        assert price, width
        assert shown["width"] > 70, width
        assert shown["x"] + shown["width"] <= price["x"], width


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_broken_stream_is_told_on_the_page_and_forgotten_once_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        Simulator(markets=12, rate_limit=None) as exchange,
        serving(
            tmp_path,
            UPBIT_URL=exchange.url,
            UPBIT_WS_URL=exchange.ws_url,
            UPBIT_LOGO_URL=f"{exchange.url}/logos",
        ) as (url, _process),
    ):
        _wait_for_stream(url)
        with visiting(browser, url) as watcher:
            _watch_the_stream_break(watcher, exchange)


def _watch_the_stream_break(watcher: Visitor, exchange: Simulator) -> None:
    watcher.go("/coins")
    strip = watcher.page.locator("[data-live-when=polling]")
    expect(strip).to_be_hidden()
    unmoved = stays(watcher.page)
    fault = {"mode": "disconnect", "for_s": 8, "group": "stream"}
    assert requests.post(f"{exchange.url}/_sim/fault", json=fault, timeout=5).ok

    expect(strip).to_contain_text("실시간 연결이 끊겼어요.")
    price = exchange.price("KRW-BTC", exchange.now()) * Decimal("1.02")
    moved = price.quantize(Decimal(1000))
    exchange.set_price("KRW-BTC", moved)
    expect(watcher.page.locator(f"{BITCOIN} [data-live-field=price]")).to_have_text(
        filters.won(moved)
    )

    expect(strip).to_be_hidden(timeout=90_000)
    assert unmoved()


def _wait_for_stream(url: str) -> None:
    for _ in range(60):
        told = requests.get(f"{url}{LOOKED_AT}", timeout=5).json()
        if told["source"] == "stream" and told["coins"]:
            return
        sleep(0.5)
    raise AssertionError(f"no stream: {told}")
