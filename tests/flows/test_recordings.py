"""What the exchange really sent, replayed over sockets: every market, every digit."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import select

from app.clock import utcnow
from app.domain.kst import floor_minute
from app.domain.market import FeedSource, Ticker
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.exchanges.upbit_stream import UpbitStream
from app.exchanges.websocket import WebSocket
from app.extensions import db
from app.models import Coin, Quote
from app.services.market import FeedNote, refresh_listings, store_tickers, store_ticks
from app.simulator import Simulator
from tests import factories as make
from tests.exchanges.pushing import Pusher

RECORDINGS = Path(__file__).resolve().parents[3] / "shared/data/upbit"
PUSHED = {
    "price": "trade_price",
    "prev_close": "prev_closing_price",
    "open": "opening_price",
    "high": "high_price",
    "low": "low_price",
    "high_52w": "highest_52_week_price",
    "low_52w": "lowest_52_week_price",
}
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


def pushed_frames() -> list[bytes]:
    """Every whole ticker frame that was recorded, in the order of its stamp."""
    files = sorted(RECORDINGS.glob("ws_ticker_*.jsonl"))
    return sorted((line for file in files for line in file.read_bytes().splitlines()), key=stamp)


def stamp(frame: bytes) -> int:
    return int(cut(frame, "timestamp"))


def cut(frame: bytes, name: str) -> str:
    """The text of a field, without reading it as a number."""
    return frame.split(f'"{name}":'.encode())[1].split(b",")[0].split(b"}")[0].decode()


def hear(stream: UpbitStream, now: datetime) -> tuple[Ticker, ...]:
    """What the stream tells next."""
    end = monotonic() + 10
    while monotonic() < end:
        stream.listen(0.05, now)
        if ticks := stream.take().ticks:
            return ticks
    raise AssertionError("the frame did not arrive")


def test_every_recorded_frame_arrives_on_the_board_digit_by_digit(app: Flask) -> None:
    frames = pushed_frames()
    with Pusher() as exchange, app.app_context():
        coins = {f"KRW-{code}": make.make_coin(code, price=None).id for code in ("BTC", "ETH")}
        stream = UpbitStream(WebSocket(exchange.url))
        stream.open(coins)
        exchange.wait_for(1)
        for frame in frames:
            exchange.push(frame)
            now = datetime.fromtimestamp(stamp(frame) / 1000 + 0.05, UTC)
            note = FeedNote(FeedSource.STREAM, since=now, heard_at=now)
            store_ticks(ticks=hear(stream, now), note=note, now=now)

            row = db.session.execute(
                db.text("SELECT * FROM quotes WHERE coin_id = :coin"),
                {"coin": coins[cut(frame, "code").strip('"')]},
            )
            stored = row.mappings().one()

            assert {name: digits(stored[name]) for name in PUSHED} == {
                name: f"{Decimal(cut(frame, field)):.8f}".rstrip("0").rstrip(".")
                for name, field in PUSHED.items()
            }
            traded = datetime.fromisoformat(stored["traded_at"]).replace(tzinfo=UTC)
            assert round(traded.timestamp() * 1000) == int(cut(frame, "trade_timestamp"))
        stream.close()

    assert len(frames) == 4
