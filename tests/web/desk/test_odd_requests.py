"""What people and scripts send to the desk by mistake: said in words, and nothing half-done."""

import re

import pytest
from flask import Flask

from app.domain.trading import BotSettings
from app.extensions import Base, db
from app.models import Backtest, Bot
from tests.conftest import MakeApp, Visitor
from tests.web.desk.conftest import form, linked
from tests.web.visitors import newcomer, said

ODD = (
    "NaN", "Infinity", "1e9", "-1", "１０", "9" * 400, "🐳" * 1_500, "1 0", "1\n2", "\u200b", "0x10"
)  # fmt: skip
NUMBERS = sorted(set(BotSettings().as_texts()) - {"codes", "plays"})


def count(app: Flask, kind: type[Base]) -> int:
    with app.app_context():
        return db.session.query(kind).count()


def test_odd_figures_of_a_bot_are_refused_each_at_its_field(app: Flask, browser: Visitor) -> None:
    usual = BotSettings().as_texts()

    for name, value in ((name, value) for name in NUMBERS for value in ODD):
        answer = browser.post("/desk/bot/settings", data=usual | {name: value})
        assert (name, value, answer.status_code) == (name, value, 422)
        assert f'id="{name}-error"' in answer.text

    assert count(app, Bot) == 0


@pytest.mark.parametrize("name", ["fee", "slippage", "k_first", "k_step", "window", "capital"])
def test_odd_figures_start_no_backtest(app: Flask, browser: Visitor, name: str) -> None:
    for value in ODD:
        answer = browser.post("/desk/backtest", data={"coin": "BTC", "days": "90", name: value})
        assert (value, answer.status_code) == (value, 422)
        assert f'id="{name}-error"' in answer.text

    assert count(app, Backtest) == 0


def test_odd_keys_are_refused_in_words(app: Flask, browser: Visitor) -> None:
    for value in ODD:
        answer = browser.post("/desk/link", data=form(access_key=value))
        assert (value, answer.status_code) == (value, 422)
        assert "다시 복사해 주세요." in said(answer)

    assert linked(app) == []


def test_odd_account_is_not_there(browser: Visitor) -> None:
    for value in ODD:
        asked = browser.post("/desk/bot/real/account", data={"account": value})
        shown = browser.get("/desk", query_string={"account": value})
        assert (value, asked.status_code, shown.status_code) == (value, 404, 200)


@pytest.mark.parametrize(("size", "status"), [(2_000, 422), (10_000, 413)])
def test_book_in_place_of_a_word_is_refused(browser: Visitor, size: int, status: int) -> None:
    sent = {
        "/desk/bot/settings": "codes", "/desk/backtest": "more", "/desk/link": "access_key",
    }  # fmt: skip

    for path, name in sent.items():
        answer = browser.post(path, data={name: "🐳" * size})
        assert (path, answer.status_code) == (path, status)
        assert status == 422 or "더 짧게 줄여서 다시 보내 주세요." in said(answer)


def test_no_deed_is_done_without_the_forms_token(make_app: MakeApp) -> None:
    app = make_app(csrf=True)
    browser = newcomer(app)
    deeds = [
        re.sub(r"<[^>]+>", "1", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/desk") and "POST" in (rule.methods or ())
    ]
    assert len(deeds) >= 12

    for path in deeds:
        answer = browser.post(path)
        assert (path, answer.status_code) == (path, 400)
        assert "오래 열어 둔 페이지예요. 돌아가서 새로 고친 뒤" in said(answer)

    assert count(app, Bot) == count(app, Backtest) == 0


def test_deed_after_the_session_ended_is_not_done_and_leads_to_the_sign_in(app: Flask) -> None:
    browser = app.test_client()

    answer = browser.post("/desk/bot/start")

    assert answer.location.startswith("/login")
    assert "로그인이 필요해요." in said(browser.get(answer.location))
    assert count(app, Bot) == 0
