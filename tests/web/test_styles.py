"""Our own sheets and pictures: nothing is dressed that no page wears, none lies about."""

import re
from functools import cache
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent.parent / "app"
ICONS = sorted((APP / "static" / "art" / "icons").glob("*.svg"))
SHEETS = sorted((APP / "static" / "css").glob("*.css"))


@cache
def source() -> str:
    places = (("templates", "*.html"), ("static/js", "*.js"), ("web", "*.py"))
    files = [path for folder, kind in places for path in (APP / folder).rglob(kind)]
    return "\n".join(path.read_text("utf-8") for path in files)


@cache
def words() -> frozenset[str]:
    """Whatever stands within quotes, word by word."""
    quoted = re.findall(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`", source())
    return frozenset(word for text in quoted for word in re.findall(r"[\w-]+", text))


@cache
def families() -> tuple[str, ...]:
    """Beginnings of names that a page completes: `wl-chip-' ~ tone`, `wl-coin-{{ code|hue }}`."""
    return tuple(set(re.findall(r"([a-z][\w-]*-)[{\"'`]", source())) - {"wl-"})


def is_worn(name: str) -> bool:
    numbered = name[-1].isdigit() and name[:-1] + "{" in source()
    return name in words() or name.startswith(families()) or numbered


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_every_class_that_is_dressed_is_worn(sheet: Path) -> None:
    plain = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)
    selectors = re.sub(r"\{[^{}]*\}", " ", plain)
    dressed = set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors))

    assert [name for name in sorted(dressed) if not is_worn(name)] == []


@pytest.mark.parametrize("icon", ICONS, ids=lambda path: path.stem)
def test_every_icon_is_shown(icon: Path) -> None:
    assert icon.stem in words()
