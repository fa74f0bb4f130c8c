"""The limit of `minute`: fetch, parse and write by hand, with the same transactions."""

import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.domain.market import Candle
from app.services.votes import Evidence
from benchmarks import raw, stage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = "price, prev_close, high, low, change_rate, turnover_24h, traded_at"
_QUOTE = (
    f"INSERT INTO quotes (coin_id, {_COLUMNS}, observed_at, fetched_at, suspect_count)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (coin_id) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}" for name in f"{_COLUMNS}, observed_at, fetched_at".split(", ")
    )
)
_SAMPLE = (
    "INSERT INTO price_samples (coin_id, minute, price, is_tenth) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_CLOSE = (
    "UPDATE votes SET state = 'finished', updated_at = ?1 WHERE stage = 0 AND finished_at <= ?1"
)
_DUE = (
    "SELECT v.id, c.market, v.tracked_at FROM votes v JOIN coins c ON c.id = v.coin_id"
    " WHERE v.state = 'finished' AND v.tracked_at <= ? ORDER BY v.tracked_at, v.coin_id, v.id"
)


def run(path: Path, url: str) -> float:
    """Seconds for the whole minute on this database."""
    connection = stage.connect(path)
    connection.execute("SELECT count(*) FROM leases").fetchone()
    line = HTTPConnection(urlsplit(url).netloc)
    began = time.perf_counter()
    _store_tickers(connection, line)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_CLOSE, (stage.stamp(stage.NOW),))
    connection.execute("COMMIT")
    _settle_votes(connection, line)
    seconds = time.perf_counter() - began
    line.close()
    connection.close()
    return seconds


def _fetch(line: HTTPConnection, path: str, **query: str) -> Any:
    line.request("GET", f"{path}?{urlencode(query)}")
    body = line.getresponse().read()
    return json.loads(body, parse_float=Decimal)


def _store_tickers(connection: sqlite3.Connection, line: HTTPConnection) -> None:
    rows = _fetch(line, "/v1/ticker/all", quote_currencies="KRW")
    ids = dict(connection.execute("SELECT market, id FROM coins").fetchall())
    newest = _moment(max(row["timestamp"] for row in rows))
    minute = newest.replace(second=0, microsecond=0)
    seen, at, tenth = stage.stamp(newest), stage.stamp(minute), minute.minute % 10 == 0
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_QUOTE, [_quote(ids[row["market"]], row, seen) for row in rows])
    connection.executemany(
        _SAMPLE, [(ids[row["market"]], at, _units(row["trade_price"]), tenth) for row in rows]
    )
    connection.execute("COMMIT")


def _quote(coin_id: int, row: dict[str, Any], seen: str) -> tuple[object, ...]:
    prices = ("trade_price", "prev_closing_price", "high_price", "low_price")
    return (
        coin_id,
        *(_units(row[name]) for name in prices),
        float(row["signed_change_rate"]),
        float(row["acc_trade_price_24h"]),
        stage.stamp(_moment(row["trade_timestamp"])),
        seen,
        stage.stamp(stage.NOW),
    )


def _settle_votes(connection: sqlite3.Connection, line: HTTPConnection) -> None:
    due = connection.execute(_DUE, (stage.stamp(stage.NOW),)).fetchall()
    for (market, tracked_at), group in groupby(due, lambda row: row[1:]):
        evidence = _candle(line, market, tracked_at)
        connection.execute("BEGIN IMMEDIATE")
        for vote_id, *_ in group:
            raw.settle_within(connection, vote_id, evidence, stage.NOW)
        connection.execute("COMMIT")


def _candle(line: HTTPConnection, market: str, tracked_at: str) -> Evidence:
    until = tracked_at[:19].replace(" ", "T") + "Z"
    row = _fetch(line, "/v1/candles/minutes/1", market=market, to=until, count="2")[0]
    opened_at = datetime.fromisoformat(row["candle_date_time_utc"]).replace(tzinfo=UTC)
    close = Decimal(row["trade_price"])
    raw_quote = json.dumps(row, default=str)
    return Evidence(
        Candle(market, opened_at, close, close, close, close, raw_quote), "upbit", stage.NOW
    )


def _units(value: Decimal | int) -> int:
    return int(value * 100_000_000)


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
