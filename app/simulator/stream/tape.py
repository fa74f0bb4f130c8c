"""What happens in the world between two moments, market by market, in order of time."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from app.simulator.market import Market
from app.simulator.tree import MINUTE_MS
from app.simulator.world import World

#: A longer stretch is told by the last trade of each market alone.
FOLD_MS = 2_000


class Happening(NamedTuple):
    """A trade, or (`gone`) the end of a market, at a moment in epoch milliseconds."""

    ms: int
    code: str
    gone: bool = False


class Tape:
    """The trades of some markets from a moment on, each told once. One reader at a time.

    Trades of a minute are looked up once, for all markets together; a step then costs no more than
    what happened in it. A market that is listed later joins in.
    """

    def __init__(self, world: World, codes: Iterable[str], from_ms: int) -> None:
        self._world = world
        self._codes = tuple(codes)
        self._at = from_ms
        self._markets: dict[str, Market] = {}
        self._minute = -1
        self._planned: list[Happening] = []
        self._join()
        self._events = {code: market.events for code, market in self._markets.items()}
        self._gone = {code for code, market in self._markets.items() if not market.listed}

    def until(self, now_ms: int) -> list[Happening]:
        """What happened since the last call, `now_ms` included."""
        after, self._at = self._at, max(self._at, now_ms)
        self._join()
        gone = {code for code, market in self._markets.items() if not market.listed}
        ended, self._gone = gone - self._gone, gone
        folded = self._at - after > FOLD_MS
        path = self._last(after) if folded else self._each(after)
        made = {one for one in (*path, *self._by_hand()) if one.code not in gone}
        return sorted(made | {Happening(self._at, code, gone=True) for code in ended})

    def _join(self) -> None:
        for code in self._codes:
            market = None if code in self._markets else self._world.known(code)
            if market is not None:
                self._markets[code] = market
                self._minute = -1

    def _each(self, after: int) -> list[Happening]:
        found = []
        for minute in range(after // MINUTE_MS, self._at // MINUTE_MS + 1):
            planned = self._plan(minute)
            first = bisect_right(planned, after, key=lambda one: one.ms)
            found += planned[first : bisect_right(planned, self._at, key=lambda one: one.ms)]
        return found

    def _plan(self, minute: int) -> list[Happening]:
        if minute != self._minute:
            self._minute = minute
            self._planned = sorted(
                Happening(trade.ms, code)
                for code, market in self._markets.items()
                for trade in market.tree.trades(minute)
                if trade.ms >= market.listed_ms
            )
        return self._planned

    def _last(self, after: int) -> list[Happening]:
        deals = [(code, market.last(self._at + 1)) for code, market in self._markets.items()]
        return [Happening(deal.ms, code) for code, deal in deals if deal and deal.ms > after]

    def _by_hand(self) -> list[Happening]:
        # Told by being new, not by their time: a trade made by hand while this step began may
        # bear a time that the step has passed already.
        found = []
        for code, market in self._markets.items():
            seen, self._events[code] = self._events.get(code, ()), market.events
            if self._events[code] is not seen:
                new = [event for event in self._events[code] if event not in seen]
                found += [Happening(event.ms, code) for event in new if event.units is not None]
        return found
