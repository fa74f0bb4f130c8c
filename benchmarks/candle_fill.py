"""`candle_fill`, `candle_use`: a year of days of 250 coins fetched at the limit, then used."""

import json
import random
import time
import urllib.request
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from flask import Flask

from app.domain.market import CandleUnit
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs.candles import LANES, Filling
from app.jobs.guard import Steps
from app.services import market
from app.services.market import Target
from benchmarks import stage
from benchmarks.serve import MARKETS, serving
from benchmarks.table import Row, must_equal

DAYS, PER_SECOND = 365, 10
CALLS = MARKETS * 2
#: The peer fetches again whatever it needs; so many coins tell how long.
USED = 20


def run() -> list[Row]:
    """Fill, see that a second run asks for nothing, and read what the peer fetches anew."""
    with (
        stage.folder() as folder,
        serving("recorded", record(folder / "recorded"), PER_SECOND) as (url, _),
    ):
        stage.migrated(folder / "candles.db")
        app = stage.make_app(folder / "candles.db", upbit_url=url)
        with app.app_context():
            seconds = fill(app, url)
            ours, peer = use(app)
        stage.close_app(app)
    return [
        Row(
            "candle_fill",
            CALLS / seconds,
            "calls/s",
            limit=float(PER_SECOND),
            target_vs_limit=0.9,
            notes=(
                f"{CALLS} calls for {DAYS} days of {MARKETS} coins, fetched, checked and stored in"
                " one transaction each, no 429; a second run made 0 calls; limit: what the exchange"
                " allows",
            ),
        ),
        Row(
            "candle_use",
            USED / ours,
            "years/s",
            peer=USED / peer,
            notes=(f"a year of one of {USED} coins; peer: pages of 200 fetched again per use",),
        ),
    ]


def record(folder: Path) -> Path:
    """Two years of random walks of 250 coins, as the exchange would have told them."""
    folder.mkdir()
    dice = random.Random(1)
    markets, tickers = [], []
    for number in range(MARKETS):
        name, price = f"KRW-C{number:03d}", 10 ** dice.uniform(0, 8)
        rows = list(_days(name, price, dice))
        (folder / f"candles_days_{name}.json").write_text(json.dumps(rows))
        markets.append({"market": name, "korean_name": name, "english_name": name})
        tickers.append(_ticker(name, rows[0]["trade_price"]))
    (folder / "market_all.json").write_text(json.dumps(markets))
    (folder / "ticker_krw.json").write_text(json.dumps(tickers))
    return folder


def _days(name: str, price: float, dice: random.Random) -> Iterator[dict[str, object]]:
    """Newest first, the one of today among them."""
    today = stage.NOW.replace(hour=0, minute=0)
    for back in range(2 * DAYS):
        first, price = price, round(price * dice.uniform(0.95, 1.05), 2)
        yield {
            "market": name,
            "candle_date_time_utc": f"{today - timedelta(days=back):%Y-%m-%dT%H:%M:%S}",
            "opening_price": round(first, 2),
            "high_price": round(max(first, price) * 1.01, 2),
            "low_price": round(min(first, price) * 0.99, 2),
            "trade_price": price,
            "candle_acc_trade_price": round(price * 1e6, 5),
            "candle_acc_trade_volume": round(1e6 * dice.random(), 8),
        }


def _ticker(name: str, price: object) -> dict[str, object]:
    moment = int(stage.NOW.timestamp() * 1000)
    return {"market": name, "trade_price": price, "trade_timestamp": moment, "timestamp": moment}


def fill(app: Flask, url: str) -> float:
    """Seconds for everything from the first call to the last commit."""
    exchange = app.extensions["whaling_market"]
    market.refresh_listings(market=exchange, now=stage.NOW)
    market.store_tickers(market=exchange, now=stage.NOW)
    wanted = due()
    must_equal("coins to fill", len(wanted), MARKETS)
    filling = Filling(exchange, Steps(now=stage.NOW), lanes=LANES)
    began = time.perf_counter()
    filling.run(wanted)
    seconds = time.perf_counter() - began
    must_equal("calls that failed", (filling.pushed_back, filling.is_over), (0, True))
    must_equal("calls", asked(url), CALLS)
    second = Filling(exchange, Steps(now=stage.NOW))
    second.run(due())
    must_equal("calls of a second run", (second.calls, asked(url)), (0, CALLS))
    return seconds


def due() -> list[Target]:
    """Days that are wanted and not known."""
    found = market.candle_targets(now=stage.NOW, days=DAYS)
    return [one for one in found if one.unit is CandleUnit.DAY and one.is_due(stage.NOW)]


def use(app: Flask) -> tuple[float, float]:
    """Seconds to read the year of some coins from what is kept, and to fetch it anew."""
    coins = [coin for coin in market.catalogue(stage.NOW) if coin.is_active][:USED]
    time.sleep(1.1)  # a new second, so that the peer begins with a full allowance
    began = time.perf_counter()
    kept = {coin.code: read(coin.id) for coin in coins}
    ours = time.perf_counter() - began
    db.session.rollback()
    began = time.perf_counter()
    fetched = {coin.code: fetch(app.extensions["whaling_market"], coin.code) for coin in coins}
    peer = time.perf_counter() - began
    must_equal("the years", kept, fetched)
    return ours, peer


def read(coin_id: int) -> dict[date, str]:
    """The closes of the year as we keep them."""
    found = market.candle_series(coin_id=coin_id, frame=CandleUnit.DAY, until=stage.NOW, count=DAYS)
    return {one.opened_at.date(): f"{one.close:f}" for one in found}


def fetch(exchange: Upbit, code: str) -> dict[date, str]:
    """The closes of the year, page by page from the exchange."""
    closes: dict[date, str] = {}
    until = stage.NOW.replace(hour=0, minute=0)
    while len(closes) < DAYS:
        count = min(200, DAYS - len(closes))
        page = exchange.candles(f"KRW-{code}", CandleUnit.DAY, until=until, count=count)
        closes |= {one.opened_at.date(): f"{one.close:f}" for one in page}
        until = page[-1].opened_at
    return closes


def asked(url: str) -> int:
    """How often the exchange was asked for candles, refused or not."""
    with urllib.request.urlopen(f"{url}/_sim") as answer:  # noqa: S310  # our own simulator
        told = json.load(answer)["requests"]
    return sum(number for path, number in told.items() if "candles" in path)
