"""`make demo` as a watcher sees it: within two minutes a vote closes and another settles."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo import CAST
from tests.browser.visitor import Visitor, visiting
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

TWO_MINUTES = 120


def soonest(database: Path, state: str, deadline: str) -> int:
    """The vote in a state whose deadline comes first."""
    query = f"SELECT id FROM votes WHERE state = ? ORDER BY {deadline} LIMIT 1"  # noqa: S608
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(query, (state,)).fetchone()[0])


def in_second_tab(visitor: Visitor, path: str) -> Page:
    tab = visitor.page.context.new_page()
    tab.goto(visitor.url + path)
    return tab


def moves_on(page: Page, until: float) -> None:
    """The page itself says in time that the vote's situation is another now; look at it."""
    note = page.locator("[data-live^=moved] a")
    expect(note).to_be_visible(timeout=1000 * (until - monotonic()))
    note.click()


def test_within_two_minutes_one_vote_closes_and_one_settles_with_evidence(
    browser: Browser, tmp_path: Path
) -> None:
    with serving(tmp_path, "--demo") as (url, _), visiting(browser, url) as watcher:
        until = monotonic() + TWO_MINUTES
        watcher.sign_in("demo", CAST["demo"])
        watcher.go(f"/votes/{soonest(tmp_path / 'demo.db', 'ongoing', 'finished_at')}")
        due = soonest(tmp_path / "demo.db", "finished", "tracked_at")
        second = in_second_tab(watcher, f"/votes/{due}")

        moves_on(watcher.page, until)
        watcher.sees("답변이 끝났어요. 결과를 기다려요")
        moves_on(second, until)
        expect(second.locator(".wl-receipt")).to_contain_text("KST")
        expect(second.locator(".wl-receipt pre")).to_contain_text('"market":"KRW-')
