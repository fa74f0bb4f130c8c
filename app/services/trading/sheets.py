"""A backtest's trades and values of k as lines for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from app.services.trading.results import BacktestCoin

_TRADE = (
    "part", "day", "k", "target", "bought_at", "sold_on", "sold_at", "reason", "fee", "return_pct",
)  # fmt: skip
_K = ("k", "return_pct", "trades", "chosen_days")


def trade_sheet(coins: Iterable[BacktestCoin]) -> Iterator[str]:
    """Every trade, in sample and out of sample, oldest first, coin by coin."""
    yield _line(("coin", *_TRADE), start="\ufeff")
    for coin in coins:
        for trade in coin["trades"]:
            yield _line((coin["code"], *(trade[name] for name in _TRADE)))  # type: ignore[literal-required]


def k_sheet(coins: Iterable[BacktestCoin]) -> Iterator[str]:
    """Every k of every coin."""
    yield _line(("coin", *_K), start="\ufeff")
    for coin in coins:
        for one in coin["ks"]:
            yield _line((coin["code"], *(one[name] for name in _K)))  # type: ignore[literal-required]


def _line(cells: Iterable[object], start: str = "") -> str:
    """Codes and figures alone, none of which a spreadsheet takes for a formula but negative ones,
    which are numbers."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_text(cell) for cell in cells])
    return start + buffer.getvalue()


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
