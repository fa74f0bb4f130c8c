"""Daily histories: told in one line each, generated, and recorded ones of real markets."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import strategies as st

from app.domain.trading import Day, Ticks

FIRST = date(2026, 1, 1)
RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "candles"
#: File, column of the date; the columns of prices follow it.
RECORDINGS = (
    "upbit_KRW-BTC_days_2024.csv",
    "upbit_KRW-NEO_days_2024.csv",
    "upbit_KRW-BTT_days_2020-10_2021-05.csv",
    "upbit_KRW-DOGE_days_2024-01_2024-04_ohlc.csv",
    "upbit_KRW-ETH_days_2024-01_2024-04_ohlc.csv",
    "upbit_KRW-XRP_days_2024-01_2024-04_ohlc.csv",
    "upbit_KRW-BTC_days_DERIVED_from_minutes60_2021.csv",
    "bithumb_BTC_KRW_days_2013-12_2022-07.csv",
)


def make_days(*rows: str, first: date = FIRST) -> list[Day]:
    """Days in a row from "open high low close"; an empty row is a day without trades."""
    return [
        Day(first + timedelta(days=place), *map(Decimal, row.split()))
        for place, row in enumerate(rows)
        if row
    ]


def recorded(name: str) -> list[Day]:
    """The finished days of a recording; skips, with the reason, where the folder isn't there."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"needs the recording {path}")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:-1]  # the last row was still forming
    return list(_ascending(Day(date.fromisoformat(r[0][:10]), *map(Decimal, r[1:5])) for r in rows))


def _ascending(days: Iterator[Day]) -> Iterator[Day]:
    """One recording tells a day twice; the first of them counts."""
    last = date.min
    for day in days:
        if day.day > last and 0 < day.low <= day.open <= day.high >= day.close >= day.low:
            yield day
            last = day.day


@st.composite
def histories(draw: st.DrawFn, *, ticks: Ticks, fewest: int = 0, most: int = 40) -> list[Day]:
    """Days that a market may have: on its price steps or off them, with holes, calm and wild."""
    on_grid = draw(st.booleans())
    price = draw(st.sampled_from(("0.004", "0.37", "98", "1010", "4990", "71234", "99900000")))
    day, last = draw(st.sampled_from((FIRST, date(2024, 1, 15), date(2020, 5, 1)))), Decimal(price)
    days: list[Day] = []
    for _ in range(draw(st.integers(fewest, most))):
        moves = [last * (1000 + draw(st.integers(-90, 100))) / 1000 for _ in range(4)]
        prices = sorted(_tradable(move, day, ticks, on_grid) for move in moves)
        inner = draw(st.permutations(prices[1:3]))
        if draw(st.booleans()):  # opens at its low or closes at its high, as real days do
            inner = [prices[0], prices[3]]
        days.append(Day(day, inner[0], prices[3], prices[0], inner[1]))
        last = inner[1]
        day += timedelta(days=draw(st.sampled_from((1, 1, 1, 1, 1, 1, 1, 2, 5))))
    return days


def _tradable(price: Decimal, day: date, ticks: Ticks, on_grid: bool) -> Decimal:
    if on_grid:
        return ticks.down(price, day)
    return max(Decimal("1e-8"), price.quantize(Decimal("1e-6") if price < 10 else Decimal("0.01")))


def perturbed(days: Sequence[Day], after: int) -> list[Day]:
    """The same days as far as they are known when day `after` opens, and quite other ones then."""
    known, opened, later = days[:after], days[after : after + 1], days[after + 1 :]
    return [
        *known,
        *(Day(one.day, one.open, one.high * 4, one.low / 4, one.high * 3) for one in opened),
        *(
            Day(one.day, *(p * 3 for p in (one.open, one.high, one.low, one.close)))
            for one in later
        ),
    ]
