"""The list of coins, and the logos."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.clock import utcnow
from app.db import transaction
from app.models import Coin, Quote
from app.services import market
from tests import factories
from tests.web.visitors import coin, said

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def logos(tmp_path: Path) -> Path:
    """The folder of logos, with Bitcoin's and something that is nobody's business."""
    folder = tmp_path / "logos"
    folder.mkdir()
    (folder / "BTC.png").write_bytes(PNG)
    (folder / "not-a-coin.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(b"secret")
    return folder


def change(app: Flask, table: type, **values: object) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(table).values(**values))
        market.coins_now.forget()


def test_coin_is_shown_with_price_change_and_age(app: Flask, client: FlaskClient) -> None:
    coin(app, seen=utcnow() - timedelta(seconds=50))
    change(app, Quote, change_rate=0.0184, turnover_24h=412_800_000_000.0)

    shown = said(client.get("/coins"))

    assert "비트코인 BTC 100 +1.84% 4,128억" in shown
    assert "50초 전" in shown


def test_coin_leads_to_asking_about_it(app: Flask, client: FlaskClient) -> None:
    coin(app)

    assert 'href="/create?coin=BTC"' in client.get("/coins").text


def test_marks_of_the_exchange_are_shown(app: Flask, client: FlaskClient) -> None:
    coin(app)
    change(app, Coin, warning=True, cautions="PRICE_FLUCTUATIONS SOMETHING_NEW")

    shown = said(client.get("/coins"))

    assert "유의 종목" in shown
    assert "가격 급등락" in shown
    assert "SOMETHING_NEW" in shown


def test_delisted_coin_stands_last_and_takes_no_question(app: Flask, client: FlaskClient) -> None:
    coin(app, "AAA", delisted_at=utcnow())
    coin(app, "BTC")

    page = client.get("/coins").text

    assert page.index("BTC") < page.index("AAA")
    assert "거래 지원 종료" in page
    assert "/create?coin=AAA" not in page


def test_number_of_open_votes_is_shown(app: Flask, client: FlaskClient) -> None:
    coin(app)
    with app.app_context():
        factories.make_vote(factories.make_user("alice"), now=utcnow())

    page = client.get("/coins")

    assert 'href="/votes?q=BTC"' in page.text
    assert "1개" in said(page)


@pytest.mark.parametrize("query", ["비트", "ㅂㅌㅋㅇ", "btc", " Bit coin "])
def test_search_finds_by_code_name_and_initials(
    app: Flask, client: FlaskClient, query: str
) -> None:
    coin(app)
    coin(app, "ETH", korean_name="이더리움", english_name="Ethereum")

    shown = said(client.get("/coins", query_string={"q": query}))

    assert "비트코인 BTC" in shown
    assert "이더리움 ETH" not in shown


@pytest.mark.parametrize("query", ["🐳" * 1000, "\x00", "%", "' OR 1=1 --", "<script>"])
def test_search_for_nonsense_finds_nothing(app: Flask, client: FlaskClient, query: str) -> None:
    coin(app)

    answer = client.get("/coins", query_string={"q": query})

    assert answer.status_code == 200
    assert "코인은 없어요" in said(answer)
    assert "<script>’" not in answer.text


def test_empty_market_says_so(client: FlaskClient) -> None:
    assert "아직 코인이 없어요" in said(client.get("/coins"))


def test_old_price_loses_its_weight(app: Flask, client: FlaskClient) -> None:
    coin(app, "NEW")
    coin(app, "OLD", seen=utcnow() - timedelta(seconds=100))

    page = client.get("/coins").text

    assert page.count('<tr class="wl-stale"') == 1


def test_logo_is_kept_by_browsers_and_never_guessed_at(client: FlaskClient, logos: Path) -> None:
    answer = client.get("/coins/BTC/logo", buffered=True)

    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", PNG)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age=604800" in answer.headers["Cache-Control"]
    assert answer.headers["ETag"]


def test_logo_known_already_isnt_sent_again(client: FlaskClient, logos: Path) -> None:
    tag = client.get("/coins/BTC/logo", buffered=True).headers["ETag"]

    again = client.get("/coins/BTC/logo", headers={"If-None-Match": tag}, buffered=True)

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "code",
    [
        "ETH",
        "btc",
        "not-a-coin",
        "..%2Fsecret",
        "%2e%2e",
        "..",
        "BTC.png",
        "B" * 300,
        "%00",
        "BTC%0A",
        "🐳",
    ],
)
def test_logo_by_any_other_name_isnt_there(client: FlaskClient, logos: Path, code: str) -> None:
    assert client.get(f"/coins/{code}/logo").status_code == 404


def test_coins_are_only_read(client: FlaskClient) -> None:
    assert client.post("/coins").status_code == 405
    assert client.post("/coins/BTC/logo").status_code == 405
