"""What only a real server shows: proxies, signals, starting and stopping."""

from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import requests

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


def test_a_client_that_wants_to_hang_up_is_heard(tmp_path: Path) -> None:
    with serving(tmp_path, SCHEDULER="off") as (address, _):
        etag = requests.get(f"{address}/api/v1/coins", timeout=5).headers["ETag"]
        wish = {"If-None-Match": etag, "Connection": "close"}
        answer = requests.get(f"{address}/api/v1/coins", headers=wish, timeout=5)

    assert (answer.status_code, answer.headers["Connection"]) == (304, "close")
