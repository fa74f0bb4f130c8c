"""The HTTP/1.1 server: keep-alive connections, and answers that fail on purpose."""

import ipaddress
import logging
import select
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from urllib.parse import parse_qs

from app.clock import monotonic
from app.simulator.reply import Reply, refusal

_MOST_BODY = 65_536
_IDLE_S = 120
_LONGEST_HANG_S = 3_600.0
_PATIENCE_S = 3.0
_FILLER = b"x" * 65_536
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks. `query` keeps the last value of a repeated name, `raw_query` all."""

    method: str
    path: str
    query: dict[str, str]
    caller: str
    gzip: bool = False
    origin: bool = False
    body: bytes = b""
    raw_query: str = ""
    authorization: str = field(default="", repr=False)

    @property
    def from_here(self) -> bool:
        """Whether it comes from this machine."""
        address = ipaddress.ip_address(self.caller.split("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_loopback)


Handle = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    """Answers every request with `handle`, one thread per connection, until it is stopped."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, handle: Handle) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.handle = handle
        self.closing = Event()
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((host, port), _Handler)
        self._thread = Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The address to send requests to."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Close everything at once, also the connections that a fault holds."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        self._thread.join()
        self._wait_for_handlers()

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection, so that it can be closed."""
        with self._lock:
            self._open.add(_as_socket(request))
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        """Forget the connection and close it."""
        super().shutdown_request(request)  # type: ignore[arg-type]
        with self._lock:
            self._open.discard(_as_socket(request))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else is logged."""
        del request
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            _log.exception("request failed", extra={"client": client_address})

    def _wait_for_handlers(self) -> None:
        until = monotonic() + _PATIENCE_S
        pause = Event()
        while self._open and monotonic() < until:
            pause.wait(0.005)


def _as_socket(request: object) -> socket.socket:
    assert isinstance(request, socket.socket)  # noqa: S101 - socketserver types it loosely
    return request


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.debug("connection was closed already")


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def _answer(self) -> None:
        body = self._body()
        if body is None:
            self._send(refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Body too large."))
            return
        self._send(self.server.handle(self._request(body)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _request(self, body: bytes) -> Request:
        path, _, query = self.path.partition("?")
        pairs = parse_qs(query, keep_blank_values=True, errors="replace")
        return Request(
            method=self.command,
            path=path,
            query={name: values[-1] for name, values in pairs.items()},
            caller=str(self.client_address[0]),
            gzip="gzip" in self.headers.get("Accept-Encoding", ""),
            origin="Origin" in self.headers,
            body=body,
            raw_query=query,
            authorization=self.headers.get("Authorization", ""),
        )

    def _body(self) -> bytes | None:
        announced = self.headers.get("Content-Length", "0")
        too_long = not announced.isdigit() or int(announced) > _MOST_BODY
        if too_long or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows can't be told from a next request
            return None
        return self.rfile.read(int(announced))

    def _send(self, reply: Reply) -> None:
        if reply.hang:
            self._hang()
            return
        if reply.drop:
            self.close_connection = True
            return
        if reply.delay_s:
            self.server.closing.wait(reply.delay_s)
        self._send_head(reply)
        if self.command != "HEAD":
            self._send_body(reply)

    def _send_head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(reply.length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send_body(self, reply: Reply) -> None:
        if reply.cut:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
        elif reply.dribble:
            self._dribble(reply.body)
        else:
            self.wfile.write(reply.body)
            for at in range(0, reply.filler, len(_FILLER)):
                self.wfile.write(_FILLER[: reply.filler - at])
            self.wfile.write(reply.tail)

    def _dribble(self, body: bytes) -> None:
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()
            if self.server.closing.wait(0.1):
                break

    def _hang(self) -> None:
        self.close_connection = True
        until = monotonic() + _LONGEST_HANG_S
        while monotonic() < until and not self.server.closing.wait(0.1):
            if self._client_left():
                break

    def _client_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def log_message(self, template: str, *args: object) -> None:
        """Keep requests out of the terminal."""
        _log.debug(template, *args)
