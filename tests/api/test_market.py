"""Coins over JSON, beyond the contract."""

from app.clock import utcnow
from app.domain.market import Ticker
from app.services import market
from tests import factories as make
from tests.api.conftest import Client
from tests.fakes import FakeMarket


def test_coin_tells_its_price_with_its_age(stranger: Client) -> None:
    make.make_coin(price="0.00012345", observed_at=make.NOW)

    response = stranger.get("/coins/BTC")

    assert b'"price":0.00012345,' in response.data
    assert response.get_json()["price_as_of"] == "2026-03-02T03:04:30Z"


def test_coin_never_seen_has_no_price(stranger: Client) -> None:
    make.make_coin(price=None)

    found = stranger.get("/coins/BTC").get_json()

    assert (found["price"], found["price_as_of"], found["change_percent"]) == (None, None, None)


def test_change_is_told_in_percent_without_noise(stranger: Client) -> None:
    make.make_coin(price=None)
    now = utcnow()
    row = Ticker("KRW-BTC", make.Decimal(100), now, now, change_rate=0.0123456, turnover_24h=5e9)
    market.store_tickers(market=FakeMarket(row), now=now)

    response = stranger.get("/coins/BTC")

    assert b'"change_percent":1.23,' in response.data
    assert response.get_json()["turnover_24h"] == 5e9


def test_picture_is_a_whole_address_on_our_host(stranger: Client) -> None:
    make.make_coin()
    market_with_logo = FakeMarket()
    market_with_logo.logos["BTC"] = b"png"
    folder = stranger.raw.application.config["WHALING_INSTANCE"] / "logos"
    market.fetch_logos(market=market_with_logo, folder=folder, now=make.NOW)

    assert stranger.get("/coins/BTC").get_json()["image"] == "http://localhost/coins/BTC/logo"


def test_codes_are_matched_as_they_are(stranger: Client, coin: str) -> None:
    assert stranger.get("/coins/btc").status_code == 404
    assert stranger.get("/tracker/coins?coin_code=btc").get_json() == []
