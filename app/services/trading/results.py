"""What a backtest tells, as plain values, and how those are kept."""

import json
from decimal import Decimal
from typing import TypedDict, cast

#: Raised when what a result looks like changes; one of another version is to be asked anew.
VERSION = 2
#: What is exact, and kept as text: the keeper's numbers are binary.
_EXACT = frozenset({"k", "best_k", "next_k", "target", "bought_at", "sold_at", "fee", "return_pct"})


class BacktestLine(TypedDict):
    """One way to trade: what came of it over some days. All `_pct` are percentages."""

    days: int
    since: str | None
    return_pct: float
    drawdown_pct: float
    trades: int
    hits: int


class BacktestK(TypedDict):
    """One k: what it would have brought over the same days, and on how many it was the choice."""

    k: Decimal
    return_pct: float
    trades: int
    chosen_days: int


class BacktestTrade(TypedDict):
    """One trade, its figures exact; `fee` and `return_pct` to eight decimals.

    `part` is `in` or `out` (of sample); without a reason it isn't sold yet.
    """

    part: str
    day: str
    k: Decimal | None
    target: Decimal
    bought_at: Decimal
    sold_on: str
    sold_at: Decimal
    reason: str | None
    fee: Decimal
    return_pct: Decimal


class BacktestCurves(TypedDict):
    """What the money had gained after each day, in percent; `in_sample` is empty without a k."""

    days: list[str]
    in_sample: list[float]
    out_of_sample: list[float]
    holding: list[float]


class BacktestData(TypedDict):
    """Which days the figures rest on: how many were wanted, known, and missing in between."""

    source: str
    wanted: int
    known: int
    missing: int
    first: str | None
    last: str | None


class BacktestCoin(TypedDict):
    """The result of one coin; with a `problem` there are no figures, and `params` fill it in.

    All three lines are of the same days. `in_sample` trades with `best_k`, which was best over
    these very days, and so flatters; `out_of_sample` with what was chosen before each of them, or
    with what chooses nothing. `next_k` is what the newest days choose.
    """

    code: str
    data: BacktestData
    problem: str | None
    params: dict[str, int]
    best_k: Decimal | None
    next_k: Decimal | None
    in_sample: BacktestLine | None
    out_of_sample: BacktestLine | None
    holding: BacktestLine | None
    ks: list[BacktestK]
    trades: list[BacktestTrade]
    curves: BacktestCurves | None
    p_value: float | None
    doubts: list[str]


class BacktestResult(TypedDict):
    """All coins of a backtest, in the order in which they were asked for."""

    version: int
    coins: list[BacktestCoin]


def to_json(result: BacktestResult) -> str:
    """The result as text for the database."""
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"), default=_plain)


def from_json(text: str) -> BacktestResult | None:
    """What `to_json` wrote; None for a result of another version."""
    result = cast(BacktestResult, json.loads(text, object_hook=_revived))
    return result if result["version"] == VERSION else None


def _plain(figure: Decimal) -> str:
    """As one writes it: 0.1, not 0.100."""
    return f"{figure.normalize():f}"


def _revived(part: dict[str, object]) -> dict[str, object]:
    return {
        name: Decimal(value) if name in _EXACT and isinstance(value, str) else value
        for name, value in part.items()
    }
