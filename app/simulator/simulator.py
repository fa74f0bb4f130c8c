"""The simulator as its users see it: an exchange behind a real socket."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from app.simulator.control import CONTROL, control
from app.simulator.exchange import Exchange, Settings
from app.simulator.reply import Reply
from app.simulator.server import Request, Server

_log = logging.getLogger(__name__)


class Simulator(Exchange):
    """An exchange on 127.0.0.1 that speaks Upbit's quotation REST.

    `seed` and `markets` make the world, `start` and `speed` its time, `replay` is a folder of
    recordings to serve instead. `rate_limit` is requests per group and second (0 or None: any),
    `notation` how numbers are written (app.simulator.wire), `unknown_code` what a ticker request
    with an unknown code gets ("404", "missing", "empty"), `logos` whether coins have pictures.
    ValueError when one of them can't be right.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        seed: int = 1,
        markets: int = 200,
        speed: float = 1.0,
        start: datetime | None = None,
        replay: str | Path | None = None,
        rate_limit: int | None = 10,
        notation: str = "mixed",
        unknown_code: str = "404",
        logos: bool = False,
    ) -> None:
        super().__init__(
            Settings(seed, markets, speed, start, replay, rate_limit, notation, unknown_code, logos)
        )
        self._address = (host, port)
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The base address, once started."""
        if self._server is None:
            raise RuntimeError("the simulator isn't running")
        return self._server.url

    def start(self) -> Self:
        """Serve in background threads; OSError when the port is taken."""
        if self._server is not None:
            raise RuntimeError("the simulator is running already")
        self.warm_up()
        self._server = Server(*self._address, self._handle)
        self._server.start()
        return self

    def stop(self) -> None:
        """Close at once, also while a fault holds a request. Stopping twice is harmless."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def now(self) -> datetime:
        """The virtual moment, aware UTC."""
        return self.clock.now()

    def set_speed(self, speed: float) -> None:
        """Let virtual time run `speed` times as fast, from this moment on."""
        self.clock.set_speed(speed)

    def _handle(self, request: Request) -> Reply:
        if request.path == CONTROL or request.path.startswith(f"{CONTROL}/"):
            return control(self, request)
        return self.respond(request)


def run(
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 1,
    speed: float = 1.0,
    markets: int = 200,
    replay: str | Path | None = None,
    rate_limit: int | None = 10,
    announce: Callable[[str], object] = _log.info,
) -> None:
    """Serve until Ctrl-C; `announce` is told the address once requests are taken.

    ValueError and OSError as Simulator.
    """
    simulator = Simulator(
        port, host, seed, markets, speed, replay=replay, rate_limit=rate_limit, logos=True
    )
    with simulator:
        try:
            announce(simulator.url)
            Event().wait()
        except KeyboardInterrupt:
            _log.info("stopped")
