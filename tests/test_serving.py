"""What only a real server shows: proxies, signals, starting and stopping."""

from pathlib import Path

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
