"""A thousand viewers in one process of their own: `python -m benchmarks.crowd`, told by its input.

They keep their connections open and ask for the same address again and again, each with the ETag
of its last answer, as browsers do that look at live prices.
"""

import json
import resource
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from heapq import heappop, heappush
from urllib.parse import urlsplit

_LENGTH = b"\r\nContent-Length: "
_ETAG = b"\r\nEtag: "  # as Waitress writes it


@dataclass(frozen=True, slots=True)
class Order:
    """What the crowd is to do: ask for how long, each every `pace_s` seconds (0: at once again)."""

    address: str
    path: str
    viewers: int
    seconds: float
    pace_s: float


@dataclass(slots=True)
class Seen:
    """What it saw: answers of both kinds, how long each took in ms, the last body of everybody."""

    fresh: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    times_ms: list[float] = field(default_factory=list)
    last: list[str] = field(default_factory=list)


class _Viewer:
    """One connection: a request under way or the next one due."""

    __slots__ = ("asked_at", "body", "etag", "head", "received", "socket")

    def __init__(self, order: Order) -> None:
        place = urlsplit(order.address)
        self.socket = socket.create_connection((place.hostname, place.port or 80), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.head = (
            f"GET {order.path} HTTP/1.1\r\nHost: {place.netloc}\r\nAccept: application/json\r\n"
        ).encode()
        self.etag = self.body = self.received = b""
        self.asked_at = 0.0

    def ask(self, now: float) -> None:
        known = b"If-None-Match: " + self.etag + b"\r\n" if self.etag else b""
        self.received, self.asked_at = b"", now
        self.socket.sendall(self.head + known + b"\r\n")

    def hear(self) -> int | None:
        """The status of the answer once all of it is there; ConnectionError where it is cut."""
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError("hung up")
        self.received = self.received + part if self.received else part
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        status = int(self.received[9:12])
        if status != 200:
            return status
        body = self.received[end + 4 :]
        if len(body) < int(self._header(_LENGTH, end) or 0):
            return None
        self.body, self.etag = body, self._header(_ETAG, end)
        return status

    def _header(self, name: bytes, end: int) -> bytes:
        at = self.received.find(name, 0, end)
        return (
            b"" if at < 0 else self.received[at + len(name) : self.received.index(b"\r\n", at + 2)]
        )


class _Crowd:
    """All viewers: who is due when, and what was heard so far."""

    def __init__(self, order: Order) -> None:
        self._order, self.seen = order, Seen()
        self._viewers = [_Viewer(order) for _ in range(order.viewers)]
        self._places = {one.socket.fileno(): place for place, one in enumerate(self._viewers)}
        self._poll = select.epoll(order.viewers)
        for number in self._places:
            self._poll.register(number, select.EPOLLIN)
        self._began = time.perf_counter()
        self._until, self._waiting = self._began + order.seconds, 0
        step = order.pace_s / order.viewers  # not all in the same moment
        self._due = [(self._began + step * place, place) for place in range(order.viewers)]

    def look(self) -> Seen:
        """Ask and hear until the time is over and the last answer is there."""
        while self._ask_who_is_due() or self._waiting:
            for number, _event in self._poll.poll(0.001):
                self._hear(self._places[number])
        self.seen.seconds = time.perf_counter() - self._began
        self.seen.last = sorted({viewer.body.decode() for viewer in self._viewers})
        self._leave()
        return self.seen

    def _ask_who_is_due(self) -> bool:
        """Whether there is time left."""
        now = time.perf_counter()
        if now >= self._until:
            return False
        while self._due and self._due[0][0] <= now:
            self._viewers[heappop(self._due)[1]].ask(now)
            self._waiting += 1
        return True

    def _hear(self, place: int) -> None:
        viewer = self._viewers[place]
        status = viewer.hear()
        if status is None:
            return
        heard = time.perf_counter()
        self._waiting -= 1
        _count(self.seen, status, heard - viewer.asked_at, viewer)
        heappush(self._due, (max(heard, viewer.asked_at + self._order.pace_s), place))

    def _leave(self) -> None:
        self._poll.close()
        for viewer in self._viewers:
            viewer.socket.close()


def look(order: Order) -> Seen:
    """Let the crowd look on; RuntimeError at any answer but 200 and 304."""
    _allow_files(order.viewers + 100)
    return _Crowd(order).look()


def _count(seen: Seen, status: int, took_s: float, viewer: _Viewer) -> None:
    if status == 200:
        seen.fresh += 1
    elif status == 304:
        seen.unchanged += 1
    else:
        raise RuntimeError(f"{status}: {viewer.received[-300:]!r}")
    seen.times_ms.append(1000 * took_s)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asdict(look(Order(**json.loads(line))))), flush=True)
