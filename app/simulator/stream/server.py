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
from app.simulator.stream.session import Session

PATH = "/websocket/v1"
STEP_S = 0.1
#: A step that took long is followed by a pause so many times as long: a fast clock tells less
#: often, it doesn't take the machine.
_PAUSES = 4
_LARGEST_MESSAGE = 2**18
_GOODBYE_S = 0.5
#: A client that takes nothing for so long is dropped.
_PATIENCE_S = 10.0
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # every connection is news to websockets, none is to us


class Client(ServerConnection):
    """One client's connection, which knows when something last went over it, either way."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        self.traffic_at = monotonic()
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
        """Refuse a handshake, or None."""
        if request.path.partition("?")[0] != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "Not Found\n")
        self._exchange.count(PATH)
        return None

    def _converse(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Client)  # noqa: S101 - made by _admit
        session, due = Session(self._exchange), monotonic()
        with suppress(ConnectionClosed):
            while not self._is_over(connection):
                connection.say(_answers(connection, session, due))
                began = monotonic()
                if began >= due:
                    connection.say(session.tell(began))
                    due = began + max(STEP_S, _PAUSES * (monotonic() - began))

    def _is_over(self, client: Client) -> bool:
        if self._closing.is_set():
            client.close(CloseCode.GOING_AWAY)
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
