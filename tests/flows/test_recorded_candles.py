"""Real candle histories, replayed over sockets and filled by the job: every digit, every gap."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.base_rates import moves
from app.domain.kst import KST
from app.domain.market import CandleUnit
from app.domain.money import to_units
from app.domain.votes import Duration
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs.candles import Filling, due_targets
from app.jobs.guard import Steps
from app.models import CandleSpan, StoredCandle
from app.services import market
from app.simulator import Simulator
from tests import factories as make

HISTORIES = Path(__file__).resolve().parents[3] / "shared/data/candles"
PRICES = ("opening_price", "high_price", "low_price", "trade_price")

pytestmark = [
    pytest.mark.flow,
    pytest.mark.skipif(not HISTORIES.is_dir(), reason="the recordings lie outside the project"),
]
Rows = dict[datetime, dict[str, str]]


def recorded(name: str) -> Rows:
    """The rows of a history by the moment their candle opened; its last one may still form."""
    with (HISTORIES / name).open(encoding="utf-8") as lines:
        return {_opened_at(row): row for row in csv.DictReader(lines)}


def _opened_at(row: dict[str, str]) -> datetime:
    if "candle_date_time_kst" in row:
        korean = datetime.fromisoformat(row["candle_date_time_kst"]).replace(tzinfo=KST)
        return korean.astimezone(UTC)
    return datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)


def as_sent(rows: Rows, market_: str, unit: CandleUnit) -> str:
    """The rows as the exchange sends them: newest first, numbers with the recorded digits."""
    texts = []
    for opened_at in sorted(rows, reverse=True):
        fields = {
            "market": json.dumps(market_),
            "candle_date_time_utc": f'"{opened_at:%Y-%m-%dT%H:%M:%S}"',
            **{key: rows[opened_at][key] for key in PRICES},
        }
        if unit is not CandleUnit.DAY:
            fields["unit"] = str(int(unit))
        texts.append("{" + ",".join(f'"{key}":{text}' for key, text in fields.items()) + "}")
    return "[" + ",\n".join(texts) + "]"


def fill(app: Flask, folder: Path, rows: Rows, code: str, unit: CandleUnit) -> Iterator[Filling]:
    """Fill what is wanted as of the recording's last candle, then once more."""
    kind = "days" if unit is CandleUnit.DAY else f"minutes_{int(unit)}"
    (folder / f"candles_{kind}_KRW-{code}.json").write_text(as_sent(rows, f"KRW-{code}", unit))
    now = max(rows) + timedelta(minutes=1)
    with Simulator(replay=folder, rate_limit=None) as exchange:
        client = Upbit(exchange.url, pacer=Pacer(per_second=1e6))
        for _ in range(2):
            wanted = [target for target in due_targets(now) if target.unit is unit]
            filling = Filling(client, Steps(now=now))
            filling.run(wanted)
            yield filling


@pytest.mark.parametrize(
    ("name", "code", "unit", "calls"),
    [
        ("upbit_KRW-BTC_days_2024.csv", "BTC", CandleUnit.DAY, 2),
        ("upbit_KRW-NEO_days_2024.csv", "NEO", CandleUnit.DAY, 2),
        ("upbit_KRW-BTT_days_2020-10_2021-05.csv", "BTT", CandleUnit.DAY, 2),
        ("upbit_KRW-XRP_days_2024-01_2024-04_ohlc.csv", "XRP", CandleUnit.DAY, 2),
        ("upbit_KRW-BTC_minutes60_2020-12-31_2021-07-28.csv", "BTC", CandleUnit.HOUR, 1),
    ],
)
def test_recorded_history_is_stored_digit_by_digit(
    app: Flask, tmp_path: Path, name: str, code: str, unit: CandleUnit, calls: int
) -> None:
    rows = recorded(name)
    newest = max(rows)
    with app.app_context():
        coin = make.make_coin(code, price=None)

        first, second = fill(app, tmp_path, rows, code, unit)

        stored = db_rows(coin.id, unit)
        assert (first.calls, first.pushed_back, second.calls) == (calls, 0, 0)
        assert newest not in stored  # it was still forming
        expected = sorted(rows)[-len(stored) - 1 : -1]
        assert sorted(stored) == expected
        for opened_at in expected:
            assert stored[opened_at] == [to_units(Decimal(rows[opened_at][key])) for key in PRICES]


def db_rows(coin_id: int, unit: CandleUnit) -> dict[datetime, list[int]]:
    """What the table holds, prices as the integers that they are kept as."""
    found = db.session.execute(
        select(
            StoredCandle.opened_at,
            StoredCandle.open,
            StoredCandle.high,
            StoredCandle.low,
            StoredCandle.close,
        ).where(StoredCandle.coin_id == coin_id, StoredCandle.unit == unit)
    )
    return {row[0]: [to_units(price) for price in row[1:]] for row in found}


def test_recorded_holes_are_known_as_times_without_trades(app: Flask, tmp_path: Path) -> None:
    everything = recorded("upbit_KRW-BTC_minutes60_2020-12-31_2021-07-28.csv")
    hole = datetime(2021, 2, 19, 19, tzinfo=UTC)  # maintenance, 04:00 to 06:00 in Korea
    rows = {at: row for at, row in everything.items() if at <= hole + timedelta(days=2)}
    with app.app_context():
        coin = make.make_coin(price=None)

        _first, second = fill(app, tmp_path, rows, "BTC", CandleUnit.HOUR)

        stored = db_rows(coin.id, CandleUnit.HOUR)
        span = db.session.get(CandleSpan, (coin.id, CandleUnit.HOUR))
        assert span is not None
        assert hole not in stored
        assert span.known_from < hole < span.known_until
        assert second.calls == 0


def test_base_rates_of_a_recorded_year_are_counted_from_its_closes(
    app: Flask, tmp_path: Path
) -> None:
    rows = recorded("upbit_KRW-BTC_days_2024.csv")
    now = max(rows) + timedelta(minutes=1)
    closes = {
        at.date(): to_units(Decimal(row["trade_price"]))
        for at, row in rows.items()
        if at < max(rows)
    }
    with app.app_context():
        coin = make.make_coin(price=None)
        list(fill(app, tmp_path, rows, "BTC", CandleUnit.DAY))

        for duration in Duration:
            counted = moves(closes, duration, max(closes))
            asked = make.make_draft(duration=duration, range_pct=5).asked
            found = market.base_rate(coin_id=coin.id, asked=asked, now=now)
            assert counted is not None
            assert found == counted.rate(asked.direction, 5)
            assert 0 < found.hits < found.windows < 200
