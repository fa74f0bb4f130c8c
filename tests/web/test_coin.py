"""The page of one coin."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.clock import utcnow
from app.db import transaction
from app.domain.frames import FRAMES
from app.domain.market import CandleUnit
from app.extensions import db
from app.models import CandleWish, Coin, Quote
from app.services import market
from tests import factories
from tests.web.visitors import coin, newcomer, person, said


@pytest.fixture
def bitcoin(app: Flask) -> None:
    """Bitcoin at 107 won, with 40 finished days that rise by one won each."""
    coin(app, price="107")
    candles(app, *map(str, range(66, 106)))


def candles(app: Flask, *closes: str | None, code: str = "BTC", **how: Any) -> None:
    with app.app_context():
        found = market.get_coin(code)
        assert found is not None
        factories.make_candles(found, *closes, until=utcnow(), **how)


def change(app: Flask, table: type, **values: object) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(table).values(**values))
        market.coins_now.forget()


def vote(app: Flask, at: datetime | None = None, **kwargs: object) -> int:
    with app.app_context():
        return factories.make_vote(factories.make_user(), now=at or utcnow(), **kwargs).id  # type: ignore[arg-type]


def settled(app: Flask, at: datetime) -> int:
    """A vote asked at 107 won that was decided a day later at 110 won."""
    number = vote(app, at)
    with app.app_context():
        factories.settle(factories.close(factories.reload(number)), "110")
    return number


def marks(page: str) -> list[dict[str, Any]]:
    """What the script is told of the votes on the chart."""
    found = re.search(r'data-marks="([^"]*)"', page)
    assert found
    told: list[dict[str, Any]] = json.loads(unescape(found[1]))
    return told


def test_price_change_and_statistics_are_shown(app: Flask, client: FlaskClient) -> None:
    coin(app, price="107")
    change(
        app, Quote, change_rate=0.07, prev_close=Decimal(100), open=Decimal(101), high=Decimal(109),
        low=Decimal(99), high_52w=Decimal(200), low_52w=Decimal(50), turnover_24h=412_800_000_000.0,
    )  # fmt: skip

    shown = said(client.get("/coins/BTC"))

    assert "비트코인 BTC/KRW 107 원 +7.00% 어제 종가보다 +7 원" in shown
    assert (
        "시가 101 고가 109 저가 99 어제 종가 100 52주 최고 200 52주 최저 50"
        " 24시간 거래대금 4,128억" in shown
    )


def test_what_the_exchange_did_not_say_is_a_dash(app: Flask, client: FlaskClient) -> None:
    coin(app)

    assert "시가 – 고가 – 저가 – 어제 종가 –" in said(client.get("/coins/BTC"))


def test_price_is_kept_live_by_the_script(app: Flask, client: FlaskClient) -> None:
    coin(app)

    page = client.get("/coins/BTC").text

    assert 'data-coin="BTC" data-live-codes="BTC"' in page
    assert 'data-live-field="price"' in page
    assert "js/market-live.js" in page


@pytest.mark.parametrize("code", ["NOPE", "btc", "%F0%9F%90%B3", "B" * 300, "..%2FBTC", "%00"])
def test_unknown_coin_isnt_there(client: FlaskClient, code: str) -> None:
    assert client.get(f"/coins/{code}").status_code == 404


def test_the_page_is_only_read(client: FlaskClient, bitcoin: None) -> None:
    assert client.post("/coins/BTC").status_code == 405


def test_candles_are_drawn_and_told_in_words_and_as_a_table(
    client: FlaskClient, bitcoin: None
) -> None:
    answer = client.get("/coins/BTC")

    assert 'class="up body"' in answer.text
    assert "비트코인 캔들 41개. 최고 107원, 최저 66원, 마지막 107원." in answer.text
    assert answer.text.split("<tbody>")[1].split("</tbody>")[0].count("<tr>") == 24
    assert "104 105 104 105" in said(answer)


def test_the_forming_candle_is_named_as_such(client: FlaskClient, bitcoin: None) -> None:
    answer = client.get("/coins/BTC")

    assert 'class="up hollow"' in answer.text
    assert "만들어지는 중" in said(answer)


@pytest.mark.parametrize("frame", FRAMES)
def test_each_frame_has_a_link_that_works_without_scripts(
    client: FlaskClient, bitcoin: None, frame: str
) -> None:
    answer = client.get(f"/coins/BTC?frame={frame}")

    current = re.findall(r'href="([^"]+)" aria-current="true"', answer.text)
    assert current == [f"/coins/BTC?frame={frame}"]
    assert f"/api/v1/coins/BTC/candles?frame={frame}&amp;count=300" in answer.text
    for other in FRAMES:
        assert f'href="/coins/BTC?frame={other}"' in answer.text


@pytest.mark.parametrize("frame", ["", "2h", "1D", "<script>", "🐳"])
def test_unknown_frame_shows_days(client: FlaskClient, bitcoin: None, frame: str) -> None:
    answer = client.get("/coins/BTC", query_string={"frame": frame})

    assert answer.status_code == 200
    assert 'href="/coins/BTC?frame=1d" aria-current="true"' in answer.text


def test_short_frames_are_labelled_by_the_minute(app: Flask, client: FlaskClient) -> None:
    coin(app)
    candles(app, "100", "101", unit=CandleUnit.MINUTE)

    assert re.search(r">\d+\.\d\d \d\d:\d\d</text>", client.get("/coins/BTC?frame=1m").text)


def test_coin_without_candles_says_that_they_are_gathered(app: Flask, client: FlaskClient) -> None:
    coin(app, seen=utcnow() - timedelta(days=8))

    answer = client.get("/coins/BTC")

    assert "캔들을 모으는 중이에요" in said(answer)
    assert "js/chart.js" not in answer.text


def test_few_candles_are_counted_while_more_may_come(app: Flask, client: FlaskClient) -> None:
    coin(app)
    candles(app, "100", "101")

    answer = client.get("/coins/BTC")

    assert "지난 캔들을 모으는 중이에요. 지금까지 3개예요." in said(answer)
    assert re.search(r'data-chart-gathering="[^"]+">', answer.text)


def test_nothing_is_gathered_where_all_is_there(app: Flask, client: FlaskClient) -> None:
    coin(app)
    candles(app, *map(str, range(100, 164)))

    assert re.search(r'data-chart-gathering="[^"]+" hidden>', client.get("/coins/BTC").text)


def test_delisted_coin_keeps_its_past_and_takes_no_question(
    app: Flask, client: FlaskClient
) -> None:
    coin(app, delisted_at=utcnow(), seen=utcnow() - timedelta(days=9))
    candles(app, "100", "101")

    answer = client.get("/coins/BTC")

    assert "거래 지원 종료" in said(answer)
    assert "101" in said(answer)
    assert "/create?coin=BTC" not in answer.text
    assert "data-live-codes" not in answer.text


def test_delisted_coin_without_candles_says_so(app: Flask, client: FlaskClient) -> None:
    coin(app, price=None, delisted_at=utcnow())

    shown = said(client.get("/coins/BTC"))

    assert "남아 있는 캔들이 없어요" in shown
    assert "시세를 기다려요" in shown


def test_marks_of_the_exchange_are_shown(app: Flask, client: FlaskClient) -> None:
    coin(app)
    change(app, Coin, warning=True, cautions="PRICE_FLUCTUATIONS SOMETHING_NEW")

    shown = said(client.get("/coins/BTC"))

    assert "유의 종목" in shown
    assert "주의 · 가격 급등락" in shown
    assert "주의 · SOMETHING_NEW" in shown


def test_old_price_loses_its_weight(app: Flask, client: FlaskClient) -> None:
    coin(app, seen=utcnow() - timedelta(seconds=100))

    assert 'wl-page wl-stale"' in client.get("/coins/BTC").text


@pytest.mark.parametrize(("others_s", "told"), [(1, True), (100, False)])
def test_coin_that_stands_still_alone_is_told_with_its_own_age(
    app: Flask, client: FlaskClient, others_s: int, told: bool
) -> None:
    """Where nothing comes at all, the strip above the page says so."""
    coin(app, seen=utcnow() - timedelta(minutes=4))
    coin(app, "ETH", seen=utcnow() - timedelta(seconds=others_s))

    page = client.get("/coins/BTC")

    assert "업비트 · 4분 전" in said(page)
    assert ('role="status" data-live-still>' in page.text) is told


def test_votes_of_the_coin_are_shown_as_cards_with_a_link_to_all(
    app: Flask, client: FlaskClient, bitcoin: None
) -> None:
    numbers = [vote(app, range_pct=n) for n in range(1, 7)]

    answer = client.get("/coins/BTC")

    shown = re.findall(r'<h3><a href="/votes/(\d+)">', answer.text)
    assert shown == [str(number) for number in numbers[:1:-1]]
    assert "6개 모두 보기" in said(answer)
    assert 'href="/votes?q=BTC"' in answer.text
    assert 'data-live-url="/votes/live?ids=' in answer.text


def test_a_coin_that_nobody_asked_about_invites(client: FlaskClient, bitcoin: None) -> None:
    answer = client.get("/coins/BTC")

    assert "아직 이 코인을 물은 사람이 없어요" in said(answer)
    assert 'href="/create?coin=BTC"' in answer.text


def test_votes_stand_on_the_chart_under_the_numbers_of_the_list(
    app: Flask, client: FlaskClient, bitcoin: None
) -> None:
    over = settled(app, utcnow() - timedelta(days=3))
    running = vote(app)

    answer = client.get("/coins/BTC")

    assert answer.text.count('class="spot spot-asked"') == 2
    assert answer.text.count('class="spot spot-result"') == 1
    first, second = marks(answer.text)
    assert (first["label"], first["result"], first["open"]) == ("1", 110.0, False)
    assert (second["label"], second["result"], second["open"]) == ("2", None, True)
    assert second["target"] == pytest.approx(117.7)
    told = answer.text.split('class="wl-marks')[1].split("</ol>")[0]
    assert re.findall(r'href="/votes/(\d+)"', told) == [str(over), str(running)]
    assert "결과 아니오 · 110원" in said(answer)
    assert "목표 117.7원" in said(answer)


def test_void_vote_has_no_result_on_the_chart(
    app: Flask, client: FlaskClient, bitcoin: None
) -> None:
    number = vote(app)
    with app.app_context():
        factories.votes.void_vote(vote_id=number, reason="halted", now=utcnow())

    answer = client.get("/coins/BTC")

    assert (marks(answer.text)[0]["result"], marks(answer.text)[0]["open"]) == (None, False)
    assert "무효" in said(answer)


def test_votes_from_before_the_chart_are_left_out(
    app: Flask, client: FlaskClient, bitcoin: None
) -> None:
    settled(app, utcnow() - timedelta(days=90))

    assert marks(client.get("/coins/BTC").text) == []


def test_whoever_looks_wishes_for_candles(app: Flask, client: FlaskClient, bitcoin: None) -> None:
    client.get("/coins/BTC?frame=4h").close()

    with app.app_context():
        assert list(db.session.scalars(select(CandleWish.unit))) == [CandleUnit.HOUR]


def cells(page: str) -> list[str]:
    """The figures of the table of base rates, row by row."""
    table = page.split('id="h-moved"')[1].split("</section>")[0]
    return re.findall(r'<td class="n">([\d.]+%|–)', table)


def test_base_rates_are_counted_for_5_pct_by_default(client: FlaskClient, bitcoin: None) -> None:
    answer = client.get("/coins/BTC")

    # Forty days that rise by one won: never 5 % in a day, always in a week, never a fall.
    assert cells(answer.text) == ["0.0%", "0.0%", "100.0%", "0.0%", "100.0%", "0.0%"]
    assert "+5% 이상 −5% 이하" in said(answer)
    assert "39일 중 0일" in said(answer)
    assert "이 코인은 39일만 알아서 넉넉한 기록이 아니에요." in said(answer)


def test_base_rates_are_counted_for_another_range_on_request(
    client: FlaskClient, bitcoin: None
) -> None:
    answer = client.get("/coins/BTC?r=1%25&frame=1w")

    assert cells(answer.text)[0] == "89.7%"  # 35 of 39: one won is 1 % of up to 100
    assert 'name="frame" value="1w"' in answer.text


def test_nobody_counts_a_fall_of_more_than_everything(client: FlaskClient, bitcoin: None) -> None:
    assert cells(client.get("/coins/BTC?r=100").text)[1::2] == ["–", "–", "–"]
    assert cells(client.get("/coins/BTC?r=99").text)[1::2] == ["0.0%", "0.0%", "0.0%"]


@pytest.mark.parametrize("typed", ["0", "301", "abc", "5.5", "-3", "٣", "9" * 50])
def test_a_range_that_cant_be_is_told_and_5_is_shown(
    client: FlaskClient, bitcoin: None, typed: str
) -> None:
    answer = client.get("/coins/BTC", query_string={"r": typed})

    assert answer.status_code == 200
    assert 'id="moved-error" role="alert"' in answer.text
    assert "+5% 이상" in said(answer)


def test_without_days_nothing_is_counted(app: Flask, client: FlaskClient) -> None:
    coin(app)

    assert "아직 몰라요. 일봉을 모으는 중이에요." in said(client.get("/coins/BTC"))


def test_star_shows_my_own_favourites(app: Flask, bitcoin: None) -> None:
    user = person(app, "bob")
    with app.app_context():
        market.add_favourite(user_id=user.id, code="BTC", now=utcnow())

    mine = newcomer(app, "carol").get("/coins/BTC").text
    bobs = app.test_client().sign_in(user).get("/coins/BTC").text  # type: ignore[attr-defined]

    assert 'formaction="/coins/BTC/favourite" name="wanted" value="1" aria-pressed="false"' in mine
    assert 'formaction="/coins/BTC/favourite" name="wanted" value="0" aria-pressed="true"' in bobs


def test_star_of_a_visitor_leads_to_signing_in_and_back(client: FlaskClient, bitcoin: None) -> None:
    assert 'href="/login?next=/coins/BTC"' in client.get("/coins/BTC").text


@pytest.fixture
def no_library(app: Flask) -> None:
    """A server that couldn't fetch the library that draws charts."""
    app.jinja_env.globals["chart_library"] = lambda: ""


def test_without_the_library_the_page_says_so_and_opens_the_table(
    client: FlaskClient, bitcoin: None, no_library: None
) -> None:
    answer = client.get("/coins/BTC")

    assert "움직이는 차트를 불러오지 못했어요. 그림과 표로 보여드려요." in said(answer)
    assert re.search(r"data-chart-failed>", answer.text)
    assert re.search(r"data-chart-table open>", answer.text)
    assert "js/chart.js" not in answer.text
    assert "TradingView" not in answer.text


def test_english_readers_read_english(client: FlaskClient, bitcoin: None) -> None:
    shown = said(client.get("/coins/BTC?frame=15m", headers={"Accept-Language": "en"}))

    assert "Bitcoin BTC/KRW 107 KRW" in shown
    assert "Days it moved that far" in shown
