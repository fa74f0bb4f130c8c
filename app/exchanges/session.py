"""Sessions whose calls end in time, however slowly a server trickles its answer."""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.clock import monotonic

#: The moment at which the call now made in this thread must be over, in `monotonic()` seconds.
_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def over_by(deadline: float) -> Iterator[None]:
    """The call that this thread makes in the block is over by then, in `monotonic()` seconds."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class _Session(requests.Session):
    """A session that never follows a redirect, nor reads its body to find out whether it should."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def punctual_session(user_agent: str) -> requests.Session:
    """A session whose calls are over by the moment that `over_by` names.

    It follows no redirect, keeps no cookie, uses no proxy and no credentials of the environment.
    """
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PunctualAdapter())
    return session


class _PunctualStream(io.RawIOBase):
    """The bytes of a socket until the deadline.

    The library's read time-out starts anew with each packet, so a server that sends one byte a
    second, in the head or in the body, would hold its caller for hours.
    """

    def __init__(self, sock: socket.socket, stream: io.RawIOBase) -> None:
        self._sock = sock
        self._stream = stream
        self._patience = sock.gettimeout() or 0.0
        self._deadline = _deadline.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(min(left, self._patience))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _PunctualResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_PunctualStream(sock, self.fp.detach()))


class _HttpLine(HTTPConnection):
    response_class = _PunctualResponse


class _HttpsLine(HTTPSConnection):
    response_class = _PunctualResponse


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpLine


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsLine


class _PunctualAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
