"""The simulator as its users see it: an exchange behind real sockets."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from app.simulator.control import CONTROL, control
from app.simulator.desk.samples import add_sample_accounts
from app.simulator.exchange import Exchange, Settings
from app.simulator.reply import Reply
from app.simulator.server import Request, Server
from app.simulator.stream.server import StreamServer

_log = logging.getLogger(__name__)


class Simulator(Exchange):
    """An exchange on 127.0.0.1: Upbit's REST and WebSocket, and the signed REST of Bithumb.

    `seed` and `markets` make the world, `start` and `speed` its time, `replay` is a folder of
    recordings to serve instead. `rate_limit` is requests per group and second (0 or None: any),
    `notation` how numbers are written (app.simulator.wire), `unknown_code` what a ticker request
    with an unknown code gets ("404", "missing", "empty"), `logos` whether coins have pictures.
    `ws_port` is the stream's port (None: the next one after `port`, or a free one),
    `stream_unknown` what a subscription with an unknown code gets ("nothing", "error"),
    `stream_idle_s` when a silent connection is closed, `stream_status_s` how often UP is said,
    `bithumb_port` the other exchange's port (None: the second after `port`, or a free one).
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
        ws_port: int | None = None,
        stream_unknown: str = "nothing",
        stream_idle_s: float = 120.0,
        stream_status_s: float = 10.0,
        bithumb_port: int | None = None,
    ) -> None:
        super().__init__(
            Settings(
                seed, markets, speed, start, replay, rate_limit, notation, unknown_code, logos,
                stream_unknown, stream_idle_s, stream_status_s,
            )
        )  # fmt: skip
        self._address = (host, port)
        self._ws_address = (host, _beside(port) if ws_port is None else ws_port)
        self._bithumb_address = (host, _beside(port, 2) if bithumb_port is None else bithumb_port)
        self._server: Server | None = None
        self._bithumb: Server | None = None
        self._stream: StreamServer | None = None
        # Accounts are opened and looked into at the desks. One holds a year unless told otherwise.
        self.add_account = self.desks.add_account
        self.orders = self.desks.orders
        self.balances = self.desks.balances
        self.change_balance = self.desks.change_balance

    @property
    def url(self) -> str:
        """The base address, once started."""
        if self._server is None:
            raise RuntimeError("the simulator isn't running")
        return self._server.url

    @property
    def bithumb_url(self) -> str:
        """The base address of the other exchange, once started."""
        if self._bithumb is None:
            raise RuntimeError("the simulator isn't running")
        return self._bithumb.url

    @property
    def ws_url(self) -> str:
        """The stream's address, once started."""
        if self._stream is None:
            raise RuntimeError("the simulator isn't running")
        return self._stream.url

    def start(self) -> Self:
        """Serve in background threads; OSError when a port is taken."""
        if self._server is not None:
            raise RuntimeError("the simulator is running already")
        self.warm_up()
        servers = [Server(*self._address, self._handle)]
        try:
            servers.append(Server(*self._bithumb_address, self.respond_as_bithumb))
            self._stream = StreamServer(*self._ws_address, self)
        except OSError:
            for server in servers:
                server.server_close()
            raise
        self._server, self._bithumb = servers
        self._server.start()
        self._bithumb.start()
        self._stream.start()
        return self

    def stop(self) -> None:
        """Close at once, also while a fault holds a request. Stopping twice is harmless."""
        servers = [self._server, self._bithumb]
        self._server = self._bithumb = None
        stream, self._stream = self._stream, None
        for server in servers:
            if server is not None:
                server.stop()
        if stream is not None:
            stream.stop()

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


def _beside(port: int, step: int = 1) -> int:
    return port + step if 0 < port <= 65_535 - step else 0


def run(
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 1,
    speed: float = 1.0,
    markets: int = 200,
    replay: str | Path | None = None,
    rate_limit: int | None = 10,
    announce: Callable[[str], object] = _log.info,
    ws_port: int | None = None,
) -> None:
    """Serve until Ctrl-C; `announce` is told all addresses once requests are taken.

    The accounts of the demo are there, too, unless a recording is served.

    ValueError and OSError as Simulator.
    """
    simulator = Simulator(
        port, host, seed, markets, speed,
        replay=replay, rate_limit=rate_limit, logos=True, ws_port=ws_port,
    )  # fmt: skip
    if replay is None:
        add_sample_accounts(simulator)
    with simulator:
        try:
            announce(simulator.url)
            announce(simulator.ws_url)
            announce(simulator.bithumb_url)
            Event().wait()
        except KeyboardInterrupt:
            _log.info("stopped")
