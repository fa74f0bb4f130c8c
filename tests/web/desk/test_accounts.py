"""The accounts page: linking by need, what is held, and words for whatever is wrong."""

import re
from datetime import timedelta
from typing import cast

import pytest
from flask import Flask

from app.clock import utcnow
from app.db import transaction
from app.domain.exchanges import KeyProblem, KeyState
from app.domain.runs import BotMode
from app.models import LinkedAccount, User
from app.services.trading import bots
from app.simulator import Simulator
from app.simulator.desk.samples import _SAMPLES
from app.web.desk.accounts import KEY_LIMIT
from app.web.desk.samples import SAMPLES
from tests import factories as make
from tests.conftest import MakeApp, Visitor
from tests.web.desk.conftest import fetch, form, linked
from tests.web.visitors import newcomer, person, said, visitor


def change(app: Flask, **columns: object) -> None:
    """Let the first account be otherwise."""
    with app.app_context(), transaction() as session:
        for name, value in columns.items():
            setattr(session.get_one(LinkedAccount, 1), name, value)


def test_samples_of_the_page_are_those_of_the_simulator() -> None:
    told = [(one.exchange.value, one.access, one.secret) for one in SAMPLES]

    assert told == [row[:3] for row in _SAMPLES]
    assert [one.only_looks for one in SAMPLES] == ["trade" not in row[4] for row in _SAMPLES]


def test_stranger_is_led_to_sign_in_and_back(app: Flask) -> None:
    answer = app.test_client().get("/desk")

    assert (answer.status_code, answer.location) == (303, "/login?next=%2Fdesk")


def test_who_has_no_account_is_shown_the_way(browser: Visitor) -> None:
    shown = said(browser.get("/desk"))

    assert "아직 연결한 계좌가 없어요" in shown


def test_demo_offers_its_keys_and_the_real_thing_has_none(
    make_app: MakeApp, browser: Visitor
) -> None:
    assert SAMPLES[0].secret in browser.get("/desk").text

    real = make_app()
    assert "demo-upbit" not in newcomer(real, "bob").get("/desk").text
    assert "DEMO-" not in newcomer(real, "eve").get("/desk/link").text


def test_good_key_is_linked_and_never_shown_again(app: Flask, browser: Visitor) -> None:
    answer = browser.post("/desk/link", data=form())

    [account] = linked(app)
    assert (answer.status_code, answer.location) == (303, f"/desk?account={account.id}")
    page = browser.get("/desk")
    assert SAMPLES[0].secret not in page.text
    assert SAMPLES[0].access not in page.text
    shown = said(page)
    assert "열쇠 끝자리 0001 · 보기와 주문 확인됨" in shown
    assert "data-live-soon" in page.text
    assert "거래소에 잔고를 물어보고 있어요" in shown


def test_key_that_only_looks_is_said_to(browser: Visitor) -> None:
    browser.post("/desk/link", data=form(2))

    assert "보기 전용 확인됨" in said(browser.get("/desk"))


def test_holdings_are_shown_with_value_profit_and_shares(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    fetch(app)

    page = browser.get("/desk")

    shown = said(page)
    assert "비트코인 BTC · 0.05 0.05" in shown
    assert "OLDCOIN OLDCOIN · 321.5 321.5 – – 시세가 없어요" in shown
    assert "그 밖" in shown
    assert 'role="img" aria-label="' in page.text
    assert "style=" not in page.text


def test_figures_come_anew_for_the_script_and_not_twice(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    fetch(app)

    first = browser.get("/desk/live?account=1")

    assert 'data-live="holdings-1"' in first.text
    assert first.headers["ETag"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"exchange": "binance"}, "거래소는 업비트와 빗썸 중에서 골라 주세요."),
        ({"exchange": ""}, "거래소는 업비트와 빗썸 중에서 골라 주세요."),
        ({"access_key": ""}, "거래소에서 다시 복사해 주세요."),
        ({"secret_key": "with a blank"}, "거래소에서 다시 복사해 주세요."),
        ({"access_key": "NOBODYS-ACCESS-KEY"}, "거래소가 이 열쇠를 모른대요."),
        ({"secret_key": "somebody-elses-secret"}, "거래소가 이 열쇠를 모른대요."),
        ({"exchange": "bithumb"}, "거래소가 이 열쇠를 모른대요."),
    ],
)
def test_key_that_is_not_good_is_refused_in_words(
    app: Flask, browser: Visitor, wrong: dict[str, str], sentence: str
) -> None:
    answer = browser.post("/desk/link", data=form() | wrong)

    assert answer.status_code == 422
    assert sentence in said(answer)
    assert linked(app) == []
    assert all(value not in answer.text for value in wrong.values() if len(value) > 10)


def test_exchange_that_is_closed_is_not_taken_for_a_refusal(
    app: Flask, browser: Visitor, venue: Simulator
) -> None:
    venue.fault("maintenance", for_s=60, group="account")

    answer = browser.post("/desk/link", data=form())

    assert answer.status_code == 422
    assert "거래소가 점검 중이라 확인하지 못했어요." in said(answer)
    assert linked(app) == []


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"allowed_ips": ["203.0.113.9"]}, "이 서버의 주소에서는 쓸 수 없는 열쇠예요."),
        ({"expires_at": -timedelta(days=1)}, "기간이 지난 열쇠예요."),
        ({"permissions": ["trade"]}, "열쇠에 자산 조회 권한이 없어요."),
    ],
)
def test_what_is_wrong_with_a_key_is_told_with_the_way_out(
    app: Flask, browser: Visitor, venue: Simulator, about: dict[str, object], sentence: str
) -> None:
    name = f"WRONG-{abs(hash(sentence))}"
    if "expires_at" in about:
        about = {"expires_at": venue.now() + cast(timedelta, about["expires_at"])}
    venue.add_account("upbit", name, "a-secret-of-its-own", {"KRW": "1"}, **about)  # type: ignore[arg-type]

    answer = browser.post(
        "/desk/link", data=form(access_key=name, secret_key="a-secret-of-its-own")
    )

    assert answer.status_code == 422
    assert sentence in said(answer)
    assert linked(app) == []


def test_right_to_withdraw_and_a_near_end_are_warned_about(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    change(app, can_withdraw=True, expires_at=utcnow() + timedelta(days=13))

    shown = said(browser.get("/desk"))

    assert "출금 권한이 있는 열쇠예요." in shown
    assert "에 끝나요." in shown


def test_key_whose_time_is_over_is_not_said_to_end_some_day(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    change(app, expires_at=utcnow() - timedelta(minutes=1))

    shown = said(browser.get("/desk"))

    assert "기간이 지난 열쇠예요." in shown
    assert "에 끝나요." not in shown
    assert "까지 쓸 수 있어요" not in shown


@pytest.mark.parametrize(
    ("state", "problem", "word", "sentence"),
    [
        (KeyState.REFUSED, KeyProblem.EXPIRED, "거절", "기간이 지난 열쇠예요."),
        (KeyState.GOOD, KeyProblem.UNREACHABLE, "모름", "거래소가 대답하지 않아"),
        (KeyState.GOOD, KeyProblem.MAINTENANCE, "모름", "거래소가 점검 중이라"),
        (KeyState.GOOD, KeyProblem.INVALID, "모름", "서버가 보관한 열쇠를 열 수 없어요."),
    ],
)
def test_state_of_a_key_has_a_word_and_a_reason(
    app: Flask, browser: Visitor, state: KeyState, problem: KeyProblem, word: str, sentence: str
) -> None:
    browser.post("/desk/link", data=form())
    change(app, state=state, problem=problem)

    shown = said(browser.get("/desk"))

    assert f"보기와 주문 {word} {sentence}" in shown


def test_right_that_is_not_known_is_said_to(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    change(app, can_trade=None)

    assert "주문 권한은 확인하지 못했어요" in said(browser.get("/desk"))


def amount(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_two_accounts_are_added_up_and_chosen_between(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    browser.post("/desk/link", data=form(1))
    fetch(app)

    first, second = (said(browser.get(f"/desk?account={ident}")) for ident in (1, 2))

    of_upbit = amount(r"총 자산 · 업비트 잔고 \d+초 전 ([\d,]+) 원", first)
    of_bithumb = amount(r"총 자산 · 빗썸 잔고 \d+초 전 ([\d,]+) 원", second)
    together = amount(r"모든 계좌를 더하면 ([\d,]+)원", first)
    assert 0 < of_upbit != of_bithumb > 0
    assert together == pytest.approx(of_upbit + of_bithumb, abs=1)  # each is rounded by itself
    assert "총 자산 · 업비트" in said(browser.get("/desk?account=99"))


def test_key_is_asked_about_anew(app: Flask, browser: Visitor, venue: Simulator) -> None:
    browser.post("/desk/link", data=form())

    good = said(browser.post("/desk/accounts/1/check", follow_redirects=True))
    venue.fault("maintenance", for_s=60, group="account")
    away = said(browser.post("/desk/accounts/1/check", follow_redirects=True))

    assert "거래소가 열쇠를 확인해 줬어요." in good
    assert "거래소가 열쇠를 확인해 줬어요." not in away
    assert "거래소가 점검 중이라 다시 확인하지 못했어요." in away
    assert linked(app)[0].state is KeyState.GOOD


def test_unlinking_is_asked_first_and_wipes_the_keys(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())

    assert "연결을 끊을까요?" in said(browser.get("/desk/accounts/1/unlink"))
    assert len(linked(app)) == 1
    shown = said(browser.post("/desk/accounts/1/unlink", follow_redirects=True))

    assert "연결을 끊고 열쇠를 지웠어요." in shown
    assert linked(app) == []


def trade_live(app: Flask) -> None:
    with app.app_context():
        now = utcnow()
        bots.choose_account(user_id=1, account_id=1, now=now)
        bots.confirm_live(user_id=1, typed="a", sentence="a", now=now)
        bots.start_bot(user_id=1, mode=BotMode.LIVE, live_trading=True, now=now)


def test_unlinking_says_what_becomes_of_the_bot_that_trades_there(
    app: Flask, browser: Visitor
) -> None:
    warning = "이 계좌로 실거래를 하고 있어요."
    browser.post("/desk/link", data=form())
    assert warning not in said(browser.get("/desk/accounts/1/unlink"))

    trade_live(app)

    assert warning in said(browser.get("/desk/accounts/1/unlink"))


def test_leaving_says_what_becomes_of_the_bot_that_trades_live(
    app: Flask, browser: Visitor
) -> None:
    warning = "봇이 실제 돈으로 거래하고 있어요."
    browser.post("/desk/link", data=form())
    assert warning not in said(browser.get("/me/settings/leave"))

    trade_live(app)

    assert warning in said(browser.get("/me/settings/leave"))


def test_last_way_in_is_not_unlinked(app: Flask) -> None:
    nobody = person(app, "nameless")
    browser = visitor(app, nobody)
    browser.post("/desk/link", data=form())

    shown = said(browser.post("/desk/accounts/1/unlink", follow_redirects=True))

    assert "로그인할 수 있는 마지막 방법이에요." in shown
    assert len(linked(app)) == 1


@pytest.mark.parametrize("number", ["1", "99", "9" * 30])
@pytest.mark.parametrize(
    ("method", "deed"), [("GET", "unlink"), ("POST", "unlink"), ("POST", "check")]
)
def test_account_of_somebody_else_is_not_there(
    app: Flask, browser: Visitor, number: str, method: str, deed: str
) -> None:
    browser.post("/desk/link", data=form())

    answer = newcomer(app, "bob").open(f"/desk/accounts/{number}/{deed}", method=method)

    assert answer.status_code == 404
    assert len(linked(app)) == 1


def test_nobody_sees_the_account_of_somebody_else(app: Flask, browser: Visitor) -> None:
    browser.post("/desk/link", data=form())
    fetch(app)

    other = newcomer(app, "bob")

    assert "보유 자산" not in said(other.get("/desk?account=1"))
    assert other.get("/desk/live?account=1").text.strip() == ""
    assert "이미 다른 곳에 연결된 열쇠예요." in said(other.post("/desk/link", data=form()))


def test_tries_are_limited(make_app: MakeApp, venue: Simulator) -> None:
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url, rate_limits=True)
    browser = newcomer(app)

    answers = [browser.post("/desk/link", data={}).status_code for _ in range(11)]

    assert KEY_LIMIT.startswith("10/minute")
    assert answers == [422] * 10 + [429]


def test_holding_without_any_figure_is_no_failure(
    app: Flask, browser: Visitor, alice: User
) -> None:
    with app.app_context():
        make.link_account(alice.id, balances_at=utcnow(), linked_at=utcnow())

    assert "이 계좌는 비어 있어요." in said(browser.get("/desk"))
