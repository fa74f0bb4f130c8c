"""More ticks than the world has trades: thousands a second, to see who keeps up."""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from app.simulator.rows import at_ms, change
from app.simulator.stream.rows import StreamRows
from app.simulator.stream.wording import REALTIME, written
from app.simulator.ticks import from_units, tick, to_units
from app.simulator.wire import Row

#: Ticks that are due after a longer pause are not made up for.
_LONGEST_S = 0.5


class Burst:
    """Invented ticks over some markets in turn: the last price, then one step above it, and so on.

    The world doesn't know of them: REST stays as it is, and so do all sums. When the burst ends,
    each market that stands a step too high is told once more as it is. The rows are written out
    once per trade of the world, so that a tick costs little.
    """

    def __init__(self, rows: StreamRows, codes: Iterable[str], notation: str) -> None:
        self._rows = rows
        self._codes = tuple(codes)
        self._notation = notation
        self._pairs: dict[str, tuple[Row, Row]] = {}
        self._raised: set[str] = set()
        self._since: float | None = None
        self._owed = 0.0
        self._turn = 0

    def ticks(self, per_s: int, now_ms: int, moment: float) -> list[Row]:
        """The rows that are due since the last call, `moment` being real seconds."""
        since, self._since = self._since, moment if per_s else None
        if not (per_s and self._codes):
            return self._settled(now_ms)
        if since is None:
            return []
        self._owed += per_s * min(_LONGEST_S, moment - since)
        count = int(self._owed)
        self._owed -= count
        made = (self._next(now_ms) for _ in range(count))
        return [row for row in made if row is not None]

    def forget(self, code: str) -> None:
        """The market has moved by itself."""
        self._pairs.pop(code, None)
        self._raised.discard(code)

    def _settled(self, now_ms: int) -> list[Row]:
        raised, self._raised = sorted(self._raised), set()
        self._pairs.clear()
        rows = (self._rows.row("ticker", code, now_ms, REALTIME) for code in raised)
        return [row for row in rows if row is not None]

    def _next(self, ms: int) -> Row | None:
        code = self._codes[self._turn % len(self._codes)]
        upper = self._turn // len(self._codes) % 2 == 1
        self._turn += 1
        pair = self._pairs.get(code) or self._pair(code, ms)
        if pair is None:
            return None
        (self._raised.add if upper else self._raised.discard)(code)
        date, time = _date_and_time(ms // 1000)
        stamps = {"trade_date": date, "trade_time": time, "trade_timestamp": ms, "timestamp": ms}
        return pair[upper] | stamps

    def _pair(self, code: str, ms: int) -> tuple[Row, Row] | None:
        row = self._rows.row("ticker", code, ms, REALTIME)
        if row is None:
            return None
        units = to_units(row["trade_price"])
        higher = units + tick(code.split("-")[0], units)
        high = max(Decimal(str(row["high_price"])), from_units(higher))
        above = row | {"trade_price": from_units(higher), "high_price": high}
        above |= change(higher, to_units(row["prev_closing_price"]))
        self._pairs[code] = written(row, self._notation), written(above, self._notation)
        return self._pairs[code]


@lru_cache(16)
def _date_and_time(second: int) -> tuple[str, str]:
    moment = at_ms(second * 1000)
    return moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")
