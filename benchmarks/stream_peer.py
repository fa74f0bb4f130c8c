"""The peer of `stream`: each tick read whole and saved through the ORM, as one writes it first."""

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.db import transaction
from app.extensions import db
from app.models import Coin, Quote
from benchmarks import stage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRICES = {
    "price": "trade_price",
    "prev_close": "prev_closing_price",
    "open": "opening_price",
    "high": "high_price",
    "low": "low_price",
    "high_52w": "highest_52_week_price",
    "low_52w": "lowest_52_week_price",
}
_FIGURES = {
    "change_rate": "signed_change_rate",
    "turnover_24h": "acc_trade_price_24h",
    "turnover_today": "acc_trade_price",
}


def run(path: Path, frames: list[bytes], now: datetime) -> float:
    """Seconds for all frames."""
    app = stage.make_app(path)
    with app.app_context():
        ids = {
            market: number for number, market in db.session.execute(select(Coin.id, Coin.market))
        }
        db.session.remove()
        began = time.perf_counter()
        for frame in frames:
            _save(ids, json.loads(frame, parse_float=Decimal, parse_int=Decimal), now)
        spent = time.perf_counter() - began
    stage.close_app(app)
    return spent


def _save(ids: dict[str, int], row: dict[str, Any], now: datetime) -> None:
    values: dict[str, Any] = {name: row[field] for name, field in _PRICES.items()}
    values |= {name: float(row[field]) for name, field in _FIGURES.items()}
    values["traded_at"] = _moment(row["trade_timestamp"])
    values["observed_at"] = _moment(row["timestamp"])
    with transaction() as session:
        quote = session.get(Quote, ids[row["code"]])
        if quote is None:
            session.add(Quote(coin_id=ids[row["code"]], fetched_at=now, **values))
            return
        for name, value in values.items():
            setattr(quote, name, value)
        quote.fetched_at = now


def _moment(milliseconds: Decimal) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
