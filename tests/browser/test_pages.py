"""Every page in every state: axe finds nothing, nothing is too wide, the browser is content."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.exceptions import MethodNotAllowed, NotFound

from app.demo import CAST
from tests.browser.checks import FEW_LOOKS, LOOKS, flaws, korean
from tests.browser.conftest import Visit
from tests.browser.situations import address
from tests.browser.stage import Stage
from tests.browser.visitor import PASSWORD, Visitor, visiting

pytestmark = pytest.mark.browser

BOTH = pytest.mark.parametrize("language", ["ko", "en"])
PASSWORDS = CAST | {"pip": PASSWORD}
Cookies = Callable[[Stage, str], Any]
Look = Callable[[Stage, str, str, str], Visitor]

FULL = [
    ("", "/"),
    ("demo", "/"),
    ("newbie", "/"),
    ("", "/votes"),
    ("demo", "/votes"),
    ("demo", "/votes?state=waiting"),
    ("demo", "/votes?state=over"),
    ("demo", "/votes?q=ㅂㅌ&duration=week&sort=divided"),
    ("demo", "/votes?q=nosuchcoin"),
    ("demo", "/votes?mine=created&direction=down&duration=month"),
    ("newbie", "/votes?mine=answered"),
    ("", "/votes/{open}"),
    ("demo", "/votes/{open}"),
    ("captain", "/votes/{open}"),
    ("demo", "/votes/{answered}"),
    ("demo", "/votes/{closed}"),
    ("demo", "/votes/{unseen}"),
    ("", "/votes/{closed}"),
    ("demo", "/votes/{hit}"),
    ("demo", "/votes/{miss}"),
    ("demo", "/votes/{over}"),
    ("", "/votes/{over}"),
    ("demo", "/votes/{void}"),
    ("", "/votes/{void}"),
    ("demo", "/votes/{open}/answer?choice=yes"),
    ("demo", "/votes/{free}/answer?choice=no"),
    ("pip", "/votes/{open}/answer?choice=no"),
    ("captain", "/votes/{open}/void?reason=test"),
    ("demo", "/create"),
    ("demo", "/create?q=nosuchcoin"),
    ("demo", "/create?coin=BTC"),
    ("demo", "/create?coin=BTC&duration=week"),
    ("demo", "/create?coin=BTC&duration=week&range=999"),
    ("demo", "/create?coin=BTC&duration=week&range=7"),
    ("demo", "/create?coin=BTC&duration=week&range=120"),
    ("demo", "/create?coin=BTC&duration=month&range=77&direction=up"),
    ("captain", "/create?coin=BTC&duration=month&range=77&direction=up"),
    ("demo", "/create?{twin}"),
    ("pip", "/create?coin=BTC&duration=month&range=77&direction=up"),
    ("demo", "/me"),
    ("newbie", "/me"),
    ("demo", "/me?kind=created"),
    ("demo", "/me/votes"),
    ("demo", "/me/votes?kind=created&tab=done"),
    ("newbie", "/me/votes?tab=ongoing"),
    ("demo", "/me/settings"),
    ("demo", "/me/settings/leave"),
    ("demo", "/me/points"),
    ("newbie", "/me/points?side=out"),
    ("demo", "/coins"),
    ("", "/coins?q=ㅂㅌ"),
    ("demo", "/coins?q=nosuchcoin"),
    ("demo", "/coins?tab=asked&sort=name"),
    ("newbie", "/coins?tab=favourites"),
    ("", "/coins?tab=favourites"),
    ("", "/coins/board"),
    ("demo", "/coins/BTC"),
    ("", "/coins/SHIB?frame=15m&r=120"),
    ("demo", "/coins/BTC?frame=1w&r=999"),
    ("demo", "/desk"),
    ("newbie", "/desk"),
    ("newbie", "/desk?account=2"),
    ("demo", "/desk/link"),
    ("newbie", "/desk/accounts/1/unlink"),
    ("demo", "/desk/backtest"),
    ("newbie", "/desk/bot"),
    ("demo", "/desk/bot"),
    ("demo", "/desk/bot/settings"),
    ("demo", "/desk/bot/real"),
    ("captain", "/staff/candles"),
    ("", "/login"),
    ("", "/me"),
    ("", "/signup"),
    ("", "/tutorial"),
    ("demo", "/tutorial"),
    ("demo", "/nowhere"),
    ("newbie", "/votes/{open}/void?reason=test"),
    ("demo", "/logout"),
    ("demo", "/broken"),
    ("demo", "/?theme=dark"),
    ("demo", "/votes/{hit}?theme=light"),
]
BARE = [
    ("", "/"),
    ("", "/votes"),
    ("pip", "/"),
    ("pip", "/votes"),
    ("pip", "/votes?state=over"),
    ("pip", "/create"),
    ("pip", "/me"),
    ("pip", "/me?kind=created"),
    ("pip", "/coins"),
    ("", "/coins/board"),
]
REFUSED = [
    ("", "/login", {"nickname": "pip", "password": "not-the-password"}),
    ("", "/signup", {"nickname": "pip", "password": "short", "password_again": "other"}),
    ("pip", "/me/settings", {"nickname": ""}),
    ("pip", "/me/settings", {"old_password": "wrong", "password": "a-longer-one"}),
    ("pip", "/desk/link", {"access_key": "nobodys-access-key", "secret_key": "nobodys-secret"}),
]


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Visitor]:
    """One tab that all tests look through: a fresh browser profile for each would take longer."""
    with visiting(browser, "") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def cookies(browser: Browser) -> Cookies:
    """The cookies of somebody who is signed in, kept, so that each signs in but once."""
    kept: dict[tuple[str, str], Any] = {}

    def of(stage: Stage, name: str) -> Any:
        if name and (stage.url, name) not in kept:
            with visiting(browser, stage.url) as visitor:
                visitor.sign_in(name, PASSWORDS[name])
                kept[stage.url, name] = visitor.page.context.cookies()
        return kept.get((stage.url, name), [])

    return of


@pytest.fixture
def look(window: Visitor, cookies: Cookies) -> Look:
    """Open a page of a stage as somebody, in a language."""

    def at(stage: Stage, who: str, language: str, path: str) -> Visitor:
        window.page.goto("about:blank")  # or the page before would still ask its own server
        context = window.page.context
        context.clear_cookies()
        context.add_cookies([{"name": "lang", "value": language, "url": stage.url}])
        context.add_cookies(cookies(stage, who))
        window.page.emulate_media(color_scheme="light")
        window.url, window.language = stage.url, language
        window.complaints.clear()
        window.go(path)
        return window

    return at


#: Files, fragments, redirects; Kakao's pages, the API's and a backtest's have tests of their own.
NO_PAGE = re.compile(
    r"/(static|bootstrap|health|metrics|api|tracker|coin|pictures|kakao|login/kakao|welcome)\b"
    r"|/me/settings/(kakao|nickname|password|export)|/live$|/rates$|/logo$|/progress$|\.json$"
    r"|\.csv$|\.txt$|^/desk/backtest/<"
)


def test_every_page_there_is_gets_looked_at(app: Flask) -> None:
    addresses = app.url_map.bind("localhost")
    pages = {
        str(rule.endpoint)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not NO_PAGE.search(rule.rule)
    }

    seen = set()
    for _, path in FULL:
        with suppress(NotFound, MethodNotAllowed):
            seen.add(addresses.match(re.sub(r"\{\w+\}", "1", path.partition("?")[0]))[0])

    assert pages - seen == set()


def check(visitor: Visitor) -> None:
    """Korean in every look; English, whose words are longer, in those that differ most."""
    if visitor.language == "en":
        assert korean(visitor.page) == []
    assert flaws(visitor.page, LOOKS if visitor.language == "ko" else FEW_LOOKS) == []
    assert visitor.complaints == []


@BOTH
@pytest.mark.parametrize(("who", "path"), FULL, ids=lambda value: value or "visitor")
def test_page(seeded: Stage, look: Look, language: str, who: str, path: str) -> None:
    check(look(seeded, who, language, address(seeded.database, path)))


@BOTH
@pytest.mark.parametrize(("who", "path"), BARE, ids=lambda value: value or "visitor")
def test_page_of_a_new_server(bare: Stage, look: Look, language: str, who: str, path: str) -> None:
    visitor = look(bare, who, language, path)

    assert visitor.page.locator(".wl-strip:visible").count() == 1
    check(visitor)


@BOTH
@pytest.mark.parametrize(("who", "path", "fields"), REFUSED, ids=lambda value: str(value)[:16])
def test_page_that_says_what_is_wrong(
    bare: Stage, look: Look, language: str, who: str, path: str, fields: dict[str, str]
) -> None:
    visitor = look(bare, who, language, path)
    for name, value in fields.items():
        visitor.page.fill(f"[name={name}]", value)

    visitor.submit(f"form:has([name={next(iter(fields))}])")

    expect(visitor.page.locator("[aria-invalid=true], [role=alert]").first).to_be_visible()
    check(visitor)


@BOTH
def test_page_with_a_note_of_success(bare: Stage, look: Look, language: str) -> None:
    visitor = look(bare, "", language, "/")
    visitor.sign_in("pip")
    visitor.go("/me")

    visitor.submit("form[action='/logout']")

    expect(visitor.page.locator(".wl-toast")).to_be_visible()
    check(visitor)


_CUT = """() => [...document.querySelectorAll("header *, main *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5)
  .map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 30)}`)"""


def test_the_longest_name_and_the_largest_balance_fit_a_narrow_phone(
    stage: Stage, visit: Visit
) -> None:
    stage.add_person("W" * 20, points=10**9)
    visitor = visit(stage, width=320)
    visitor.sign_in("W" * 20)

    cut = []
    for path in ("/", "/me", "/me/points", "/me/settings"):
        visitor.go(path)
        cut += [f"{path}: {one}" for one in visitor.page.evaluate(_CUT)]

    assert cut == []
