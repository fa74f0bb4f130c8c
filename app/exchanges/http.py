"""The one door to the internet: time-outs, caps and pacing for every call, errors in our words."""

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3

from app.clock import monotonic
from app.exchanges.base import RateLimited, Rejected, Unavailable, UnknownMarket
from app.exchanges.session import over_by, punctual_session

log = logging.getLogger(__name__)

_CHUNK = 16 * 1024
_ASKS_QUIET = (418, 429)
#: 4xx that speak of the moment and not of the request.
_PASSING = (408, 425)


#: A query: names with their values, or pairs where a name comes more than once.
Params = Mapping[str, str] | Sequence[tuple[str, str]]
#: Makes the headers of one try. A signed token is good once, so a second try needs another.
Sign = Callable[[], Mapping[str, str]]


class Gate(Protocol):
    """Who may call when. There is no call without one."""

    def enter(self) -> None:
        """Wait for the right to call once, or raise RateLimited."""

    def answered(self, status: int, headers: Mapping[str, str]) -> float:
        """Take note of an answer; return the seconds of quiet that it asks for."""


class TooLarge(Unavailable):
    """The body is larger than anything the exchange would send in earnest."""


class _Broken(Unavailable):
    """The line failed, not the exchange: worth one more try."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived whole, whatever it says."""

    status: int
    content_type: str
    body: bytes

    @property
    def is_html(self) -> bool:
        """Whether some page came instead of data: a maintenance notice, a proxy, a portal."""
        return "html" in self.content_type.lower() or self.body.lstrip()[:1] == b"<"


@dataclass(frozen=True, slots=True)
class _Call:
    """What is asked. Headers and body may hold keys and are never logged."""

    path: str
    params: Params
    cap: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, str] | bytes | None = field(default=None, repr=False)
    method: str = "GET"
    sign: Sign | None = field(default=None, repr=False)

    def all_headers(self) -> dict[str, str]:
        """The headers of the try that is made now."""
        return {**self.headers, **(self.sign() if self.sign else {})}


class HttpClient:
    """Talks to one host. Safe to share between threads: the session keeps nothing but open lines.

    A read on a line that breaks or stalls is tried once more, after a random moment, within
    `total_timeout` seconds for both tries together; nothing else is repeated. Redirects are not
    followed, cookies not kept, proxies and credentials of the environment not used, certificates
    always verified.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float = 3.05,
        read_timeout: float = 5.0,
        total_timeout: float = 12.0,
        max_bytes: int = 4 * 1024 * 1024,
        user_agent: str = "whaling",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname:
            raise ValueError(f"not an http address: {base_url!r}")
        self._base_url = base_url.rstrip("/")
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._sleep = sleep
        self._session = punctual_session(user_agent)

    def text(self, path: str, params: Mapping[str, str], gate: Gate) -> str:
        """The text of a good answer to a GET.

        Raises UnknownMarket (404), Rejected (other 4xx), RateLimited (429, 418), Unavailable (the
        rest: unreachable, too slow, too large, 5xx, a web page, broken UTF-8).
        """
        reply = self.fetch(path, params, gate)
        _refuse_failure(reply, path)
        try:
            return reply.body.decode()
        except UnicodeDecodeError as error:
            raise Unavailable(f"{path}: broken UTF-8") from error

    def fetch(
        self,
        path: str,
        params: Params,
        gate: Gate,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        sign: Sign | None = None,
    ) -> Reply:
        """Whatever answer arrives whole, of any status but 429 and 418; else Unavailable.

        `sign` is asked for further headers before each try.
        """
        cap = self._max_bytes if max_bytes is None else max_bytes
        call = _Call(path, params, cap, headers or {}, sign=sign)
        gate.enter()
        deadline = self._latest()
        try:
            return self._try(call, gate, deadline)
        except _Broken:
            self._sleep(secrets.SystemRandom().uniform(0.1, 0.4))
            if monotonic() >= deadline:
                raise
        gate.enter()
        return self._try(call, gate, deadline)

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        gate: Gate,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """As `fetch`, for a form that is sent once and never again, whatever becomes of it."""
        call = _Call(path, {}, self._max_bytes, headers or {}, form, "POST")
        return self._once(call, gate)

    def send(
        self,
        method: str,
        path: str,
        gate: Gate,
        sign: Sign,
        params: Params = (),
        body: Mapping[str, str] | None = None,
    ) -> Reply:
        """As `post`: a signed call that changes something, its `body` as JSON. Sent once."""
        content = None if body is None else json.dumps(body).encode()
        headers = {} if content is None else {"Content-Type": "application/json; charset=utf-8"}
        call = _Call(path, params, self._max_bytes, headers, content, method, sign)
        return self._once(call, gate)

    def close(self) -> None:
        """Let go of the open lines."""
        self._session.close()

    def _once(self, call: _Call, gate: Gate) -> Reply:
        gate.enter()
        return self._try(call, gate, self._latest())

    def _latest(self) -> float:
        """When the call that begins now must be over."""
        return min(monotonic() + self._total_timeout, _all_over.get())

    def _try(self, call: _Call, gate: Gate, deadline: float) -> Reply:
        path, params = call.path, dict(call.params)
        started = monotonic()
        if started >= deadline:
            raise Unavailable(f"{path}: no time left")
        try:
            reply = self._exchange(call, gate, deadline)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            log.warning("exchange_broken path=%s params=%s error=%r", path, params, error)
            raise _Broken(f"{path}: {type(error).__name__}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Unavailable(f"{path}: {type(error).__name__}: {error!s:.200}") from error
        spent_ms = round((monotonic() - started) * 1000)
        log.debug(
            "exchange_answer path=%s params=%s status=%d bytes=%d ms=%d",
            *(path, params, reply.status, len(reply.body), spent_ms),
        )
        return reply

    def _exchange(self, call: _Call, gate: Gate, deadline: float) -> Reply:
        left = max(deadline - monotonic(), 0.001)
        limits: Any = urllib3.Timeout(left, self._connect_timeout, self._read_timeout)
        with (
            over_by(deadline),
            self._session.request(
                call.method,
                self._base_url + call.path,
                params=_pairs(call.params),
                data=call.body,
                headers=call.all_headers(),
                timeout=limits,
                stream=True,
                allow_redirects=False,
            ) as response,
        ):
            quiet_s = gate.answered(response.status_code, response.headers)
            if response.status_code in _ASKS_QUIET:
                raise RateLimited(f"{call.path}: HTTP {response.status_code}", quiet_s)
            kind = response.headers.get("Content-Type", "")
            return Reply(response.status_code, kind, _read(response, call.cap))


def _pairs(params: Params) -> list[tuple[str, str]]:
    return list(params.items() if isinstance(params, Mapping) else params)


def _read(response: requests.Response, cap: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > cap:
            raise TooLarge(f"more than {cap} bytes")
    return bytes(body)


def _refuse_failure(reply: Reply, path: str) -> None:
    if reply.is_html or reply.status in _PASSING:
        raise Unavailable(f"{path}: HTTP {reply.status} with {reply.content_type[:60]!r}")
    if 200 <= reply.status < 300:
        return
    told = f"{path}: HTTP {reply.status}: {reply.body[:200]!r}"
    if reply.status == 404:
        raise UnknownMarket(told)
    raise Rejected(told) if 400 <= reply.status < 500 else Unavailable(told)


#: The moment at which all calls of a deed must be over, where it set itself a limit.
_all_over: ContextVar[float] = ContextVar("all_over", default=float("inf"))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All calls that this thread makes in the block are over then, whatever each might take."""
    token = _all_over.set(min(monotonic() + seconds, _all_over.get()))
    try:
        yield
    finally:
        _all_over.reset(token)
