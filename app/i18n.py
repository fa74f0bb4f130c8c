"""Sentences in the reader's language, with types. Message ids are the Korean sentences."""

import flask_babel


def english() -> bool:
    """Whether this request is answered in English; Korean otherwise, and outside a request."""
    locale = flask_babel.get_locale()
    return locale is not None and locale.language == "en"


def gettext(text: str, **params: object) -> str:
    """The sentence, filled in. A sentence without parameters must not hold a percent sign."""
    return str(flask_babel.gettext(text, **params))


def ngettext(one: str, many: str, number: int, **params: object) -> str:
    """The sentence for `number` things, filled in."""
    return str(flask_babel.ngettext(one, many, number, **params))
