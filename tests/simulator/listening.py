"""A client of the simulator's stream, for its tests: frames as they came, numbers exact."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from websockets.sync.client import ClientConnection, connect

from app.simulator import Simulator

Frame = dict[str, Any]


@contextmanager
def listening(sim: Simulator, *codes: str, **about: object) -> Iterator["Listener"]:
    """A connection; with `codes` it has asked for their tickers (or for `kind`) already."""
    with connect(
        sim.ws_url, open_timeout=5, close_timeout=1, ping_interval=None, max_queue=None
    ) as connection:
        listener = Listener(connection)
        if codes:
            listener.ask(*codes, **about)  # type: ignore[arg-type]
        yield listener


class Listener:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def ask(
        self, *codes: str, kind: str = "ticker", form: str | None = None, **flags: object
    ) -> None:
        """Ask for one kind of frame."""
        parts: list[object] = [{"ticket": "test"}, {"type": kind, "codes": codes, **flags}]
        self.send(parts + ([{"format": form}] if form else []))

    def send(self, parts: object) -> None:
        self.connection.send(json.dumps(parts))

    def raw(self, timeout: float = 5) -> bytes | str:
        return self.connection.recv(timeout=timeout)

    def next(self, timeout: float = 5) -> Any:
        """The next frame, its numbers exact."""
        return json.loads(self.raw(timeout), parse_float=Decimal)

    def many(self, count: int, timeout: float = 5) -> list[Any]:
        return [self.next(timeout) for _ in range(count)]

    def rest(self, first: int = 0, quiet_s: float = 0.4) -> list[Any]:
        """So many frames, however long they take, and then all until nothing comes for a while."""
        frames = self.many(first)
        try:
            while True:
                frames.append(self.next(quiet_s))
        except TimeoutError:
            return frames
