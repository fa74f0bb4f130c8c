"""The documents say what is true: settings, commands, make targets, links, decisions."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app import cli
from app.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_setting_is_documented() -> None:
    known = set(re.findall(r'env(?:\.get\(|, )"([A-Z_]+)"', read("config.py")))
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", read("docs/operations.md")))

    assert known <= documented
    assert documented - known <= {"WHALING_DEMO"}


def test_every_command_is_documented(app: Flask) -> None:
    cli.init_app(app)
    commands = {
        f"{name} {inner}" if inner else name
        for name, command in app.cli.commands.items()
        if name not in ("run", "shell", "routes", "db")
        for inner in getattr(command, "commands", {None: None})
    }

    documented = read("docs/operations.md")

    assert {name for name in commands if f"`{name}" not in documented} == set()


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))

    texts = [doc.read_text("utf-8") for doc in DOCS]
    named = {name for text in texts for name in re.findall(r"`make ([a-z-]+)", text)}

    assert named <= targets


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(doc: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", doc.read_text("utf-8"))

    assert [link for link in links if not (doc.parent / link).exists()] == []


def test_decisions_are_short() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [doc.name for doc in decisions if len(doc.read_text("utf-8").splitlines()) >= 25] == []


def test_pins_are_audited_every_week() -> None:
    workflow, pins = read(".github/workflows/audit.yml"), sorted(ROOT.glob("requirements*.txt"))

    assert re.search(r'cron: "\d+ \d+ \* \* \d"', workflow)
    assert "run: make audit" in workflow
    [command] = re.findall(r"^\t\$\(BIN\)/(pip-audit .*)$", read("Makefile"), re.MULTILINE)
    assert "--strict" in command
    unaudited = {pin.name for pin in pins if f"-r {pin.name}" not in command}
    assert unaudited <= {"requirements-npm.txt", "requirements-bench.txt"}


def test_the_version_is_the_same_everywhere() -> None:
    assert f'version = "{VERSION}"' in read("pyproject.toml")
