"""What each coin's strategy means to do today: planned once a day, from days that have ended."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from app.domain.candles import Known, joined
from app.domain.exchanges import ExchangeName
from app.domain.market import Candle, CandleUnit
from app.domain.trading import (
    BadHistory,
    BotSettings,
    Costs,
    Day,
    Morning,
    Opening,
    Plan,
    Search,
    Strategy,
    TooFewDays,
    as_days,
    choose_k,
    day_start,
    finished_before,
    trading_day,
)
from app.services.market import (
    CatalogueCoin,
    candle_series,
    catalogue,
    known_stretch,
    want_candles,
)

#: A day whose candle hasn't come yet is planned again after this.
PLAN_AGAIN_AFTER = timedelta(seconds=10)
_HOURS = 24
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Planned:
    """A coin's strategy and plan of one day, and its open; `k` where k was chosen for it."""

    strategy: Strategy
    plan: Plan | None
    k: Decimal | None = None
    open: Decimal | None = None


class Planner:
    """Plans by exchange, coin and settings, kept for their day; every bot shares them."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[datetime, Planned]] = {}
        self._day: dict[ExchangeName, date] = {}

    def planned(
        self, settings: BotSettings, market: str, exchange: ExchangeName, now: datetime
    ) -> Planned:
        """The plan of a market for the exchange's day at `now`; without one nothing is bought.

        A day that isn't known yet is asked for again some seconds later, never guessed.
        """
        day = trading_day(now, exchange)
        if self._day.get(exchange) != day:
            self._day[exchange] = day
            self._made = {key: kept for key, kept in self._made.items() if key[0] != exchange}
        key = (exchange, market, _strategy_key(settings))
        made_at, kept = self._made.get(key, (now, None))
        if kept is None or (kept.plan is None and abs(now - made_at) > PLAN_AGAIN_AFTER):
            kept = _plan(settings, market, exchange, day, now)
            self._made[key] = now, kept
        return kept


def _strategy_key(settings: BotSettings) -> tuple[object, ...]:
    return (
        settings.plays, settings.k, settings.window, settings.mean_days,
        settings.short, settings.long, settings.stop_loss_pct,
    )  # fmt: skip


def _plan(
    settings: BotSettings, market: str, exchange: ExchangeName, day: date, now: datetime
) -> Planned:
    usual = settings.strategy(_ONE)
    coin = next((one for one in catalogue(now) if f"KRW-{one.code}" == market), None)
    if coin is None or not coin.is_active:
        return Planned(usual, None)
    try:
        opening = _opening(coin, exchange, day, now)
        needed = usual.days_needed + 1 + (settings.window + 1 if settings.chooses_k else 0)
        days = finished_before(_days(coin, exchange, day, needed, now), day)
        if opening is None:
            return Planned(usual, None)
        strategy, k = usual, None
        if settings.chooses_k:
            k = choose_k(days, _search(settings), Opening(day, opening))
            strategy = settings.strategy(k)
        return Planned(strategy, strategy.plan(Morning(day, opening, days)), k, opening)
    except (BadHistory, TooFewDays):
        return Planned(usual, None)


def _search(settings: BotSettings) -> Search:
    """How k is judged: by what trading usually costs, as the backtests do."""
    fee = Decimal("0.0005")
    return Search(
        Costs(fee, fee, fee),
        window=settings.window,
        mean_days=settings.mean_days,
        stop_loss_pct=settings.stop_loss_pct,
    )


def _opening(
    coin: CatalogueCoin, exchange: ExchangeName, day: date, now: datetime
) -> Decimal | None:
    """The first price of the exchange's day; None until something was traded on it.

    The board's own day is Upbit's. For another day it is the open of its first candle.
    """
    if exchange is ExchangeName.UPBIT:
        traded = coin.traded_at
        is_of_today = traded is not None and trading_day(traded, exchange) == day
        return coin.open if is_of_today else None
    start = day_start(day, exchange)
    for unit in (CandleUnit.HOUR, CandleUnit.MINUTE):
        since = [
            one
            for one in candle_series(coin_id=coin.id, frame=int(unit), until=now, count=_HOURS * 60)
            if one.opened_at >= start
        ]
        if since and since[0].opened_at < start + unit.length:
            return since[0].open
    return None


def _days(
    coin: CatalogueCoin, exchange: ExchangeName, day: date, count: int, now: datetime
) -> tuple[Day, ...]:
    """Finished days of the exchange, oldest first; days other than Upbit's are put together.

    Only such of which every hour is known: else a high or a low may be missing, and with it the
    range by which a target is set.
    """
    until = day_start(day, exchange)
    if exchange is ExchangeName.UPBIT:
        found = candle_series(coin_id=coin.id, frame=int(CandleUnit.DAY), until=until, count=count)
        return as_days(found, exchange)
    for unit in (CandleUnit.HOUR, CandleUnit.MINUTE):
        want_candles(coin_id=coin.id, unit=unit, now=now)
    hours = candle_series(
        coin_id=coin.id, frame=int(CandleUnit.HOUR), until=until, count=count * _HOURS
    )
    known = known_stretch(coin_id=coin.id, unit=CandleUnit.HOUR)
    whole = [one for one in _joined_days(hours, exchange) if _is_known(one.opened_at, known)]
    return as_days(whole, exchange)


def _is_known(start: datetime, known: Known | None) -> bool:
    return known is not None and known.holds(start, start + CandleUnit.DAY.length)


def _joined_days(hours: list[Candle], exchange: ExchangeName) -> list[Candle]:
    by_day = groupby(hours, key=lambda hour: trading_day(hour.opened_at, exchange))
    return [joined(day_start(day, exchange), list(parts)) for day, parts in by_day]
