"""What only a real server shows: proxies, signals, starting and stopping."""

import resource
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection
from urllib.parse import urlsplit

import pytest
import requests

from app.serving import connection_options
from tests.serving import serving

OVER_TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


def test_a_trusted_proxy_may_say_that_the_visit_came_over_tls(tmp_path: Path) -> None:
    with serving(tmp_path, TRUSTED_PROXIES="1", SCHEDULER="off") as (address, _):
        answer = requests.get(f"{address}/health", headers=OVER_TLS, timeout=5)

    assert "Strict-Transport-Security" in answer.headers


def test_nobody_else_may_say_so(tmp_path: Path) -> None:
    with serving(tmp_path, SCHEDULER="off") as (address, _):
        answer = requests.get(f"{address}/health", headers=OVER_TLS, timeout=5)

    assert "Strict-Transport-Security" not in answer.headers


def test_the_server_starts_and_stops_cleanly_without_an_exchange(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, process):
        answer = requests.get(f"{address}/health", timeout=5)

    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert answer.json()["price_age_s"] is None
    assert process.returncode == 0


def test_a_connection_outlives_an_answer_without_a_body(tmp_path: Path) -> None:
    with serving(tmp_path, SCHEDULER="off") as (address, _):
        place = urlsplit(address)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=10)
        connection.connect()
        own_port = connection.sock.getsockname()[1]
        etag = ""
        for status in (200, 304, 304):
            connection.request("GET", "/api/v1/coins", headers={"If-None-Match": etag})
            answer = connection.getresponse()
            answer.read()
            etag = answer.headers["ETag"]
            assert (answer.status, answer.headers["Connection"]) == (status, None)
            assert connection.sock.getsockname()[1] == own_port
        connection.close()


def test_a_hundred_open_connections_keep_nobody_out(tmp_path: Path) -> None:
    """Who looks at live prices stays connected; Waitress by itself lets in a hundred."""
    with serving(tmp_path, SCHEDULER="off") as (address, _), ExitStack() as viewers:
        place = urlsplit(address)
        for _viewer in range(150):
            viewers.enter_context(create_connection((place.hostname, place.port), timeout=10))

        answer = requests.get(f"{address}/api/v1/live", timeout=10)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("soft", "hard", "room"),
    [
        (1024, 1_048_576, 4000),
        (1024, 1024, 768),
        (1024, resource.RLIM_INFINITY, 4000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 4000),
        (300, 300, 100),
    ],
)
def test_as_many_connections_as_the_system_allows_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, room: int
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, both: asked.append(both))

    assert connection_options()["connection_limit"] == room
    assert asked == ([(4256, hard)] if soft == 1024 != hard else [])


def test_a_body_of_megabytes_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with serving(tmp_path, SCHEDULER="off") as (address, _):
        place = urlsplit(address)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=10)
        connection.putrequest("POST", "/api/v1/auth/local")
        connection.putheader("Content-Length", str(2**21))
        connection.endheaders()
        answer = connection.getresponse()
        connection.close()

    assert answer.status == 413


def test_a_client_that_wants_to_hang_up_is_heard(tmp_path: Path) -> None:
    with serving(tmp_path, SCHEDULER="off") as (address, _):
        etag = requests.get(f"{address}/api/v1/coins", timeout=5).headers["ETag"]
        wish = {"If-None-Match": etag, "Connection": "close"}
        answer = requests.get(f"{address}/api/v1/coins", headers=wish, timeout=5)

    assert (answer.status_code, answer.headers["Connection"]) == (304, "close")
