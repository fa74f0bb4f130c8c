"""A plain HTTP client for the simulator's tests: status, headers, body, and exact numbers."""

import gzip
import http.client
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.simulator import Simulator


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        plain = self.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if plain else self.body).decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)


def ask(
    sim: Simulator,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: str | bytes | None = None,
    timeout: float = 5,
    **query: object,
) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    try:
        target = f"{path}?{urlencode(query)}" if query else path
        connection.request(method, target, body, headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def switch(sim: Simulator, what: str, **fields: object) -> Answer:
    """One order to the switch at /_sim."""
    return ask(sim, f"/_sim/{what}", "POST", body=json.dumps(fields))


def ticker(sim: Simulator, code: str = "KRW-BTC") -> Any:
    """The ticker row of one market."""
    return ask(sim, "/v1/ticker", markets=code).json[0]


def minutes(sim: Simulator, code: str = "KRW-BTC", unit: int = 1, **query: object) -> Any:
    """Minute candles, newest first."""
    return ask(sim, f"/v1/candles/minutes/{unit}", market=code, **query).json
