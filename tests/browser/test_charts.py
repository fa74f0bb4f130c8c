"""Charts in a real browser: in the theme's colours, live, by keyboard, without the library."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from app.clock import utcnow
from app.domain.market import CandleUnit
from app.services import market
from tests.browser.checks import FEW_LOOKS, LOOKS, flaws, korean
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import HEIGHTS, Visitor
from tests.factories import make_candles

pytestmark = pytest.mark.browser

DRAWN = "[data-chart-ready] .wl-chart-live canvas"
#: How many points of the drawing have a colour of the page, given by its token.
_COLOURED = """(token) => {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  let found = 0;
  for (const canvas of document.querySelectorAll(".wl-plot canvas")) {
    const { width, height } = canvas;
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    const read = copy.getContext("2d", { willReadFrequently: true });
    read.drawImage(canvas, 0, 0);
    const { data } = read.getImageData(0, 0, width, height);
    for (let at = 0; at < data.length; at += 4) {
      const isIt = wanted.every((part, place) => part === data[at + place]);
      if (data[at + 3] === 255 && isIt) found += 1;
    }
  }
  return found;
}"""


@pytest.fixture
def known(stage: Stage) -> Stage:
    """A stage that knows eight weeks of Bitcoin, whose days go up and down around its price."""
    with stage.app.app_context():
        coin, now = market.get_coin("BTC"), utcnow()
        listed = market.find_coin("BTC", now)
        assert coin is not None
        assert listed is not None
        assert listed.price is not None
        closes = [str(listed.price * (97 + day * 3 % 7) / 100) for day in range(56)]
        make_candles(coin, *closes, until=now)
        make_candles(coin, *closes, unit=CandleUnit.MINUTE, until=now)
    return stage


def price(stage: Stage) -> Decimal:
    return stage.exchange.price("KRW-BTC", stage.exchange.now())


def looks(visitor: Visitor) -> Iterator[str]:
    """Show the page at both widths, light and dark."""
    for width, scheme in LOOKS:
        visitor.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        visitor.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        yield f"{width}-{scheme}"


def is_picture(page: Page, folder: object, name: str) -> bool:
    """Take a picture of the chart; an empty one would be far smaller."""
    picture = page.locator("figure.wl-chart-live").screenshot(path=f"{folder}/{name}.png")
    return len(picture) > 3000


def test_coin_chart_has_the_colours_of_every_look(
    known: Stage, visit: Visit, tmp_path: object
) -> None:
    visitor = visit(known)
    visitor.go("/coins/BTC")
    expect(visitor.page.locator(DRAWN).first).to_be_visible()

    for look in looks(visitor):
        visitor.page.wait_for_timeout(300)
        assert visitor.page.evaluate(_COLOURED, "--wl-up") > 100, look
        assert visitor.page.evaluate(_COLOURED, "--wl-down") > 100, look
        assert is_picture(visitor.page, tmp_path, look), look
    assert flaws(visitor.page) == []


def test_vote_chart_has_the_colours_of_every_look(
    known: Stage, visit: Visit, tmp_path: object
) -> None:
    visitor, number = visit(known), known.add_vote("ahab")
    visitor.go(f"/votes/{number}")
    expect(visitor.page.locator(DRAWN).first).to_be_visible()

    for look in looks(visitor):
        visitor.page.wait_for_timeout(300)
        assert visitor.page.evaluate(_COLOURED, "--wl-brand-line") > 50, look
        assert visitor.page.evaluate(_COLOURED, "--wl-ink") > 50, look
        assert is_picture(visitor.page, tmp_path, look), look
    assert flaws(visitor.page) == []


def test_charts_speak_english(known: Stage, visit: Visit) -> None:
    visitor, number = visit(known, language="en"), known.add_vote("ahab")

    for path in ("/coins/BTC?frame=1m", f"/votes/{number}"):
        visitor.go(path)
        expect(visitor.page.locator(DRAWN).first).to_be_visible()
        assert korean(visitor.page) == []
        assert flaws(visitor.page, FEW_LOOKS) == []


def test_a_trade_moves_the_coins_chart_without_a_reload(known: Stage, visit: Visit) -> None:
    visitor = visit(known)
    visitor.go("/coins/BTC?frame=1d")
    readout = visitor.page.locator("[data-chart-readout]")
    expect(readout).to_contain_text(visitor.say("만들어지는 중"))
    visitor.page.evaluate("window.isStillHere = true")
    moved = (price(known) * Decimal("1.05")).to_integral_value() // 1000 * 1000

    known.exchange.set_price("KRW-BTC", moved)
    known.run_minute()

    expect(readout).to_contain_text(f"{moved:,}")
    expect(readout).to_contain_text(visitor.say("만들어지는 중"))
    expect(visitor.page.locator("[data-live-field=price]").first).to_have_text(f"{moved:,}")
    assert visitor.page.evaluate("window.isStillHere")


def test_candles_that_are_gathered_later_come_by_themselves(stage: Stage, visit: Visit) -> None:
    visitor = visit(stage)
    visitor.page.clock.install()
    visitor.go("/coins/BTC")
    expect(visitor.page.locator(DRAWN).first).to_be_visible()
    gathering = visitor.page.locator("[data-chart-gathering]")
    expect(gathering).to_be_visible()

    with stage.app.app_context():
        coin = market.get_coin("BTC")
        assert coin is not None
        make_candles(coin, *map(str, range(100, 170)), until=utcnow())
    visitor.page.clock.fast_forward(20_000)

    expect(gathering).to_be_hidden()


def test_a_trade_moves_the_votes_price_and_what_is_lacking(known: Stage, visit: Visit) -> None:
    visitor, number = visit(known), known.add_vote("ahab")
    begun = price(known)
    visitor.go(f"/votes/{number}")
    expect(visitor.page.locator(DRAWN).first).to_be_visible()
    moved = (begun * Decimal("1.05")).to_integral_value() // 1000 * 1000

    known.exchange.set_price("KRW-BTC", moved)
    known.run_minute()

    standing = visitor.page.locator("[data-standing]")
    expect(standing).to_contain_text(f"{moved:,}")
    expect(standing.locator(".wl-chg")).to_have_text(re.compile(r"^\+[45]\.\d\d%$"))


def test_the_keyboard_walks_from_candle_to_candle(known: Stage, visit: Visit) -> None:
    visitor = visit(known)
    visitor.go("/coins/BTC")
    expect(visitor.page.locator(DRAWN).first).to_be_visible()
    readout, keys = visitor.page.locator("[data-chart-readout]"), visitor.page.keyboard
    now = readout.inner_text()
    visitor.page.locator("figure.wl-chart-live").focus()

    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    expect(readout).to_contain_text(visitor.say("거래량"))
    assert readout.get_attribute("aria-live") == "polite"
    keys.press("ArrowRight")
    keys.press("Home")
    keys.press("+")
    keys.press("Escape")

    expect(readout).to_have_text(now)


def test_without_the_library_drawing_and_table_stay_and_the_page_says_so(
    known: Stage, visit: Visit
) -> None:
    visitor, number = visit(known), known.add_vote("ahab")
    visitor.page.route("**/vendor/**", lambda route: route.abort())

    for path in ("/coins/BTC", f"/votes/{number}"):
        visitor.go(path)
        visitor.sees("움직이는 차트를 불러오지 못했어요. 그림과 표로 보여드려요.")
        expect(visitor.page.locator("[data-chart-failed]")).to_be_visible()
        expect(visitor.page.locator("figure.wl-chart > svg").first).to_be_visible()
        expect(visitor.page.locator("[data-chart-table] table")).to_be_visible()
        assert flaws(visitor.page, FEW_LOOKS) == []


def test_without_scripts_the_frames_are_links_and_the_candles_a_drawing(
    known: Stage, visit: Visit
) -> None:
    visitor = visit(known, scripts=False)
    visitor.go("/coins/BTC")

    visitor.page.locator("a[href$='frame=1m']").click()

    expect(visitor.page.locator("a[href$='frame=1m'][aria-current]")).to_be_visible()
    expect(visitor.page.locator("figure.wl-chart > svg .body").first).to_be_attached()
    expect(visitor.page.locator("[data-chart-failed]")).to_be_hidden()


def test_base_rates_follow_what_is_typed(known: Stage, visit: Visit) -> None:
    known.add_person("ishmael")
    visitor = visit(known)
    visitor.sign_in("ishmael")
    visitor.go("/create?coin=BTC&duration=day&step=3")
    rates = visitor.page.locator("#rates")
    expect(rates).to_contain_text("5%")

    visitor.page.fill("[name=range]", "37")
    expect(rates).to_contain_text(visitor.say("%(range)s 이상 오름", range="37%"))
    visitor.page.fill("[name=range]", "what")

    expect(rates).to_have_text("")
