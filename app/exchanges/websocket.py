"""The one door to what an exchange pushes: a line with time-outs and caps, errors in our words."""

import logging
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from app.exchanges.base import RateLimited, Unavailable

_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # the library tells of every line; ours is told where it matters
_ASKS_QUIET = {429: 1.0, 418: 60.0}
#: So many frames wait for us at most; then the line itself fills up and the exchange has to wait.
_MOST_WAITING = 512


class WebSocket:
    """A line to one address. One thread reads it; closing it is safe from any, and twice.

    Alive is proved by pings: who answers none within `ping_timeout` is hung up on. A message of
    more than `max_bytes` ends the line. No proxy and no credentials of the environment are used, no
    redirect leads to another address, certificates are always verified.
    """

    def __init__(
        self,
        url: str,
        *,
        user_agent: str = "whaling",
        open_timeout: float = 4.0,
        ping_every: float = 20.0,
        ping_timeout: float = 10.0,
        max_bytes: int = 64 * 1024,
    ) -> None:
        self._url, self._address = url, _address(url)
        self._user_agent = user_agent
        self._open_timeout = open_timeout
        self._ping_every, self._ping_timeout = ping_every, ping_timeout
        self._max_bytes = max_bytes
        self._line: ClientConnection | None = None

    def open(self) -> None:
        """Connect, or raise RateLimited (429, 418) or Unavailable."""
        self.close()
        try:
            self._line = connect(
                self._url,
                legacy=True,
                address=self._address,
                proxy=None,
                user_agent_header=self._user_agent,
                open_timeout=self._open_timeout,
                ping_interval=self._ping_every,
                ping_timeout=self._ping_timeout,
                close_timeout=0.5,
                max_size=self._max_bytes,
                max_queue=_MOST_WAITING,
                logger=_log,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if status in _ASKS_QUIET:
                raise RateLimited(f"stream: HTTP {status}", _ASKS_QUIET[status]) from error
            raise Unavailable(f"stream: HTTP {status}") from error
        except (OSError, ValueError, WebSocketException) as error:
            raise Unavailable(f"stream: {type(error).__name__}: {error!s:.100}") from error

    def send(self, text: str) -> None:
        """Send one message, or raise Unavailable."""
        try:
            self._open_line().send(text)
        except ConnectionClosed as error:
            raise Unavailable(f"stream closed: {error!s:.100}") from error

    def receive(self, timeout: float) -> bytes | None:
        """The next message, text or binary, as it came; None when none came in time.

        Raises Unavailable when the line is gone.
        """
        try:
            return self._open_line().recv(timeout, decode=False)
        except TimeoutError:
            return None
        except (ConnectionClosed, WebSocketException) as error:
            raise Unavailable(f"stream closed: {error!s:.100}") from error

    def close(self) -> None:
        """Let go of the line."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_line(self) -> ClientConnection:
        if self._line is None:
            raise Unavailable("stream: not open")
        return self._line


def _address(url: str) -> tuple[str, int]:
    """Host and port; named to the library, it refuses to be redirected to others."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"not a WebSocket address: {url!r}")
    return parts.hostname, parts.port or (443 if parts.scheme == "wss" else 80)
