"""Upbit's candles: which are asked for how, and which rows are believed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from app.domain.candles import frame_start
from app.domain.market import Candle, CandleUnit
from app.exchanges.wire import BadField, Row, read_figure, read_minute, read_price

_LONGEST_RAW = 2000


def candle_path(unit: CandleUnit) -> str:
    """Where candles of this length are asked for."""
    return "/v1/candles/days" if unit is CandleUnit.DAY else f"/v1/candles/minutes/{unit}"


def until_text(moment: datetime) -> str:
    """`moment` in whole seconds, rounded up so that no candle that opened before it is cut off.

    ValueError for a moment without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError("moment must be aware")
    up = moment + timedelta(microseconds=-moment.microsecond % 1_000_000)
    return up.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last_before(rows: Sequence[tuple[object, str]], market: str, moment: datetime) -> Candle | None:
    """The newest of these 1-minute candles that opened before `moment`, with its own text.

    Raises BadField or BadPrice where the answer contradicts itself or the question.
    """
    candles = [_candle(row, market, CandleUnit.MINUTE, raw) for row, raw in rows]
    _check_order(candles)
    for candle in candles:
        if candle.opened_at < moment:
            return candle
    if candles:
        raise BadField("only candles at or after the moment asked for")
    return None


def page_before(
    rows: Sequence[object], market: str, unit: CandleUnit, until: datetime, count: int
) -> list[Candle]:
    """All these candles, newest first; raises BadField or BadPrice where a single one is amiss.

    A row left out would later be taken for a time without trades.
    """
    if len(rows) > count:
        raise BadField(f"{len(rows)} candles instead of {count}")
    candles = [_candle(row, market, unit) for row in rows]
    _check_order(candles)
    if candles and candles[0].opened_at >= until:
        raise BadField("a candle at or after the moment asked for")
    return candles


def _check_order(candles: Sequence[Candle]) -> None:
    if any(newer.opened_at <= older.opened_at for newer, older in pairwise(candles)):
        raise BadField("the candles are not in order, newest first")


def _candle(row: object, market: str, unit: CandleUnit, raw: str = "") -> Candle:
    if not isinstance(row, dict):
        raise BadField("not an object")
    if row.get("market") != market or not _is_of(row, unit):
        raise BadField("the candle of another market or length")
    candle = Candle(
        market=market,
        opened_at=read_minute(row, "candle_date_time_utc"),
        open=read_price(row, "opening_price"),
        high=read_price(row, "high_price"),
        low=read_price(row, "low_price"),
        close=read_price(row, "trade_price"),
        raw=raw[:_LONGEST_RAW],
        volume=_amount(row, "candle_acc_trade_volume"),
        turnover=_amount(row, "candle_acc_trade_price"),
    )
    if frame_start(candle.opened_at, unit) != candle.opened_at:
        raise BadField("a candle that does not begin where candles of its length do")
    if not candle.low <= _least(candle) <= _most(candle) <= candle.high:
        raise BadField("open or close is outside of low and high")
    return candle


def _is_of(row: Row, unit: CandleUnit) -> bool:
    """Days name no length; old recordings of one minute don't either."""
    named = row.get("unit", None if unit is CandleUnit.DAY else CandleUnit.MINUTE)
    return named is None if unit is CandleUnit.DAY else bool(named == unit)


def _least(candle: Candle) -> Decimal:
    return min(candle.open, candle.close)


def _most(candle: Candle) -> Decimal:
    return max(candle.open, candle.close)


def _amount(row: Row, key: str) -> float:
    """How much was traded; it decides nothing, so a useless figure is none at all."""
    return max(0.0, read_figure(row, key) or 0.0)
