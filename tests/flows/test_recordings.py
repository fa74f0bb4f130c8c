"""What the exchange really sent, replayed over sockets: every market, every digit."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.clock import utcnow
from app.domain.kst import floor_minute
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.models import Coin, Quote
from app.services.market import refresh_listings, store_tickers
from app.simulator import Simulator

RECORDINGS = Path(__file__).resolve().parents[3] / "shared/data/upbit"
ROW = re.compile(r'"market":\s*"(KRW-[A-Z0-9]+)".*?"trade_price":\s*([-+0-9.eE]+)', re.DOTALL)

pytestmark = [
    pytest.mark.flow,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings lie outside the project"),
]


def recorded_prices() -> dict[str, str]:
    """Market to the text of its price, cut from the file without reading it as a number."""
    text = (RECORDINGS / "ticker_krw.json").read_text("utf-8")
    return dict(ROW.findall(text))


def digits(units: int) -> str:
    """The stored count of 1e-8 won as plain decimal text, by cutting a string."""
    text = f"{units:09d}"
    return f"{text[:-8]}.{text[-8:]}".rstrip("0").rstrip(".")


def test_every_recorded_market_is_stored_digit_by_digit(app: Flask) -> None:
    recorded = recorded_prices()
    with Simulator(replay=RECORDINGS, rate_limit=None) as exchange, app.app_context():
        market = Upbit(exchange.url, pacer=Pacer(per_second=1000))

        refresh_listings(market=market, now=utcnow())
        store_tickers(market=market, now=utcnow())

        stored = dict(
            db.session.execute(
                select(Coin.market, db.text("quotes.price")).join(Quote, Quote.coin_id == Coin.id)
            ).all()
        )

    assert len(recorded) == 114
    assert {market: digits(stored[market]) for market in recorded} == {
        market: f"{Decimal(text):.8f}".rstrip("0").rstrip(".") for market, text in recorded.items()
    }


def test_a_recorded_candle_decides_with_its_own_digits(app: Flask) -> None:
    with Simulator(replay=RECORDINGS, rate_limit=None) as exchange:
        market = Upbit(exchange.url, pacer=Pacer(per_second=1000))

        candle = market.candle_before("KRW-BTC", floor_minute(utcnow()))

    assert candle is not None
    assert f'"trade_price":{candle.close}' in candle.raw.replace(" ", "").replace(".00000000", "")


def test_recorded_prices_have_the_age_of_the_recording(app: Flask) -> None:
    with Simulator(replay=RECORDINGS, rate_limit=None) as exchange, app.app_context():
        market = Upbit(exchange.url, pacer=Pacer(per_second=1000))
        refresh_listings(market=market, now=utcnow())

        report = store_tickers(market=market, now=utcnow())

    assert report.observed_at is not None
    assert (utcnow() - report.observed_at).days > 30
