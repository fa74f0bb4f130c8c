"""Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = "no Chromium on this machine; the browser tests want Debian's package chromium"


def path() -> str | None:
    """Where Chromium is, or None."""
    return shutil.which("chromium")


def required() -> bool:
    """Whether its absence is a failure: on CI no browser test may be skipped."""
    return bool(os.environ.get("CI"))


@contextmanager
def browsing() -> Iterator[Browser]:
    """A running browser; RuntimeError where there is none."""
    if path() is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
