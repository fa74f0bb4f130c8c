"""Every page in every state: axe finds nothing, nothing is too wide, the browser is content."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from app.demo import CAST
from tests.browser.checks import FEW_LOOKS, LOOKS, flaws
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.visitor import PASSWORD, visiting

pytestmark = pytest.mark.browser

LOOKED_AT = {"ko": LOOKS, "en": FEW_LOOKS}
PASSWORDS = CAST | {"pip": PASSWORD}
Profile = Callable[[Stage, str], Any]

#: Votes by how they look to `demo`; a path names one in braces.
VOTES = {
    "open": "v.state = 'ongoing' AND b.choice IS NULL AND NOT v.is_staff_vote",
    "free": "v.state = 'ongoing' AND b.choice IS NULL AND v.is_staff_vote",
    "answered": "v.state = 'ongoing' AND b.choice IS NOT NULL",
    "closed": "v.state = 'finished' AND b.choice IS NOT NULL",
    "unseen": "v.state = 'finished' AND b.choice IS NULL",
    "hit": "v.state = 'tracked' AND b.choice = v.outcome",
    "miss": "v.state = 'tracked' AND b.choice <> v.outcome",
    "over": "v.state = 'tracked' AND b.choice IS NULL",
    "void": "v.state = 'void' AND b.choice IS NOT NULL",
}
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
    ("demo", "/me/points"),
    ("newbie", "/me/points?side=out"),
    ("demo", "/coins"),
    ("", "/coins?q=ㅂㅌ"),
    ("demo", "/coins?q=nosuchcoin"),
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
]


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Profile:
    """The cookies of a person who is signed in, kept, so that each signs in but once."""
    kept: dict[tuple[str, str], Any] = {}

    def of(stage: Stage, name: str) -> Any:
        if name and (stage.url, name) not in kept:
            with visiting(browser, stage.url) as visitor:
                visitor.sign_in(name, PASSWORDS[name])
                kept[stage.url, name] = visitor.page.context.storage_state()
        return kept.get((stage.url, name))

    return of


def address(stage: Stage, path: str) -> str:
    """The path with the numbers of real votes in it."""
    rows = {name: stage.find_vote(VOTES[name], "demo") for name in VOTES if f"{{{name}}}" in path}
    twin = "coin={1}&duration={2}&range={3}&direction={4}".format(
        *stage.find_vote(VOTES["open"], "demo")
    )
    return path.format(twin=twin, **{name: row[0] for name, row in rows.items()})


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("who", "path"), FULL, ids=lambda value: value or "visitor")
def test_page(
    seeded: Stage, visit: Visit, profile: Profile, language: str, who: str, path: str
) -> None:
    visitor = visit(seeded, language=language, state=profile(seeded, who))

    visitor.go(address(seeded, path))

    assert flaws(visitor.page, LOOKED_AT[language]) == []


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("who", "path"), BARE, ids=lambda value: value or "visitor")
def test_page_of_a_new_server(
    bare: Stage, visit: Visit, profile: Profile, language: str, who: str, path: str
) -> None:
    visitor = visit(bare, language=language, state=profile(bare, who))

    visitor.go(path)

    assert visitor.page.locator(".wl-strip").count() == 1
    assert flaws(visitor.page, LOOKED_AT[language]) == []
