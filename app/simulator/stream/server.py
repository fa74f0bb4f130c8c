"""The WebSocket server: a real port, one thread per client, closed without a trace."""

import logging
import socket
from contextlib import suppress
from http import HTTPStatus
from threading import Event, Lock, Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import CLOSED
from websockets.sync.server import ServerConnection, serve

from app.clock import monotonic
from app.simulator.exchange import Exchange
from app.simulator.faults import HANDSHAKES, STREAM, Fault
from app.simulator.limits import RateLimits
from app.simulator.reply import Reply, spoilt
from app.simulator.stream.session import Session
from app.simulator.stream.wording import error

PATH = "/websocket/v1"
STEP_S = 0.1
CONNECTS_PER_S = 5
_GROUP = "websocket-connect"
#: A step that took long is followed by a pause so many times as long: a fast clock tells less
#: often, it doesn't take the machine.
_PAUSES = 4
_LARGEST_MESSAGE = 2**18
_GOODBYE_S = 0.5
#: A client that takes nothing for so long is dropped.
_PATIENCE_S = 10.0
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # every connection is news to websockets, none is to us


def _is_news(record: logging.LogRecord) -> bool:
    """Whether to log it: bytes that arrive while we hang up are no fault of ours."""
    return not (record.exc_info and isinstance(record.exc_info[1], EOFError))


_log.addFilter(_is_news)


class Client(ServerConnection):
    """One client's connection, which knows when something last went over it, either way."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        self.traffic_at = monotonic()
        self.caller = str(sock.getpeername()[0])
        sock.settimeout(_PATIENCE_S)
        super().__init__(sock, *args, **options)

    def process_event(self, event: Any) -> None:
        """Note that something came, a ping too."""
        self.traffic_at = monotonic()
        super().process_event(event)

    def say(self, frames: list[bytes]) -> None:
        """Send binary frames; ConnectionClosed when nobody is there any more."""
        if frames:
            with self.send_context():
                for frame in frames:
                    self.protocol.send_binary(frame)
            self.traffic_at = monotonic()

    def hang_up(self) -> None:
        """End the connection at once, without a word; also wakes a thread that waits to send."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class StreamServer:
    """Serves the stream of an exchange at `url` until it is stopped. OSError: port taken."""

    def __init__(self, host: str, port: int, exchange: Exchange) -> None:
        self._exchange = exchange
        self._limits = RateLimits(CONNECTS_PER_S if exchange.settings.rate_limit else None)
        self._closing = Event()
        self._clients: set[Client] = set()
        self._lock = Lock()
        self._server = serve(
            self._converse,
            host,
            port,
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            create_connection=self._admit,  # type: ignore[arg-type]  # it is only ever called
            process_request=self._judge,
            ping_interval=None,
            close_timeout=_GOODBYE_S,
            max_size=_LARGEST_MESSAGE,
            logger=_log,
        )
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address to connect to."""
        host, port = self._server.socket.getsockname()[:2]
        return f"ws://[{host}]:{port}{PATH}" if ":" in host else f"ws://{host}:{port}{PATH}"

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye to every client, drop those that don't answer, leave no thread behind."""
        self._closing.set()
        until = monotonic() + _GOODBYE_S
        pause = Event()
        while self._open() and monotonic() < until:
            pause.wait(0.005)
        for client in self._open():
            client.hang_up()
        self._server.shutdown()
        self._thread.join()

    def _open(self) -> set[Client]:
        with self._lock:
            self._clients = {client for client in self._clients if client.state is not CLOSED}
            return set(self._clients)

    def _admit(self, sock: socket.socket, *args: Any, **options: Any) -> Client:
        if self._closing.is_set():
            raise ConnectionRefusedError
        client = Client(sock, *args, **options)
        self._open()
        with self._lock:
            self._clients.add(client)
        return client

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a handshake, or None. One connection counts once, refused or not."""
        assert isinstance(connection, Client)  # noqa: S101 - made by _admit
        if request.path.partition("?")[0] != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "Not Found\n")
        self._exchange.count(PATH)
        if self._is_cut_off():
            connection.hang_up()
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")  # which never arrives
        origin = "Origin" in request.headers
        verdict = self._limits.check(connection.caller, _GROUP, monotonic(), origin=origin)
        if verdict.status != HTTPStatus.OK:
            return connection.respond(verdict.status, error("TOO_MANY_REQUEST").decode())
        return self._delayed(connection)

    def _delayed(self, client: Client) -> Response | None:
        """What the faults of a reply make of a handshake: late, never, or another answer."""
        faults = [fault for fault in self._faults() if fault.mode in HANDSHAKES]
        reply = spoilt(Reply(HTTPStatus.SWITCHING_PROTOCOLS), faults)
        self._closing.wait(reply.delay_s)
        if reply.hang:
            self._hang(client)
        if reply.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return None
        return client.respond(reply.status, reply.body.decode())

    def _hang(self, client: Client) -> None:
        while any(fault.mode == "timeout" for fault in self._faults()):
            if self._closing.wait(STEP_S) or client.state is CLOSED:
                break

    def _faults(self) -> list[Fault]:
        return [fault for fault in self._exchange.faults() if fault.hits(STREAM)]

    def _is_cut_off(self) -> bool:
        return any(fault.mode == "disconnect" for fault in self._faults())

    def _converse(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Client)  # noqa: S101 - made by _admit
        session, due = Session(self._exchange), monotonic()
        with suppress(ConnectionClosed):
            while not self._is_over(connection):
                connection.say(_answers(connection, session, due))
                began = monotonic()
                if began >= due:
                    connection.say(session.tell(began))
                    due = began + self._pause(monotonic() - began)

    def _pause(self, took_s: float) -> float:
        """From the beginning of one step to the next; a burst may take the machine, it was asked
        for."""
        return STEP_S if self._exchange.burst_per_s else max(STEP_S, _PAUSES * took_s)

    def _is_over(self, client: Client) -> bool:
        if self._closing.is_set():
            client.close(CloseCode.GOING_AWAY)
            return True
        if self._is_cut_off():
            client.hang_up()
            return True
        if monotonic() - client.traffic_at >= self._exchange.settings.stream_idle_s:
            client.close()
            return True
        return False


def _answers(client: Client, session: Session, until: float) -> list[bytes]:
    """Wait for a message until a moment, and answer it."""
    try:
        message = client.recv(timeout=max(0.0, until - monotonic()))
    except TimeoutError:
        return []
    return session.hear(message, monotonic())
