"""Sentences in the reader's language, with types. Message ids are the Korean sentences."""

from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path

import flask_babel
from babel.support import Translations
from flask import Flask, g, has_app_context
from markupsafe import Markup

CATALOGUES = Path(__file__).parent / "translations"


def language() -> str:
    """The language of this answer: `ko` or `en`; `ko` outside any request."""
    if not has_app_context():
        return "ko"
    known: str | None = g.get("language")
    if known is None:
        locale = flask_babel.get_locale()
        known = g.language = locale.language if locale else "ko"
    return known


def english() -> bool:
    """Whether this request is answered in English; Korean otherwise."""
    return language() == "en"


def gettext(text: str, **params: object) -> str:
    """The sentence, filled in. A sentence without parameters must not hold a percent sign."""
    found = _catalogue(language()).gettext(text)
    return found % params if params else found


def ngettext(one: str, many: str, number: int, **params: object) -> str:
    """The sentence for `number` things, filled in."""
    return _catalogue(language()).ngettext(one, many, number) % params


def init_app(app: Flask) -> None:
    """Let templates speak through the same catalogues; call it after Flask-Babel's own.

    Its look-up asks for the language anew with every sentence, which costs more than all the rest
    of a page.
    """
    app.jinja_env.globals.update({"_": _on_page, "gettext": _on_page, "ngettext": _counted})


def _on_page(text: str, **params: object) -> Markup:
    """The sentence as markup of ours; what is filled in is escaped."""
    found = _sentence(text, language())
    return found % params if params else found


def _counted(one: str, many: str, number: int, **params: object) -> Markup:
    """The same for `number` things."""
    found = Markup(_catalogue(language()).ngettext(one, many, number))  # noqa: S704 - as below
    return found % params if params else found


@lru_cache(maxsize=2048)
def _sentence(text: str, name: str) -> Markup:
    return Markup(_catalogue(name).gettext(text))  # noqa: S704 - from our catalogues alone


@lru_cache(maxsize=8)
def _catalogue(name: str) -> NullTranslations:
    return Translations.load(CATALOGUES, [name])
