"""The pages of backtests: asked, followed, shown with their doubts, nobody else's."""

import csv
import io
import json
import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.db import transaction
from app.domain.trading import Doubt, typed_backtest
from app.jobs.backtests import BacktestWorker
from app.jobs.guard import Steps
from app.models import Backtest, User
from app.services.trading import backtest_queue, backtests, results, testing
from tests import factories as make
from tests.conftest import MakeApp, Visitor
from tests.web.visitors import visitor

CLOSES = [str(50_000 + 250 * (n * n % 17 + n // 7)) for n in range(120)]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Without an exchange: candles are all that is needed."""
    return make_app()


@pytest.fixture(autouse=True)
def _market(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bitcoin has 120 days, Ripple none."""
    monkeypatch.setattr(testing, "SHUFFLES", 3)
    now = utcnow()
    make.make_candles(make.make_coin("BTC", observed_at=now), *CLOSES, until=now)
    make.make_coin("XRP", korean_name="리플", english_name="XRP", observed_at=now)


@pytest.fixture
def owner(session: Session) -> User:
    return make.make_user("owner")


@pytest.fixture
def browser(app: Flask, owner: User) -> Visitor:
    return visitor(app, owner)


def ask(user: User, **typed: str) -> int:
    settings = typed_backtest({"days": "120", "window": "20"} | typed)
    return backtests.ask(user_id=user.id, settings=settings, now=utcnow())


def work(app: Flask) -> None:
    app.extensions["whaling_scheduler"] = "leader"
    BacktestWorker(app, second=lambda: 30).work(Steps(now=utcnow()))


def asked(app: Flask, user: User, **typed: str) -> int:
    """A backtest that was made."""
    ident = ask(user, **typed)
    work(app)
    return ident


def form(**other: str) -> dict[str, str]:
    return {"coin": "BTC", "days": "180", "fee": "0.05", "slippage": "0.1"} | other


def test_first_visit_says_what_it_is_for(browser: Visitor) -> None:
    page = browser.get("/desk/backtest?coin=XRP").text

    assert "지난날로 규칙을 시험해 보세요" in page
    assert '<option selected value="XRP">' in page
    assert 'value="0.05"' in page


def test_asking_leads_to_the_page_that_tells_how_far_it_is(browser: Visitor, owner: User) -> None:
    answer = browser.post("/desk/backtest", data=form(more="xrp"))

    row = backtests.list_backtests(user_id=owner.id)[0]
    assert (answer.status_code, answer.location) == (303, f"/desk/backtest/{row.id}")
    assert row.settings.codes == ("BTC", "XRP")
    page = browser.get(answer.location).text
    assert "차례를 기다리고 있어요" in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert "backtest.js" in page


@pytest.mark.parametrize(
    ("wrong", "place", "sentence"),
    [
        ({"fee": "많이"}, "fee", "숫자 0–9와 소수점만으로 적어 주세요"),
        ({"slippage": "99"}, "slippage", "0부터 20까지의 수로"),
        ({"coin": "GONE"}, "coin", "그런 코인은 없어요"),
        ({"more": "GONE"}, "more", "그런 코인은 없어요"),
        ({"more": "BTC"}, "more", "같은 코인을 두 번 적"),
        ({"k_step": "0"}, "k_step", "0.001부터"),
        ({"plays": "luck"}, "plays", "그런 전략은 없어요"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_asked(
    browser: Visitor, owner: User, wrong: dict[str, str], place: str, sentence: str
) -> None:
    answer = browser.post("/desk/backtest", data=form(**wrong))

    assert answer.status_code == 422
    told = answer.text.split(f'id="{place}-error">')[1].split("<")[0]
    assert sentence in told
    assert backtests.list_backtests(user_id=owner.id) == []


def test_too_many_at_once_are_refused_above_the_form(browser: Visitor, owner: User) -> None:
    for _ in range(3):
        ask(owner)

    answer = browser.post("/desk/backtest", data=form())

    assert answer.status_code == 422
    assert "한 번에 3개까지" in answer.text


def test_progress_is_told_anew_only_when_it_moved(browser: Visitor, owner: User) -> None:
    ident = ask(owner)
    backtest_queue.take_next(utcnow())
    address = f"/desk/backtest/{ident}/progress"

    first = browser.get(address)
    same = browser.get(address, headers={"If-None-Match": first.headers["ETag"]})
    backtest_queue.note_progress(backtest_id=ident, done=2)
    moved = browser.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert 'data-progress="on"' in first.text
    assert (same.status_code, moved.status_code) == (304, 200)
    assert 'aria-valuenow="50"' in moved.text


def test_cancelling_ends_it_and_says_so(browser: Visitor, owner: User) -> None:
    ident = ask(owner)

    answer = browser.post(f"/desk/backtest/{ident}/cancel")

    page = browser.get(answer.location).text
    assert "취소했어요" in page
    assert "http-equiv" not in page


def test_failure_is_told_without_what_went_wrong_inside(browser: Visitor, owner: User) -> None:
    ident = ask(owner)
    backtest_queue.take_next(utcnow())
    backtest_queue.fail(backtest_id=ident, problem="KeyError: secret", now=utcnow())

    page = browser.get(f"/desk/backtest/{ident}").text

    assert "계산하지 못했어요" in page
    assert "secret" not in page


def test_one_over_which_the_server_died_says_so_and_what_to_do(
    browser: Visitor, owner: User
) -> None:
    ident = ask(owner)
    for _ in range(backtest_queue.MOST_ATTEMPTS + 1):
        backtest_queue.take_next(utcnow())

    page = browser.get(f"/desk/backtest/{ident}").text

    assert "서버가 여러 번 꺼져서" in page


def test_result_shows_both_parts_their_doubts_and_the_assumptions(
    app: Flask, browser: Visitor, owner: User
) -> None:
    ident = asked(app, owner, stop_loss="5", mean_days="3")

    page = browser.get(f"/desk/backtest/{ident}").text

    told = backtests.get_backtest(user_id=owner.id, backtest_id=ident).result
    assert told is not None
    coin = told["coins"][0]
    for part in (
        "지나고 고른 k",
        f"k {coin['best_k']} · ",
        "그때그때 고른 k",
        "모두 같은 97일이에요",
        "그냥 들고 있었다면",
        "가장 크게 빠진 폭",
        "우연일까요?",
    ):
        assert part in page
    assert 'class="line-brand"' in page
    assert page.count('class="bar-brand"') == 9
    assert "살 때와 팔 때 0.05%씩" in page
    assert "3일 평균 위" in page
    assert "산 값보다 5% 내리면" in page
    proposed = f"/desk/bot/settings?coin=BTC&k={coin['next_k']}"
    assert proposed.replace("&", "&amp;") in page
    assert f'value="{coin["next_k"]}"' in browser.get(proposed).text
    assert "투자 권유가 아니에요" in page


def test_result_of_an_older_version_is_to_be_asked_anew(
    app: Flask, browser: Visitor, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = asked(app, owner)
    monkeypatch.setattr(results, "VERSION", results.VERSION + 1)

    page = browser.get(f"/desk/backtest/{ident}")

    assert page.status_code == 200
    assert "예전 방식으로 계산한 결과예요" in page.text


def test_every_doubt_stands_before_the_figures(app: Flask, browser: Visitor, owner: User) -> None:
    ident = asked(app, owner)
    with app.app_context(), transaction() as session:
        row = session.get_one(Backtest, ident)
        told = json.loads(row.result or "")
        told["coins"][0]["doubts"] = list(Doubt)
        row.result = json.dumps(told)

    page = browser.get(f"/desk/backtest/{ident}").text

    warnings = [found.start() for found in re.finditer("wl-banner-warn", page)]
    assert len(warnings) == len(Doubt)
    assert max(warnings) < page.index('id="h-side"')


def test_long_list_of_trades_is_shown_whole_on_request(
    app: Flask, browser: Visitor, owner: User
) -> None:
    ident = asked(app, owner, k_first="0.1", k_last="0.1", window="5")
    told = backtests.get_backtest(user_id=owner.id, backtest_id=ident).result
    assert told is not None
    days = [one["day"] for one in told["coins"][0]["trades"] if one["part"] == "out"]
    assert len(days) > 30

    short = browser.get(f"/desk/backtest/{ident}").text
    whole = browser.get(f"/desk/backtest/{ident}?trades=all").text

    assert f'<th scope="row">{days[-1]}' in short
    assert f'<th scope="row">{days[0]}' not in short
    assert f"거래 {len(days)}번 모두 보기" in short
    assert f'<th scope="row">{days[0]}' in whole


def test_several_coins_are_compared_and_each_has_its_figures(
    app: Flask, browser: Visitor, owner: User
) -> None:
    ident = asked(app, owner, codes="XRP BTC")

    page = browser.get(f"/desk/backtest/{ident}").text
    other = browser.get(f"/desk/backtest/{ident}?coin=XRP").text

    assert "코인마다" in page
    assert "k마다 수익" in page
    assert "일봉이 모자라요" in other
    assert "일봉 0개를 알아요" in other


def test_crossing_shows_one_line_and_no_k(app: Flask, browser: Visitor, owner: User) -> None:
    ident = asked(app, owner, plays="crossing", short="2", long="5")

    page = browser.get(f"/desk/backtest/{ident}").text

    assert "2일 평균이 5일 평균 위로" in page
    assert "k마다 수익" not in page
    assert "지나고 고른 k" not in page


def test_strategy_that_never_bought_says_so(app: Flask, browser: Visitor, owner: User) -> None:
    flat = make.make_coin("ETH", observed_at=utcnow())
    make.make_candles(flat, *["5000"] * 60, until=utcnow())
    ident = asked(app, owner, codes="ETH")

    page = browser.get(f"/desk/backtest/{ident}").text

    assert "한 번도 사지 않았어요" in page


def test_files_hold_every_trade_and_every_k(app: Flask, browser: Visitor, owner: User) -> None:
    ident = asked(app, owner)
    told = backtests.get_backtest(user_id=owner.id, backtest_id=ident).result
    assert told is not None

    trades = browser.get(f"/desk/backtest/{ident}/trades.csv")
    ks = browser.get(f"/desk/backtest/{ident}/k.csv")

    assert trades.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert trades.headers["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(trades.text.lstrip("\ufeff"))))
    assert [row["day"] for row in rows] == [one["day"] for one in told["coins"][0]["trades"]]
    assert {row["coin"] for row in rows} == {"BTC"}
    assert len(list(csv.DictReader(io.StringIO(ks.text.lstrip("\ufeff"))))) == 9


def test_nothing_of_it_is_anybody_elses(app: Flask, owner: User, bob: User) -> None:
    ident, stranger = asked(app, owner), visitor(app, bob)

    for path in ("", "/progress", "/trades.csv", "/k.csv"):
        assert stranger.get(f"/desk/backtest/{ident}{path}").status_code == 404
    assert stranger.post(f"/desk/backtest/{ident}/cancel").status_code == 404
    assert "내 백테스트" not in stranger.get("/desk/backtest").text


def test_files_of_one_that_is_not_done_are_not_there(browser: Visitor, owner: User) -> None:
    ident = ask(owner)

    assert browser.get(f"/desk/backtest/{ident}/k.csv").status_code == 404


def test_asking_has_a_limit(make_app: MakeApp, owner: User) -> None:
    busy = visitor(make_app(rate_limits=True), owner)

    statuses = [busy.post("/desk/backtest", data=form(fee="x")).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]
