"""Where a subscription's rows come from: the invented world, or a recording."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from app.simulator.replay import Replay
from app.simulator.rows import Quotation
from app.simulator.stream.burst import Burst
from app.simulator.stream.request import Wish
from app.simulator.stream.rows import StreamRows
from app.simulator.stream.tape import Tape
from app.simulator.stream.wording import REALTIME, SNAPSHOT
from app.simulator.wire import Row
from app.simulator.world import World


class Feed(Protocol):
    """The rows of one subscription. Times are epoch milliseconds."""

    def snapshots(self, now_ms: int) -> list[Row]:
        """What is told at once."""

    def news(self, now_ms: int, as_of: int | None = None) -> list[Row]:
        """What is told since the last call; with `as_of` as it was then, for time stands still."""

    def burst(self, per_s: int, now_ms: int, moment: float) -> list[Row]:
        """Ticks beside those, `moment` being real seconds; see Burst."""


class WorldFeed:
    """Snapshots and ticks of an invented exchange; unknown codes are passed over in silence."""

    def __init__(
        self,
        world: World,
        quotation: Quotation,
        wishes: Iterable[Wish],
        now_ms: int,
        notation: str = "shortest",
    ) -> None:
        self._rows = StreamRows(world, quotation)
        self._first = _pairs(wish for wish in wishes if wish.snapshot)
        self._kinds: dict[str, list[str]] = {}
        for kind, code in _pairs(wish for wish in wishes if wish.realtime):
            self._kinds.setdefault(code, []).append(kind)
        self._tape = Tape(world, self._kinds, now_ms)
        ticking = [code for code, kinds in self._kinds.items() if "ticker" in kinds]
        self._burst = Burst(self._rows, ticking, notation)

    def snapshots(self, now_ms: int) -> list[Row]:
        """A row per kind and market, in the order of asking."""
        rows = (self._rows.row(kind, code, now_ms) for kind, code in self._first)
        return [row for row in rows if row is not None]

    def news(self, now_ms: int, as_of: int | None = None) -> list[Row]:
        """A row per trade and kind, oldest first; the last of a market says DELISTED."""
        told: list[Row | None] = []
        for one in self._tape.until(now_ms):
            ms = one.ms if as_of is None else min(one.ms, as_of)
            self._burst.forget(one.code)
            told += [
                self._rows.row(kind, one.code, ms, REALTIME, gone=one.gone)
                for kind in self._kinds[one.code]
            ]
        return [row for row in told if row is not None]

    def burst(self, per_s: int, now_ms: int, moment: float) -> list[Row]:
        """Ticks over the markets whose tickers were asked for."""
        return self._burst.ticks(per_s, now_ms, moment)


class RecordedFeed:
    """Recorded frames, every digit as it was, one after another per kind and market."""

    def __init__(self, recording: Replay, wishes: Iterable[Wish]) -> None:
        self._snapshots: list[Row] = []
        self._later: list[Iterator[Row]] = []
        for wish in wishes:
            for code in wish.codes:
                self._plan(wish, recording.frames(wish.kind, code))

    def _plan(self, wish: Wish, frames: list[Row]) -> None:
        first = frames[:1] if frames and frames[0]["stream_type"] == SNAPSHOT else []
        if wish.snapshot:
            self._snapshots += first
        if wish.realtime:
            self._later.append(iter(frames[len(first) :]))

    def snapshots(self, now_ms: int) -> list[Row]:
        """The first recorded frames."""
        del now_ms
        return self._snapshots

    def news(self, now_ms: int, as_of: int | None = None) -> list[Row]:
        """The next recorded frame of each kind and market; a recording has no present."""
        del now_ms, as_of
        following = (next(frames, None) for frames in self._later)
        return [row for row in following if row is not None]

    def burst(self, per_s: int, now_ms: int, moment: float) -> list[Row]:
        """A recording holds no more than was recorded."""
        del per_s, now_ms, moment
        return []


def _pairs(wishes: Iterable[Wish]) -> list[tuple[str, str]]:
    """Each kind and code once, in the order of asking."""
    return list(dict.fromkeys((wish.kind, code) for wish in wishes for code in wish.codes))
