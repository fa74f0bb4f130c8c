"""Pictures of the pages, taken from the demo: `python -m tests.browser.screenshots [FOLDER]`.

Without a folder the pictures of the README are taken anew. With one, every page goes there in
two widths, two themes and two languages, to be looked at before a change of the look is done.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from app.demo import CAST
from tests.browser.chromium import browsing
from tests.browser.situations import address
from tests.browser.visitor import visiting
from tests.serving import ROOT, serving

#: Width, dark or not, at full length or only what the screen shows, path.
README = {
    "home": (1280, False, False, "/"),
    "vote-settled": (1280, False, True, "/votes/{hit}"),
    "votes-375-dark": (375, True, False, "/votes"),
    "coin": (1280, False, False, "/coins/BTC"),
    "bot": (1280, True, False, "/desk/bot"),
}
PAGES = {
    "landing": ("", "/"),
    "home": ("demo", "/"),
    "home-newcomer": ("newbie", "/"),
    "votes": ("demo", "/votes"),
    "votes-over": ("demo", "/votes?state=over"),
    "votes-no-hit": ("demo", "/votes?q=nosuchcoin"),
    "vote-stranger": ("", "/votes/{open}"),
    "vote-open": ("demo", "/votes/{open}"),
    "vote-staff": ("captain", "/votes/{open}"),
    "vote-answered": ("demo", "/votes/{answered}"),
    "vote-closed": ("demo", "/votes/{closed}"),
    "vote-hit": ("demo", "/votes/{hit}"),
    "vote-miss": ("demo", "/votes/{miss}"),
    "vote-over": ("demo", "/votes/{over}"),
    "sheet-answer": ("demo", "/votes/{open}/answer?choice=yes"),
    "sheet-void": ("captain", "/votes/{open}/void?reason=test"),
    "create-1": ("demo", "/create"),
    "create-2": ("demo", "/create?coin=BTC"),
    "create-3": ("demo", "/create?coin=BTC&duration=week"),
    "create-3-wrong": ("demo", "/create?coin=BTC&duration=week&range=999"),
    "create-4": ("demo", "/create?coin=BTC&duration=week&range=7"),
    "create-summary": ("demo", "/create?coin=BTC&duration=month&range=77&direction=up"),
    "me": ("demo", "/me"),
    "me-newcomer": ("newbie", "/me"),
    "my-votes": ("demo", "/me/votes"),
    "settings": ("demo", "/me/settings"),
    "leave": ("demo", "/me/settings/leave"),
    "points": ("demo", "/me/points"),
    "coins": ("demo", "/coins"),
    "coins-no-hit": ("demo", "/coins?q=nosuchcoin"),
    "coins-favourites": ("newbie", "/coins?tab=favourites"),
    "coins-board": ("", "/coins/board"),
    "coin": ("demo", "/coins/BTC"),
    "coin-15m": ("", "/coins/SHIB?frame=15m"),
    "login": ("", "/login"),
    "signup": ("", "/signup"),
    "tutorial": ("demo", "/tutorial"),
    "error": ("demo", "/nowhere"),
}


def main() -> int:
    """Take the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where pictures of all pages go")
    parser.add_argument("--only", default="", help="pages whose name holds this")
    options = parser.parse_args()
    with (
        TemporaryDirectory() as instance,
        serving(Path(instance), "--demo") as (url, _),
        browsing() as browser,
    ):
        album = Album(browser, url, Path(instance) / "demo.db")
        if options.folder is None:
            album.for_readme(ROOT / "docs" / "images")
        else:
            album.of_everything(options.folder, options.only)
    return 0


class Album:
    """Takes pictures of one running demo."""

    def __init__(self, browser: Browser, url: str, database: Path) -> None:
        self._browser, self._url, self._database = browser, url, database
        self._cookies: dict[str, Any] = {"": None}

    def for_readme(self, folder: Path) -> None:
        """Some pages of the demo's own person, in English."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, (width, dark, whole, path) in README.items():
            look = {"language": "en", "width": width, "dark": dark}
            self._take(folder / f"{name}.png", "demo", path, look, whole=whole)

    def of_everything(self, folder: Path, only: str) -> None:
        """Every page at full length in every look."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, (who, path) in PAGES.items():
            for suffix, look in _looks() if only in name else ():
                self._take(folder / f"{name}-{suffix}.png", who, path, look, whole=True)

    def _take(self, file: Path, who: str, path: str, look: dict[str, Any], *, whole: bool) -> None:
        if who not in self._cookies:
            with visiting(self._browser, self._url) as visitor:
                visitor.sign_in(who, CAST[who])
                self._cookies[who] = visitor.page.context.storage_state()
        with visiting(self._browser, self._url, state=self._cookies[who], **look) as visitor:
            visitor.go(address(self._database, path))
            visitor.page.screenshot(path=file, full_page=whole)


def _looks() -> Iterator[tuple[str, dict[str, Any]]]:
    for language in ("ko", "en"):
        for width in (375, 1280):
            for dark in (False, True):
                look = {"language": language, "width": width, "dark": dark}
                yield f"{language}-{width}-{'dark' if dark else 'light'}", look


if __name__ == "__main__":
    sys.exit(main())
