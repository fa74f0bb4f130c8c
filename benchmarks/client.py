"""A small keep-alive HTTP client, so that the clients cost little beside the server."""

import re
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode, urlsplit

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nSet-Cookie: ([^=;\r\n]+)=([^;\r\n]*)", re.IGNORECASE)
_TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')


class Client:
    """One connection and its cookies."""

    def __init__(self, address: str) -> None:
        host, _, port = urlsplit(address).netloc.partition(":")
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cookies: dict[str, str] = {}
        self.token = ""

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page."""
        return self.send(self.prepare("GET", path))

    def post(self, path: str, **fields: str) -> tuple[int, bytes]:
        """Status and body after sending a form with its token."""
        return self.send(self.prepare("POST", path, **fields))

    def prepare(self, method: str, path: str, **fields: str) -> bytes:
        """A request as bytes, with cookies and, for a form, its token."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: text/html\r\n"
        head += "Accept-Language: ko\r\n" + (f"Cookie: {cookies}\r\n" if cookies else "")
        if method == "GET":
            return f"{head}\r\n".encode()
        body = urlencode({**fields, "csrf_token": self.token})
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to a prepared request."""
        self._socket.sendall(request)
        head, body = self._head()
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        parts, have = [body], len(body)
        while have < length:
            part = self._socket.recv(262_144)
            if not part:
                raise ConnectionError("the answer was cut short")
            parts.append(part)
            have += len(part)
        self._keep_cookies(head)
        return int(head[9:12]), b"".join(parts)

    def sign_in(self, name: str, password: str) -> None:
        """Sign in through the form; later requests carry the session and its token."""
        self._read_token(self.get("/login"))
        status, _ = self.post("/login", nickname=name, password=password)
        if status != 303:
            raise RuntimeError(f"{name} could not sign in: {status}")
        self._read_token(self.get("/me/settings"))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _head(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            part = self._socket.recv(262_144)
            if not part:
                raise ConnectionError("the server hung up")
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        return head, body

    def _keep_cookies(self, head: bytes) -> None:
        if b"et-Cookie" in head or b"et-cookie" in head:
            for name, value in _COOKIE.findall(head):
                self.cookies[name.decode()] = value.decode()

    def _read_token(self, page: tuple[int, bytes]) -> None:
        status, body = page
        found = _TOKEN.search(body)
        if status != 200 or found is None:
            raise RuntimeError(f"no form: {status}")
        self.token = found[1].decode()


def at_once(works: Sequence[Callable[[], None]]) -> float:
    """Seconds until all of these, begun together, each in a thread of its own, are done."""
    barrier = Barrier(len(works) + 1)

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(run, work) for work in works]
        barrier.wait()
        began = time.perf_counter()
        for one in running:
            one.result()
        return time.perf_counter() - began


def per_second(clients: Sequence[Client], request: Callable[[Client], bytes], each: int) -> float:
    """Answers per second when every client sends the same request `each` times."""

    def work(client: Client) -> Callable[[], None]:
        prepared = request(client)

        def send() -> None:
            for _ in range(each):
                status, _body = client.send(prepared)
                if status != 200:
                    raise RuntimeError(f"status {status}")

        return send

    return len(clients) * each / at_once([work(client) for client in clients])
