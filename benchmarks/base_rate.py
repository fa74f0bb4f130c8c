"""`base_rate`: how often each of 250 coins moved, for 3 durations, 2 directions, 300 ranges."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.analysis.base_rates import Table, base_rate_table
from app.domain.base_rates import WINDOW_DAYS, end_day
from app.domain.votes import Direction, Duration
from benchmarks.table import Row, middle, must_equal

COINS, RANGES, RUNS = 250, 300, 25
#: The peer takes its time; so many coins tell how long.
PEER_COINS = 3
LAST = date(2026, 11, 19)
WON = 10**8
RATES = len(Duration) * len(Direction) * RANGES
Closes = NDArray[np.int64]


def run() -> list[Row]:
    """Ours and the limit in turn, the peer once on a few coins; all must count the same."""
    closes = prepare()
    base_rate_table(closes, LAST)
    taken: dict[str, list[float]] = {"ours": [], "limit": []}
    for _ in range(RUNS):
        taken["ours"].append(_seconds(lambda: base_rate_table(closes, LAST)))
        taken["limit"].append(_seconds(lambda: limit(closes)))
    began = time.perf_counter()
    counted = peer(closes[:, :PEER_COINS])
    seconds = time.perf_counter() - began
    _compare(base_rate_table(closes, LAST), counted)
    rates = COINS * RATES
    return [
        Row(
            "base_rate",
            rates / middle(taken["ours"]),
            "rates/s",
            peer=PEER_COINS * RATES / seconds,
            limit=rates / middle(taken["limit"]),
            target_vs_limit=0.5,
            notes=(
                f"{RUNS} runs over {COINS} coins of {WINDOW_DAYS} days; peer: integers, window by"
                f" window, on {PEER_COINS} coins; limit: numpy fetches and divides every window"
                " once and writes every figure once, but counts nothing",
            ),
        )
    ]


def prepare() -> Closes:
    """A year of random walks of all sizes, some days without a trade; one row per day."""
    dice = np.random.default_rng(1)
    walks = np.exp(np.cumsum(dice.normal(0, 0.05, (COINS, WINDOW_DAYS)), axis=1))
    prices = 10 ** dice.uniform(-4, 8, (COINS, 1)) * WON * walks
    closes = np.clip(prices.round(), 1, 10**17 // 2).astype(np.int64)
    closes[dice.random((COINS, WINDOW_DAYS)) < 0.01] = 0
    return np.ascontiguousarray(closes.T)


def limit(closes: Closes) -> None:
    """One pass: every window is looked at and divided once, every figure written once."""
    for duration in Duration:
        ends = places(duration)
        first, last = closes[: len(ends)], closes[ends]
        100 * last // np.maximum(first, 1)
    np.full((len(Duration), len(Direction), RANGES, COINS), 1, np.int16)


@cache
def places(duration: Duration) -> NDArray[np.int64]:
    """Where windows end; a matter of the calendar, known before."""
    return np.array([end for _, end in windows(duration)])


def peer(closes: Closes) -> list[dict[tuple[Duration, Direction, int], int]]:
    """A loop over ranges and windows, as one writes it first."""
    return [_counted([int(close) for close in coin]) for coin in closes.T]


def _counted(closes: list[int]) -> dict[tuple[Duration, Direction, int], int]:
    hits = {}
    for duration in Duration:
        pairs = windows(duration)
        for direction in Direction:
            sign = 1 if direction is Direction.UP else -1
            for range_pct in range(1, RANGES + 1):
                count = 0
                for start, end in pairs:
                    first, last = closes[start], closes[end]
                    if not first or not last:
                        continue
                    if sign * 100 * last >= sign * first * (100 + sign * range_pct):
                        count += 1
                hits[duration, direction, range_pct] = count
    return hits


def windows(duration: Duration) -> list[tuple[int, int]]:
    """Places of the first and the last day of each window."""
    first_day = LAST - timedelta(days=WINDOW_DAYS - 1)
    pairs = [
        (start, (end_day(first_day + timedelta(days=start), duration) - first_day).days)
        for start in range(WINDOW_DAYS)
    ]
    return [pair for pair in pairs if pair[1] < WINDOW_DAYS]


def _compare(table: Table, counted: list[dict[tuple[Duration, Direction, int], int]]) -> None:
    for coin, hits in enumerate(counted):
        ours = {
            (duration, direction, range_pct): int(table.hits[number, way, range_pct, coin])
            for number, duration in enumerate(Duration)
            for way, direction in enumerate(Direction)
            for range_pct in range(1, RANGES + 1)
        }
        must_equal(f"base rates of coin {coin}", ours, hits)


def _seconds(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began
