"""The trading floor that the desks look onto: the world's clock, markets and prices."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from app.simulator.clock import VirtualClock
from app.simulator.replay import Replay
from app.simulator.ticks import from_units
from app.simulator.world import UnknownCode, World


class Floor:
    """Prices of the invented world, or the last ones of a recording, which has no past."""

    def __init__(
        self,
        clock: VirtualClock,
        world: World,
        recording: Replay | None,
        codes: Callable[[], list[str]],
    ) -> None:
        self._clock = clock
        self._world = world
        self._recording = recording
        self.names = codes

    def now(self) -> datetime:
        """The world's time."""
        return self._clock.now()

    def last(self, market: str) -> Decimal | None:
        """The last price of a listed market, or None."""
        try:
            if self._recording is not None:
                return self._recording.price(market, self.now())
            self._world.market(market)
            return self._world.price(market, self.now())
        except UnknownCode:
            return None

    def reach(self, market: str, since_ms: int, until_ms: int) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest price traded in [since, until), or None."""
        if self._recording is not None or since_ms >= until_ms:
            return None
        tally = self._world.market(market).tally(since_ms, until_ms)
        return None if tally is None else (from_units(tally.low), from_units(tally.high))
