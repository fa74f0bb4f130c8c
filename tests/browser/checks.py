"""What must hold on every page: for axe, for narrow screens, for readers of English."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from app.demo import CROWD
from tests.browser.visitor import HEIGHTS

_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}
_OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
_TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > room + 0.5)
    .map((one) => one.tagName.toLowerCase() + "." + one.getAttribute("class"));
  return wide.slice(0, 5).concat(`${document.scrollingElement.scrollWidth} px`);
}"""


#: Only what was found travels back; the whole answer of axe takes longer than its work.
_RUN = """async (options) => {
  const { violations } = await axe.run(options);
  return violations.flatMap((one) => one.nodes.map((node) => {
    const why = [...node.any, ...node.all, ...node.none].map((reason) => reason.message);
    return `${one.id}: ${node.target} ${why.join("; ")}`;
  }));
}"""


def violations(page: Page) -> list[str]:
    """What axe finds by WCAG 2.2 AA and its best practices: rule, element, reason."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_RUN, _OPTIONS)
    return found


#: Korean where English is read. Names of people are left out; single consonants are examples.
_KOREAN = """(names) => {
  const told = (one) => [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data)
    .concat(["aria-label", "alt", "title", "placeholder"].map((name) => one.getAttribute(name)))
    .join(" ").trim();
  return [...document.documentElement.querySelectorAll("*")]
    .filter((one) => !one.closest("[lang=ko], [hreflang=ko], pre, script"))
    .map((one) => names.reduce((text, name) => text.replaceAll(name, ""), told(one)))
    .filter((text) => /[가-힣]/.test(text));
}"""

#: All there is, and the two that differ most, for the second language.
LOOKS = ((375, "light"), (375, "dark"), (1280, "light"), (1280, "dark"))
FEW_LOOKS = ((375, "light"), (1280, "dark"))


def flaws(page: Page, looks: tuple[tuple[int, str], ...] = LOOKS) -> list[str]:
    """Violations in each look with everything unfolded, and what is wider than a screen."""
    page.evaluate(_OPEN_ALL)
    found = []
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found += [f"{width} too wide: {one}" for one in page.evaluate(_TOO_WIDE)]
        for scheme in (scheme for at, scheme in looks if at == width):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found += [f"{width} {scheme} {one}" for one in violations(page)]
    return found


def korean(page: Page) -> list[str]:
    """Texts on an English page that are still Korean."""
    found: list[str] = page.evaluate(_KOREAN, list(CROWD))
    return found
