"""The list of coins: what it shows, in which order, to whom."""

import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update

from app.clock import utcnow
from app.db import transaction
from app.extensions import db
from app.models import Coin, Quote
from app.services import market
from tests import factories
from tests.web.market.conftest import Trade
from tests.web.visitors import coin, newcomer, person, said, visitor

MARKET_IS_LARGE = 250


def change(app: Flask, **values: object) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(Coin).values(**values))
        market.coins_now.forget()


def codes(client: FlaskClient, **query: str) -> list[str]:
    return re.findall(r'<tr data-coin="(\w+)"', client.get("/coins", query_string=query).text)


def test_row_shows_price_change_amount_turnover_and_range(
    client: FlaskClient, trade: Trade
) -> None:
    trade(
        "BTC", "110", prev="100", low="90", high="130", turnover=412_800_000_000.0, name="비트코인"
    )

    page = client.get("/coins")

    assert "비트코인 BTC 110 +10.00% +10 4,128억" in said(page)
    assert 'aria-label="50%" data-live-field="range"' in page.text


def test_fields_are_marked_for_the_script(client: FlaskClient, trade: Trade) -> None:
    trade("BTC", "110", low="90", high="130")

    page = client.get("/coins").text

    row = page[page.index('<tr data-coin="BTC"') : page.index("</tr>", page.index("<tbody"))]
    assert re.findall(r'data-live-field="([\w-]+)"', row) == [
        "price", "change", "change-price", "turnover", "range",
    ]  # fmt: skip
    assert 'data-live-codes="all"' in page


def test_coin_leads_to_its_own_page(client: FlaskClient, trade: Trade) -> None:
    trade("BTC")

    assert 'href="/coins/BTC"' in client.get("/coins").text


def test_marks_of_the_exchange_are_shown(app: Flask, client: FlaskClient) -> None:
    coin(app)
    change(app, warning=True, cautions="PRICE_FLUCTUATIONS SOMETHING_NEW")

    shown = said(client.get("/coins"))

    assert "유의 종목" in shown
    assert "가격 급등락" in shown
    assert "SOMETHING_NEW" in shown


@pytest.mark.parametrize("query", [{}, {"sort": "name"}, {"sort": "price", "order": "asc"}])
def test_delisted_coin_stands_last_in_any_order(
    app: Flask, client: FlaskClient, query: dict[str, str]
) -> None:
    coin(app, "AAA", price="1", delisted_at=utcnow())
    coin(app, "BTC")

    assert codes(client, **query) == ["BTC", "AAA"]
    assert "거래 지원 종료" in client.get("/coins").text


def test_number_of_open_votes_is_shown(app: Flask, client: FlaskClient) -> None:
    coin(app)
    with app.app_context():
        factories.make_vote(factories.make_user("alice"), now=utcnow())

    page = client.get("/coins")

    assert 'href="/votes?q=BTC"' in page.text
    assert "열린 질문 1개" in said(page)


def test_breadth_counts_traded_coins_alone(app: Flask, client: FlaskClient, trade: Trade) -> None:
    for number, price in enumerate(("110", "120", "90", "100", "100.001")):
        trade(f"C{number}", price, turnover=1e12)
    coin(app, "GONE", delisted_at=utcnow())

    shown = said(client.get("/coins"))

    assert "오른 코인 2개" in shown
    assert "내린 코인 1개" in shown
    assert "24시간 거래대금 5조원" in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "B C A"),
        ({"order": "asc"}, "A C B"),
        ({"sort": "name"}, "A B C"),
        ({"sort": "name", "order": "desc"}, "C B A"),
        ({"sort": "price"}, "C B A"),
        ({"sort": "change"}, "A C B"),
        ({"sort": "change", "order": "asc"}, "B C A"),
        ({"sort": "move"}, "C A B"),
        ({"sort": "range"}, "B A C"),
        ({"sort": "nonsense", "order": "up"}, "B C A"),
    ],
)
def test_list_is_in_the_order_that_is_asked_for(
    client: FlaskClient, trade: Trade, query: dict[str, str], expected: str
) -> None:
    trade("A", "150", prev="100", low="100", high="200", turnover=1.0)
    trade("B", "190", prev="200", low="100", high="200", turnover=9.0)
    trade("C", "1000", prev="900", low="1000", high="1100", turnover=5.0)

    assert codes(client, **query) == expected.split()


def test_what_has_no_figure_stands_after_what_has(
    app: Flask, client: FlaskClient, trade: Trade
) -> None:
    trade("A", "1")
    coin(app, "NEW", price=None)
    trade("B", "2")

    assert codes(client, sort="price") == ["B", "A", "NEW"]
    assert codes(client, sort="price", order="asc") == ["A", "B", "NEW"]


def test_heads_say_the_order_and_turn_it_round(client: FlaskClient, trade: Trade) -> None:
    trade("BTC", "110")

    page = client.get("/coins?sort=price&tab=up&q=b").text
    turned = client.get("/coins?sort=price&order=asc").text

    assert page.count("aria-sort") == 1
    assert (
        'aria-sort="descending"><a href="/coins?tab=up&amp;q=b&amp;order=asc&amp;sort=price"'
        in page
    )
    assert 'aria-sort="ascending"><a href="/coins?sort=price"' in turned


@pytest.mark.parametrize(
    ("tab", "expected"), [("up", ["A"]), ("down", ["B"]), ("asked", ["BTC"]), ("none", None)]
)
def test_tabs_narrow_the_list_without_scripts(
    app: Flask, client: FlaskClient, trade: Trade, tab: str, expected: list[str] | None
) -> None:
    with app.app_context():
        factories.make_vote(factories.make_user("alice"), now=utcnow())
    trade("A", "110")
    trade("B", "90")

    assert codes(client, tab=tab) == (expected or codes(client))
    assert f"/coins?tab={tab}" in client.get("/coins").text or expected is None


def test_favourites_are_ones_own(app: Flask, trade: Trade) -> None:
    for code in ("A", "B"):
        trade(code)
    alice, bob = person(app, "alice"), person(app, "bob")
    with app.app_context():
        market.add_favourite(user_id=alice.id, code="B", now=utcnow())

    assert codes(visitor(app, alice), tab="favourites") == ["B"]
    assert codes(visitor(app, bob), tab="favourites") == []
    assert 'aria-pressed="true"' in visitor(app, alice).get("/coins").text
    assert 'aria-pressed="true"' not in visitor(app, bob).get("/coins").text


def test_stars_of_a_visitor_lead_to_signing_in(client: FlaskClient, trade: Trade) -> None:
    trade("BTC")

    page = client.get("/coins").text

    assert '<a class="wl-star" href="/login?next=/coins"' in page
    assert 'favourite"' not in page


def test_visitor_gets_no_session_for_looking(client: FlaskClient, trade: Trade) -> None:
    trade("BTC")

    assert "Set-Cookie" not in client.get("/coins").headers


@pytest.mark.parametrize("query", ["비트", "ㅂㅌㅋㅇ", "btc", " Bit coin "])
def test_search_finds_by_code_name_and_initials(
    app: Flask, client: FlaskClient, query: str
) -> None:
    coin(app)
    coin(app, "ETH", korean_name="이더리움", english_name="Ethereum")

    assert codes(client, q=query) == ["BTC"]


@pytest.mark.parametrize("query", ["🐳" * 1000, "\x00", "%", "' OR 1=1 --", "<script>"])
def test_search_for_nonsense_finds_nothing(app: Flask, client: FlaskClient, query: str) -> None:
    coin(app)

    answer = client.get("/coins", query_string={"q": query})

    assert answer.status_code == 200
    assert "코인은 없어요" in said(answer)
    assert "<script>’" not in answer.text


def test_search_keeps_tab_and_order_and_can_be_cleared(client: FlaskClient, trade: Trade) -> None:
    trade("BTC")

    page = client.get("/coins?q=zzz&tab=up&sort=price").text

    assert '<input type="hidden" name="tab" value="up">' in page
    assert '<input type="hidden" name="sort" value="price">' in page
    assert 'class="btn btn-grey" href="/coins?tab=up&amp;sort=price"' in page


def test_empty_market_says_so(client: FlaskClient) -> None:
    assert "아직 코인이 없어요" in said(client.get("/coins"))


def test_market_without_prices_shows_its_coins_and_says_so(app: Flask, client: FlaskClient) -> None:
    coin(app, price=None)

    shown = said(client.get("/coins"))

    assert "비트코인 BTC – – – –" in shown
    assert "아직 시세를 받지 못했어요." in shown


def test_no_favourites_and_no_sign_in_are_told_apart(
    app: Flask, client: FlaskClient, trade: Trade
) -> None:
    trade("BTC")

    assert "로그인하고 별을 누르면" in said(client.get("/coins?tab=favourites"))
    member = newcomer(app, "alice")
    assert "아직 관심 코인이 없어요" in said(member.get("/coins?tab=favourites"))


def test_empty_tab_leads_back_to_all(client: FlaskClient, trade: Trade) -> None:
    trade("BTC")

    assert "지금은 그런 코인이 없어요" in said(client.get("/coins?tab=asked"))


def test_old_price_loses_its_weight(client: FlaskClient, trade: Trade) -> None:
    trade("NEW")
    trade("OLD", at=utcnow() - timedelta(seconds=100))

    assert client.get("/coins").text.count(' class="wl-stale">') == 1


@pytest.mark.parametrize(("age_s", "stale"), [(85, False), (95, True)])
def test_market_that_stands_still_is_told_after_ninety_seconds(
    client: FlaskClient, trade: Trade, age_s: int, stale: bool
) -> None:
    trade("BTC", at=utcnow() - timedelta(seconds=age_s))

    page = client.get("/coins").text

    assert ('class="wl-strip" data-live-when="old" hidden' in page) is not stale
    assert ('class="wl-wrap wl-page wl-stale"' in page) is stale


def test_page_of_the_whole_market_stays_small(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """250 coins with a range and a week each: 1.3 KB a row as text, in a handful of queries."""
    week = tuple(Decimal(100 + (n * 37) % 90) for n in range(28))
    monkeypatch.setattr(market, "week_lines", lambda _now: defaultdict(lambda: week))
    with app.app_context():
        for number in range(MARKET_IS_LARGE):
            factories.make_coin(f"C{number}", korean_name="비트코인캐시", observed_at=utcnow())
        with transaction() as session:
            low, high, prev = Decimal(90), Decimal(120), Decimal(99)
            values = {"low": low, "high": high, "prev_close": prev, "change_rate": 0.01}
            session.execute(update(Quote).values(values))
    client.get("/coins")
    statements: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    answer = client.get("/coins")

    assert len(answer.data) < 1300 * MARKET_IS_LARGE
    assert len([one for one in statements if one.startswith("SELECT")]) <= 6


def test_coins_are_only_read(client: FlaskClient) -> None:
    assert client.post("/coins").status_code == 405
