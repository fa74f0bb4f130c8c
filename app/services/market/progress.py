"""How far the candles are filled, for staff and the command line."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.domain.market import CandleUnit
from app.extensions import db
from app.models import CandleSpan, Coin, JobRun, StoredCandle
from app.services.market.targets import candle_targets

FILLING_JOB = "candles"
#: A pace measured longer ago than this says nothing about now.
_PACE_HOLDS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class UnitProgress:
    """Of one unit: coins whose candles are wanted and known, calls still to make, rows we hold."""

    unit: CandleUnit
    wanted: int
    known: int
    calls_left: int
    candles: int


@dataclass(frozen=True, slots=True)
class FailingCandles:
    """Candles that could not be had, why, how often in a row, and when they are asked for again."""

    code: str
    unit: CandleUnit
    attempts: int
    retry_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class FillProgress:
    """How far it is. `calls_per_s` is the pace of a server that fills, None where none does."""

    units: tuple[UnitProgress, ...]
    failing: tuple[FailingCandles, ...]
    calls_per_s: float | None

    @property
    def calls_left(self) -> int:
        """How many calls it takes at most until all is known."""
        return sum(unit.calls_left for unit in self.units)

    @property
    def time_left(self) -> timedelta | None:
        """How long that takes at the last pace; None without one."""
        return timedelta(seconds=self.calls_left / self.calls_per_s) if self.calls_per_s else None


def fill_progress(now: datetime) -> FillProgress:
    """What is wanted of all active coins, what is known of it, and what could not be had."""
    targets, held = candle_targets(now=now), _held()
    units = []
    for unit in sorted(CandleUnit, reverse=True):
        wanted = [target for target in targets if target.unit is unit]
        known = sum(target.ask is None for target in wanted)
        calls = sum(target.calls_left for target in wanted)
        units.append(UnitProgress(unit, len(wanted), known, calls, held.get(unit, 0)))
    return FillProgress(tuple(units), _failing(), _pace(now))


def _held() -> dict[int, int]:
    counts = select(StoredCandle.unit, func.count()).group_by(StoredCandle.unit)
    return {row[0]: row[1] for row in db.session.execute(counts)}


def _failing() -> tuple[FailingCandles, ...]:
    rows = db.session.execute(
        select(
            Coin.code,
            CandleSpan.unit,
            CandleSpan.attempts,
            CandleSpan.retry_at,
            CandleSpan.problem,
        )
        .join(Coin, Coin.id == CandleSpan.coin_id)
        .where(Coin.is_active, CandleSpan.attempts > 0)
        .order_by(CandleSpan.attempts.desc(), Coin.code, CandleSpan.unit.desc())
    )
    return tuple(
        FailingCandles(code, CandleUnit(unit), attempts, retry_at, problem or "")
        for code, unit, attempts, retry_at, problem in rows
    )


def _pace(now: datetime) -> float | None:
    report = db.session.scalar(
        select(JobRun.report)
        .where(JobRun.job == FILLING_JOB, JobRun.finished_at > now - _PACE_HOLDS)
        .order_by(JobRun.id.desc())
        .limit(1)
    )
    told = json.loads(report) if report else {}
    seconds = told.get("seconds", 0)
    return told.get("calls", 0) / seconds if seconds else None
