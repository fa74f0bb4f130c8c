"""A person in front of a browser, and everything the browser has to complain about."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from babel.support import Translations
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from app.i18n import CATALOGUES

PASSWORD = "a-quiet-harbour"
#: How long a page may take on a machine that does much else; nobody waits so long elsewhere.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
HEIGHTS = {320: 640, 375: 812, 1280: 900}


@dataclass
class Visitor:
    """One browser profile: a language, a screen, perhaps no JavaScript; `page` is its tab."""

    page: Page
    url: str
    language: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Response | None:
        """Open a page of ours."""
        return self.page.goto(self.url + path)

    def say(self, sentence: str, **params: object) -> str:
        """A sentence of the catalogue as this visitor reads it; ids are Korean."""
        found = Translations.load(CATALOGUES, [self.language]).gettext(sentence)
        return found % params if params else found

    def sign_up(self, nickname: str) -> None:
        """Become a person, up to the tutorial."""
        self.go("/signup")
        self.page.fill("[name=nickname]", nickname)
        self.page.fill("[name=password]", PASSWORD)
        self.page.fill("[name=password_again]", PASSWORD)
        self.submit("form:has([name=password_again])")
        self.page.wait_for_url("**/tutorial")

    def sign_in(self, nickname: str, password: str = PASSWORD) -> None:
        """Sign in and arrive at the start page."""
        self.go("/login")
        self.page.fill("[name=nickname]", nickname)
        self.page.fill("[name=password]", password)
        self.submit("form:has([name=password])")
        self.page.wait_for_url(f"{self.url}/")

    def submit(self, form: str) -> None:
        """Press the button of a form."""
        self.page.locator(form).locator("[type=submit]").first.click()

    def answer(self, vote_id: int, choice: str) -> None:
        """Answer a vote by its page, through the sheet that asks once more."""
        self.go(f"/votes/{vote_id}")
        self.page.locator(f"main [href$='/votes/{vote_id}/answer?choice={choice}']").first.click()
        self.submit("[role=dialog] form")
        self.page.wait_for_url(f"**/votes/{vote_id}")

    def ask(self, *, coin: str = "BTC", range_pct: int = 10, direction: str = "up") -> None:
        """Walk the four steps up to the summary: will it be so much higher in a day?"""
        self.go("/create")
        self.page.locator(f"main a[href*='coin={coin}']").first.click()
        self.page.locator("main a[href*='duration=day']").first.click()
        self.page.fill("[name=range]", str(range_pct))
        self.submit("form:has([name=range])")
        self.page.locator(f"main a[href*='direction={direction}']").first.click()

    def create(self) -> int:
        """Pay for the question of the summary; returns the vote's number."""
        self.submit("form:has([name=request_key])")
        return self.at_vote()

    def at_vote(self) -> int:
        """Wait for the page of a vote; returns its number."""
        self.page.wait_for_url(re.compile(r"/votes/\d+$"))
        return int(self.page.url.rpartition("/")[2])

    def sees(self, sentence: str, **params: object) -> None:
        """A sentence of the catalogue must stand on the page."""
        expect(self.page.locator("body")).to_contain_text(self.say(sentence, **params))

    def points(self) -> int:
        """The balance in the top bar."""
        text = self.page.locator("header .wl-points").inner_text()
        return int(text.replace(",", ""))

    def _hear(self, message: ConsoleMessage) -> None:
        # Chromium reports every answer above 399 here, error pages that a test wants included.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _see(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= 400 and not is_page:
            self.complaints.append(f"{response.status} {response.url}")

    def _ask(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"asks another host: {request.url}")

    def listen(self) -> None:
        """Collect what goes wrong on the page from now on."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("response", self._see)
        self.page.on("request", self._ask)


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    *,
    language: str = "ko",
    width: int = 1280,
    scripts: bool = True,
    dark: bool = False,
    state: Any = None,
) -> Iterator[Visitor]:
    """A fresh profile, or one with the cookies of `state`; nothing may go wrong in the browser."""
    context = browser.new_context(
        locale={"ko": "ko-KR", "en": "en-US"}[language],
        viewport={"width": width, "height": HEIGHTS[width]},
        java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        storage_state=state,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        visitor = Visitor(context.new_page(), url, language)
        visitor.listen()
        yield visitor
        assert visitor.complaints == []
    finally:
        context.close()
