"""What the exchange answers about its markets: the rows of each quotation endpoint."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from app.simulator.market import DAY_MS, Deal, Event, Market, Tally
from app.simulator.ticks import from_units
from app.simulator.tree import DAY, LEAF, MINUTE_MS, SPANS
from app.simulator.wire import Row
from app.simulator.world import CAUTIONS, World, to_ms

MINUTE_UNITS = (1, 3, 5, 10, 15, 30, 60, 240)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KST = timedelta(hours=9)
_RATE = Decimal("1E-10")


class Quotation:
    """The answers of an invented exchange at a given moment, as rows."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._year = lru_cache(4_096)(_year_range)

    def markets(self, *, details: bool, now: datetime) -> list[Row]:
        """Every listed market, with warnings and cautions on request."""
        del now
        return [_market_row(market, details=details) for market in self._world.listed()]

    def tickers(self, quotes: Iterable[str], now: datetime) -> list[Row]:
        """The ticker of every market that trades against one of the quote currencies."""
        wanted = frozenset(quotes)
        chosen = [market for market in self._world.listed() if market.quote in wanted]
        rows = (self.ticker(market.code, now) for market in chosen)
        return [row for row in rows if row is not None]

    def ticker(self, code: str, now: datetime) -> Row | None:
        """The ticker of one market, None before its first trade. UnknownCode when not listed."""
        return self.ticker_of(self._world.market(code), to_ms(now) + 1)

    def ticker_of(self, market: Market, end: int) -> Row | None:
        """The ticker of a market, listed or not, as it stood before `end` (epoch milliseconds)."""
        deal = market.last(end)
        if deal is None:
            return None
        # the day of the last trade: figures aren't reset before today's first trade
        start = deal.ms // DAY_MS * DAY_MS
        today = market.tally(start, end)
        day_before = market.last(start)
        window = (end - DAY_MS) // (5 * MINUTE_MS) * 5 * MINUTE_MS
        rolling = market.tally(window, end)
        if today is None:
            return None
        previous = day_before.units if day_before else today.open
        return {
            **_moment_fields(market, deal),
            **_prices(today),
            "prev_closing_price": from_units(previous),
            **change(deal.units, previous),
            "trade_volume": from_units(deal.volume),
            **_turnover(today, rolling),
            **self._year_fields(market, today, start),
            "timestamp": _stamp(deal.ms, end - 1),
        }

    def candles(
        self, code: str, span: int | None, before: datetime, count: int, now: datetime
    ) -> list[Row]:
        """Candles of `span` minutes (None: a day) that start before a moment, newest first."""
        return self.candles_of(self._world.market(code), span, to_ms(before), count, to_ms(now) + 1)

    def candles_of(
        self, market: Market, span: int | None, before: int, count: int, end: int
    ) -> list[Row]:
        """As `candles`, of a market listed or not, as they stood before `end`."""
        minutes = span or SPANS[DAY]
        rows = []
        for start in _starts(market, minutes, min(before, end)):
            tally = market.tally(start, min(start + minutes * MINUTE_MS, end))
            if tally is not None:
                rows.append(_candle(market, start, minutes, tally, end))
                rows[-1].update({"unit": span} if span else _day_fields(market, start, tally))
            if len(rows) == count:
                break
        return rows

    def _year_fields(self, market: Market, today: Tally, start: int) -> Row:
        high, high_day, low, low_day = self._year(
            market, start // DAY_MS, market.latest_event(start)
        )
        today_date = _date(start)
        return {
            "highest_52_week_price": from_units(max(high, today.high)),
            "highest_52_week_date": today_date if today.high > high else _date(high_day * DAY_MS),
            "lowest_52_week_price": from_units(min(low, today.low)),
            "lowest_52_week_date": today_date if today.low < low else _date(low_day * DAY_MS),
        }


def _market_row(market: Market, *, details: bool) -> Row:
    row: Row = {
        "market": market.code,
        "korean_name": market.korean,
        "english_name": market.english,
    }
    if details:
        cautions = {name: name in market.cautions for name in CAUTIONS}
        row["market_event"] = {"warning": market.warning, "caution": cautions}
    return row


def at_ms(ms: int) -> datetime:
    """The moment of an epoch millisecond, aware UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def _stamp(deal_ms: int, now_ms: int) -> int:
    # an idle market's figures are worked out anew on every fifth minute
    return max(min(deal_ms + 7 + deal_ms % 83, now_ms), now_ms // 300_000 * 300_000)


def _date(ms: int) -> str:
    return at_ms(ms).strftime("%Y-%m-%d")


def _moment_fields(market: Market, deal: Deal) -> Row:
    moment = at_ms(deal.ms)
    korean = moment + KST
    return {
        "market": market.code,
        "trade_date": moment.strftime("%Y%m%d"),
        "trade_time": moment.strftime("%H%M%S"),
        "trade_date_kst": korean.strftime("%Y%m%d"),
        "trade_time_kst": korean.strftime("%H%M%S"),
        "trade_timestamp": deal.ms,
    }


def _prices(tally: Tally) -> Row:
    return {
        "opening_price": from_units(tally.open),
        "high_price": from_units(tally.high),
        "low_price": from_units(tally.low),
        "trade_price": from_units(tally.close),
    }


def _rate(change: int, previous: int) -> Decimal:
    return (Decimal(change) / previous).quantize(_RATE)


def change(units: int, previous: int) -> Row:
    """How a price stands against the close of the day before."""
    moved = units - previous
    rate = _rate(moved, previous)
    return {
        "change": "RISE" if moved > 0 else "FALL" if moved < 0 else "EVEN",
        "change_price": from_units(abs(moved)),
        "change_rate": abs(rate),
        "signed_change_price": from_units(moved),
        "signed_change_rate": rate,
    }


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.5f}")


def _turnover(today: Tally, rolling: Tally | None) -> Row:
    return {
        "acc_trade_price": _money(today.turnover),
        "acc_trade_price_24h": _money(rolling.turnover) if rolling else Decimal(0),
        "acc_trade_volume": from_units(today.volume),
        "acc_trade_volume_24h": from_units(rolling.volume) if rolling else Decimal(0),
    }


def _year_range(market: Market, day: int, event: Event | None) -> tuple[int, int, int, int]:
    """High, its day, low, its day over the 52 weeks before a day; `event` only keys the cache."""
    del event
    tally = market.tally((day - 364) * DAY_MS, day * DAY_MS)
    if tally is None:
        return 0, day, 2**63, day
    days = range(day - 364, day)
    high_day = market.first_day(tally.high, days, high=True)
    low_day = market.first_day(tally.low, days, high=False)
    return tally.high, high_day, tally.low, low_day


def _starts(market: Market, minutes: int, before_ms: int) -> Iterator[int]:
    """Starts of all candles that may have a trade, newest first, each once."""
    level = next(level for level in range(DAY, LEAF + 1) if minutes % SPANS[level] == 0)
    length, seen = minutes * MINUTE_MS, None
    for block in market.starts_back(level, -(-before_ms // length) * length):
        start = block // length * length
        if start != seen:
            yield start
        seen = start


def _candle(market: Market, start: int, minutes: int, tally: Tally, end: int) -> Row:
    moment = at_ms(start)
    last = market.last(min(start + minutes * MINUTE_MS, end))
    return {
        "market": market.code,
        "candle_date_time_utc": moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "candle_date_time_kst": (moment + KST).strftime("%Y-%m-%dT%H:%M:%S"),
        **_prices(tally),
        "timestamp": last.ms if last else start,
        "candle_acc_trade_price": _money(tally.turnover),
        "candle_acc_trade_volume": from_units(tally.volume),
    }


def _day_fields(market: Market, start: int, tally: Tally) -> Row:
    before = market.last(start)
    previous = before.units if before else tally.open
    change = tally.close - previous
    return {
        "prev_closing_price": from_units(previous),
        "change_price": from_units(change),
        "change_rate": _rate(change, previous),
    }
