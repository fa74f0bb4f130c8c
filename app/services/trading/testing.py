"""Backtests of stored candles, coin by coin, told as plain values that can be kept."""

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from app.domain.candles import finished_until
from app.domain.exchanges import ExchangeName
from app.domain.market import CandleUnit
from app.domain.trading import (
    LEAST_ORDER,
    BacktestSettings,
    BadHistory,
    Day,
    TooFewDays,
    as_days,
)
from app.extensions import db
from app.services.market import candle_series, find_coin
from app.services.trading.results import (
    VERSION,
    BacktestCoin,
    BacktestCurves,
    BacktestData,
    BacktestK,
    BacktestLine,
    BacktestResult,
    BacktestTrade,
)

if TYPE_CHECKING:
    from app.analysis.backtest import BookedTrade, Judged, Line, Tested

# Imported by name: the import statement would name `app` itself, and so tie all rooms into one.
analysis = importlib.import_module("app.analysis")
#: So many shuffled markets are searched per coin; each is a step of the progress.
SHUFFLES = 200
_SOURCE = "upbit"
_FINE = Decimal("1e-8")

Progress = Callable[[int], None]


def total_steps(settings: BacktestSettings) -> int:
    """How many steps `run_backtest` tells of."""
    return len(settings.codes) * (SHUFFLES + 1 if settings.chooses_k else 1)


def run_backtest(
    settings: BacktestSettings, *, now: datetime, progress: Progress
) -> BacktestResult:
    """Judge each coin over its finished days; `progress` is told how many steps are done.

    What `progress` raises ends the work. A coin that can't be judged says why, and the others are
    judged all the same. No transaction stays open while figures are made.
    """
    steps = total_steps(settings) // len(settings.codes)
    coins: list[BacktestCoin] = []
    for place, code in enumerate(settings.codes):
        done = place * steps
        coins.append(_coin(code, settings, now, _counted(progress, done)))
        progress(done + steps)
    return {"version": VERSION, "coins": coins}


def _counted(progress: Progress, before: int) -> Progress:
    """The progress of one coin as progress of all."""
    return lambda done: progress(before + done)


def _coin(code: str, settings: BacktestSettings, now: datetime, progress: Progress) -> BacktestCoin:
    told = _blank(code, settings)
    try:
        days = _days(code, settings, now)
        told["data"] = _data(days, settings)
        judge = _search if settings.chooses_k else _follow
        judge(told, days, settings, progress)
    except TooFewDays as problem:
        told["problem"] = problem.code
        told["params"] = {name: int(str(value)) for name, value in problem.params.items()}
    except BadHistory:
        told["problem"] = "days_unusable"
    return told


def _days(code: str, settings: BacktestSettings, now: datetime) -> Sequence[Day]:
    """The last finished days of a coin that we hold; no transaction is open afterwards."""
    end = finished_until(now, CandleUnit.DAY)
    coin = find_coin(code, now)
    if coin is None:
        return []
    candles = candle_series(coin_id=coin.id, frame=CandleUnit.DAY, until=end, count=settings.days)
    db.session.rollback()
    start = (end - timedelta(days=settings.days)).date()
    return [one for one in as_days(candles, ExchangeName.UPBIT) if one.day >= start]


def _data(days: Sequence[Day], settings: BacktestSettings) -> BacktestData:
    first, last = (days[0].day, days[-1].day) if days else (None, None)
    return {
        "source": _SOURCE,
        "wanted": settings.days,
        "known": len(days),
        "missing": (last - first).days + 1 - len(days) if first and last else 0,
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
    }


def _blank(code: str, settings: BacktestSettings) -> BacktestCoin:
    return {
        "code": code,
        "data": _data([], settings),
        "problem": None, "params": {}, "best_k": None, "next_k": None,
        "in_sample": None, "out_of_sample": None, "holding": None, "ks": [], "trades": [],
        "curves": None, "p_value": None, "doubts": [],
    }  # fmt: skip


def _search(
    told: BacktestCoin, days: Sequence[Day], settings: BacktestSettings, progress: Progress
) -> None:
    """Choose k, walk forward, and try shuffled markets."""
    if not days:
        raise TooFewDays(needed=settings.window + 2, had=0)
    found = analysis.backtest.judge(
        analysis.history.History.of(days),
        settings.search(),
        capital=settings.capital,
        min_total=LEAST_ORDER,
        shuffles=SHUFFLES,
        progress=lambda done, _total: progress(done),
    )
    searched = found.searched
    told["best_k"] = settings.search().grid[searched.best].normalize()
    told["next_k"] = searched.next_k.normalize()
    told["in_sample"] = _line(found.in_sample.line)
    told["out_of_sample"] = _line(found.out_of_sample.line)
    told["holding"] = _line(found.holding)
    told["ks"] = _ks(found, settings)
    told["trades"] = [
        *_trades("in", found.in_sample, settings.capital),
        *_trades("out", found.out_of_sample, settings.capital),
    ]
    told["curves"] = _curves(found.out_of_sample.line, found.holding, found.in_sample.line)
    told["p_value"] = found.p_value
    told["doubts"] = [doubt.value for doubt in found.doubts]


def _follow(
    told: BacktestCoin, days: Sequence[Day], settings: BacktestSettings, _progress: Progress
) -> None:
    """A strategy that chooses nothing: all its days are out of sample."""
    found = analysis.following.follow(
        days, settings.crossing(), settings.costs(), settings.capital, min_total=LEAST_ORDER
    )
    told["out_of_sample"], told["holding"] = _line(found.line), _line(found.holding)
    told["trades"] = [_trade("out", one) for one in found.trades]
    told["curves"] = _curves(found.line, found.holding, None)
    told["doubts"] = [doubt.value for doubt in found.doubts]


def _line(line: "Line") -> BacktestLine:
    return {
        "days": len(line.days),
        "since": _isos(line.days[:1])[0] if len(line.days) else None,
        "return_pct": _gain(line.growth),
        "drawdown_pct": round(100 * line.drawdown, 4),
        "trades": line.trades,
        "hits": line.hits,
    }


def _ks(found: "Judged", settings: BacktestSettings) -> list[BacktestK]:
    grid, searched = settings.search().grid, found.searched
    chosen_days = Counter(searched.chosen.tolist())
    return [
        {
            "k": k.normalize(),
            "return_pct": _gain(searched.growth[place]),
            "trades": int(searched.trades[place]),
            "chosen_days": chosen_days[place],
        }
        for place, k in enumerate(grid)
    ]


def _trades(part: str, tested: "Tested", capital: Decimal) -> Iterable[BacktestTrade]:
    return (_trade(part, one) for one in tested.trades(capital))


def _trade(part: str, one: "BookedTrade") -> BacktestTrade:
    return {
        "part": part,
        "day": one.day.isoformat(),
        "k": one.k and one.k.normalize(),
        "target": one.target,
        "bought_at": one.bought_at,
        "sold_on": one.sold_on.isoformat(),
        "sold_at": one.sold_at,
        "reason": one.reason and one.reason.value,
        "fee": _short(one.fee),
        "return_pct": _short((one.growth - 1) * 100),
    }


def _curves(out_of_sample: "Line", holding: "Line", in_sample: "Line | None") -> BacktestCurves:
    return {
        "days": _isos(out_of_sample.days),
        "in_sample": _gains(in_sample) if in_sample else [],
        "out_of_sample": _gains(out_of_sample),
        "holding": _gains(holding),
    }


def _gains(line: "Line") -> list[float]:
    return [_gain(value) for value in line.curve]


def _gain(growth: float) -> float:
    """What one won became, as a gain in percent."""
    return round(100 * (float(growth) - 1), 4)


def _isos(ordinals: Iterable[int]) -> list[str]:
    return [date.fromordinal(int(one)).isoformat() for one in ordinals]


def _short(amount: Decimal) -> Decimal:
    """An amount that was divided, to eight decimals; figures of the exchange keep all of theirs."""
    return amount.quantize(_FINE, ROUND_HALF_EVEN)
