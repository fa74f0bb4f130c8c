"""Sentences in two languages."""

from flask import Flask

from app import i18n
from tests.web.conftest import Speaking


def test_korean_is_spoken_where_nobody_asks() -> None:
    assert i18n.language() == "ko"
    assert i18n.gettext("홈") == "홈"


def test_sentence_is_filled_in_and_counted(speaking: Speaking) -> None:
    with speaking("en"):
        assert i18n.gettext("%(n)s개 모두 보기", n=7) == "See all 7"
        assert i18n.ngettext("%(n)s명 참여", "%(n)s명 참여", 2, n=2) == "2 answers"


def test_what_a_page_fills_in_is_escaped(bare_app: Flask, speaking: Speaking) -> None:
    template = bare_app.jinja_env.from_string("{{ _('%(n)s개 모두 보기', n=name) }}")

    with speaking("ko"):
        assert template.render(name="<b>") == "&lt;b&gt;개 모두 보기"
