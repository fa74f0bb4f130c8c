"""A small real WebSocket server that says what a test tells it to, and remembers what it heard."""

import json
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

Judge = Callable[[ServerConnection, Request], Response | None]


@dataclass
class Pusher:
    """Sends `greeting` to whoever subscribes; `push` sends to all who are there."""

    greeting: list[str | bytes] = field(default_factory=list)
    judge: Judge | None = None
    tls: ssl.SSLContext | None = None
    asked: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lines: list[ServerConnection] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        self._server: Server = serve(
            self._serve,
            "127.0.0.1",
            0,
            ssl=self.tls,
            process_request=self.judge,
            ping_interval=None,
            close_timeout=0.2,
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        scheme = "wss" if self.tls else "ws"
        self.url = f"{scheme}://127.0.0.1:{self._server.socket.getsockname()[1]}/websocket/v1"
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self.hang_up()

    def push(self, *frames: str | bytes) -> None:
        """Send these to all lines; strings go as text frames, bytes as binary ones."""
        for line in list(self.lines):
            for frame in frames:
                line.send(frame)

    def hang_up(self) -> None:
        """Close all lines."""
        for line in list(self.lines):
            line.close()

    def wait_for(self, requests: int, timeout: float = 5) -> None:
        """Until so many requests have come, or fail."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= requests, timeout)

    def _serve(self, line: ServerConnection) -> None:
        assert line.request is not None
        self.headers.append({name.lower(): value for name, value in line.request.headers.items()})
        self.lines.append(line)
        with suppress(ConnectionClosed):
            for message in line:
                for frame in self.greeting:
                    line.send(frame)
                with self.came:
                    self.asked.append(json.loads(message))
                    self.came.notify_all()
        self.lines.remove(line)
