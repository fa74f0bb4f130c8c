"""Every template compiles and keeps the content policy; every sentence speaks both languages."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask
from jinja2 import StrictUndefined

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "app" / "templates"
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
PAGES = [
    name for name in NAMES if not Path(name).name.startswith("_") and not name.startswith("macros/")
]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles_strictly(bare_app: Flask, name: str) -> None:
    assert bare_app.jinja_env.undefined is StrictUndefined
    assert bare_app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_page_has_a_title(bare_app: Flask, name: str) -> None:
    assert "title" in bare_app.jinja_env.get_template(name).blocks


@pytest.mark.parametrize("name", NAMES)
def test_template_holds_no_inline_style_or_script(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")

    assert not re.search(r"<style|\sstyle\s*=|\son\w+\s*=\s*[\"']|javascript:", text)
    assert all("src=" in tag and "nonce=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("name", NAMES)
def test_template_says_nothing_outside_the_catalogue(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    spoken = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.S)

    assert not re.findall(r"[가-힣]{2,}", spoken)


@pytest.mark.parametrize("name", NAMES)
def test_template_takes_the_figures_of_the_game_from_its_rules(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")

    assert not re.findall(r"\b(?:cost|reward|points|pct)=[\"']?\d|\b70%|[\"'][+−]\d", text)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_short(name: str) -> None:
    assert len((TEMPLATES / name).read_text("utf-8").splitlines()) <= 120


def test_every_sentence_has_an_english_one() -> None:
    missing = [message.id for message in sentences() if not _texts(english().get(_key(message)))]

    assert missing == []


def test_no_translation_is_doubtful_or_left_over() -> None:
    known = {_key(message) for message in sentences()}
    entries = [message for message in english() if message.id]

    assert [message.id for message in entries if message.fuzzy] == []
    assert [message.id for message in entries if _key(message) not in known] == []


def test_placeholders_agree_between_the_languages() -> None:
    for message in sentences():
        wanted = set(PLACEHOLDER.findall(_key(message)))
        for text in _texts(english().get(_key(message))):
            assert set(PLACEHOLDER.findall(text)) == wanted, text


def test_percent_signs_are_placeholders_only() -> None:
    for message in sentences():
        for text in (_key(message), *_texts(english().get(_key(message)))):
            assert "%" not in PLACEHOLDER.sub("", text), text


def test_korean_catalogue_knows_the_same_sentences() -> None:
    korean = catalogue("ko")

    assert {_key(m) for m in korean if m.id} == {_key(m) for m in english() if m.id}


@cache
def sentences() -> tuple[Message, ...]:
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for _file, _line, text, _comments, _context in extract_from_dir(ROOT, methods, options):
        found.add(text)
    return tuple(message for message in found if message.id)


@cache
def catalogue(language: str) -> Catalog:
    path = ROOT / "app" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def english() -> Catalog:
    return catalogue("en")


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _texts(message: Message | None) -> tuple[str, ...]:
    if message is None:
        return ()
    found = (message.string,) if isinstance(message.string, str) else tuple(message.string)
    return found if all(found) else ()
