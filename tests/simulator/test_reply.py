"""Answers that fail while they are given, over a real socket."""

import http.client
import socket
import time
from urllib.parse import urlsplit

import pytest

from app.simulator import Simulator
from tests.simulator.clients import ask

ALL = "/v1/ticker/all?quote_currencies=KRW"


def test_timeout_accepts_and_never_answers(faulty: Simulator) -> None:
    faulty.fault("timeout")

    with pytest.raises(TimeoutError):
        ask(faulty, "/v1/market/all", timeout=0.2)


def test_held_connection_ends_when_the_client_leaves(faulty: Simulator) -> None:
    faulty.fault("timeout")
    with pytest.raises(TimeoutError):
        ask(faulty, "/v1/market/all", timeout=0.1)

    server = faulty._server
    until = time.monotonic() + 2
    while server is not None and server._open and time.monotonic() < until:
        time.sleep(0.02)

    assert server is not None
    assert not server._open


def test_slow_answers_late(faulty: Simulator) -> None:
    faulty.fault("slow", seconds=0.2)
    began = time.monotonic()

    assert ask(faulty, "/v1/market/all").status == 200
    assert time.monotonic() - began >= 0.2


def test_dribble_sends_a_byte_at_a_time(faulty: Simulator) -> None:
    faulty.fault("slow", dribble=True)
    parts = urlsplit(faulty.url)
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=2) as raw:
        raw.sendall(b"GET /v1/market/all HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.35)
        head, _, body = raw.recv(65_536).partition(b"\r\n\r\n")

    assert b"200 OK" in head
    assert 1 <= len(body) < 10


@pytest.mark.parametrize("status", [429, 418])
def test_refusals_have_no_retry_after(faulty: Simulator, status: int) -> None:
    faulty.fault(str(status))
    answer = ask(faulty, ALL)

    assert answer.status == status
    assert answer.text.startswith("Too many API requests.")
    assert "Retry-After" not in answer.headers


def test_418_tells_how_long(faulty: Simulator) -> None:
    faulty.fault("418", seconds=30)

    assert "30 seconds" in ask(faulty, ALL).text


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors_by_option_or_by_name(faulty: Simulator, status: int) -> None:
    faulty.fault("5xx", status=status)
    first = ask(faulty, ALL).status
    faulty.clear_faults()
    faulty.fault(str(status))

    assert (first, ask(faulty, ALL).status) == (status, status)


@pytest.mark.parametrize("status", [200, 503])
def test_html_comes_with_either_status(faulty: Simulator, status: int) -> None:
    faulty.fault("html", status=status)
    answer = ask(faulty, ALL, headers={"Accept-Encoding": "gzip"})

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_cut_breaks_off_under_the_full_length(faulty: Simulator, encoding: str) -> None:
    faulty.fault("cut")

    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(faulty, ALL, headers={"Accept-Encoding": encoding})

    assert len(cut.value.partial) == pytest.approx(cut.value.expected, abs=2)


def test_huge_is_as_large_as_told(faulty: Simulator) -> None:
    faulty.fault("huge", size=3_000_000)
    answer = ask(faulty, ALL)

    assert len(answer.body) == int(answer.headers["Content-Length"]) > 3_000_000
    assert answer.json[0]["market"] == "KRW-BTC"


def test_huge_may_be_small_on_the_wire(faulty: Simulator) -> None:
    faulty.fault("huge", size=3_000_000, gzip=True)
    answer = ask(faulty, ALL)

    assert len(answer.body) < 10_000
    assert len(answer.text) > 3_000_000


def test_huge_is_tens_of_megabytes_unless_told(faulty: Simulator) -> None:
    faulty.fault("huge")

    assert int(ask(faulty, ALL, "HEAD").headers["Content-Length"]) > 40_000_000


def test_empty_is_an_array_without_rows(faulty: Simulator) -> None:
    faulty.fault("empty")

    assert ask(faulty, ALL).json == []


def test_latest_reply_fault_wins_and_clearing_its_group_brings_back_the_other(
    faulty: Simulator,
) -> None:
    faulty.fault("429")
    faulty.fault("500", group="ticker")
    first = ask(faulty, ALL).status

    faulty.fault("none", group="ticker")

    assert (first, ask(faulty, ALL).status) == (500, 429)
