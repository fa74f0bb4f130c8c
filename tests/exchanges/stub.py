"""A small real server that says what a test tells it to, and remembers what it was asked."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Answer = Callable[[BaseHTTPRequestHandler], None]


def reply(body: str | bytes = "[]", status: int = 200, **headers: str) -> Answer:
    """A whole answer; header names are written with _ for -."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"Content-Type": "application/json", "Content-Length": str(len(content))} | named

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in named.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the line without a word."""
    handler.close_connection = True


class _Server(ThreadingHTTPServer):
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what half of the tests are about."""


@dataclass
class Stub:
    """Gives the answers of `script` one by one, then `default` for ever."""

    default: Answer = field(default_factory=reply)
    script: list[Answer] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                stub.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.do_GET()

            def do_GET(self) -> None:
                stub.asked.append(self.path)
                stub.headers.append({name.lower(): value for name, value in self.headers.items()})
                try:
                    (stub.script.pop(0) if stub.script else stub.default)(self)
                except OSError:  # the client has had enough
                    self.close_connection = True

            do_DELETE = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *args: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def dribble(self, head: bytes, drop: bytes, pause_s: float = 0.05) -> Answer:
        """Send `head`, then one `drop` after another until the client has had enough."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.close_connection = True
            handler.wfile.write(head)
            while not self.over.wait(pause_s):
                handler.wfile.write(drop)

        return answer

    def silence(self, handler: BaseHTTPRequestHandler) -> None:
        """Say nothing as long as the test lasts."""
        handler.close_connection = True
        self.over.wait(20)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A fresh certificate for 127.0.0.1, signed by nobody but itself, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = datetime.now(UTC) - timedelta(days=1)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, SHA256())
    )
    pem, secret = folder / "server.pem", folder / "server.key"
    pem.write_bytes(signed.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, secret
