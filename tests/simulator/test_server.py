"""HTTP itself: methods, bodies, connections."""

import http.client
from urllib.parse import urlsplit

import pytest

from app.simulator import Simulator
from tests.simulator.clients import ask


def test_head_gives_headers_alone(exchange: Simulator) -> None:
    answer = ask(exchange, "/v1/market/all", "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1_000


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(exchange: Simulator, method: str) -> None:
    answer = ask(exchange, "/v1/market/all", method, body="{}")

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_body_too_large_is_refused_and_the_connection_closed(exchange: Simulator) -> None:
    answer = ask(exchange, "/v1/market/all", "POST", headers={"Content-Length": "99999999"})

    assert answer.status == 413
    assert answer.headers["Connection"] == "close"


def test_one_connection_serves_many_requests(exchange: Simulator) -> None:
    parts = urlsplit(exchange.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    connection.connect()
    own_port = connection.sock.getsockname()[1]
    for path in ("/v1/market/all", "/v1/nothing", "/v1/ticker?markets=KRW-BTC"):
        connection.request("GET", path)
        connection.getresponse().read()

    assert connection.sock.getsockname()[1] == own_port
    connection.close()
