"""Keeping a connection open, and the exchange's patience with those who ask too much."""

import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.simulator import Simulator
from app.simulator.exchange import Exchange, Settings
from app.simulator.stream.session import Session
from tests.simulator.conftest import START
from tests.simulator.listening import listening


def session(rate_limit: int | None = 10) -> Session:
    return Session(Exchange(Settings(1, 2, 0, START, None, rate_limit, "shortest", "404", False)))


def test_text_ping_is_answered_and_repeated_every_ten_seconds() -> None:
    one = session()

    first = one.hear("PING", 100.0)
    later = [one.tell(moment) for moment in (101.0, 109.9, 110.0, 119.9, 120.1)]

    assert first == [b'{"status":"UP"}']
    assert later == [[], [], first, [], first]


def test_text_ping_over_the_wire() -> None:
    with Simulator(markets=1, speed=0, stream_status_s=0.2) as sim, listening(sim) as client:
        client.connection.send("PING")
        frames = client.many(3)

    assert frames == [{"status": "UP"}] * 3


def test_protocol_ping_is_answered(sim: Simulator) -> None:
    with listening(sim) as client:
        assert client.connection.ping().wait(timeout=2)


def test_connection_without_traffic_is_closed() -> None:
    with Simulator(markets=1, speed=0, stream_idle_s=0.4) as sim, listening(sim) as client:
        began = time.monotonic()
        with pytest.raises(ConnectionClosed):
            client.raw(timeout=3)

    assert 0.3 < time.monotonic() - began < 2.5


@pytest.mark.parametrize("alive", ["ping", "text", "data"])
def test_traffic_either_way_keeps_a_connection_open(alive: str) -> None:
    with (
        Simulator(markets=1, speed=0, stream_idle_s=1.2, rate_limit=None) as sim,
        listening(sim, "KRW-BTC") as client,
    ):
        for number in range(5):
            time.sleep(0.3)
            if alive == "ping":
                client.connection.ping()
            elif alive == "text":
                client.connection.send("PING")
            else:
                sim.set_price("KRW-BTC", 1000 + number)

        client.rest(quiet_s=0.1)
        assert client.connection.ping().wait(timeout=2)


def test_sixth_message_in_a_second_is_too_much() -> None:
    one = session()

    heard = [one.hear("PING", 50.0 + number / 10) for number in range(7)]

    assert [b"TOO_MANY_REQUEST" in frames[0] for frames in heard] == [False] * 5 + [True] * 2
    assert one.hear("PING", 52.0) == [b'{"status":"UP"}']


def test_hundred_and_first_message_in_a_minute_is_too_much() -> None:
    one = session()

    heard = [one.hear("PING", 50.0 + number / 2) for number in range(102)]

    assert [b"TOO_MANY_REQUEST" in frames[0] for frames in heard] == [False] * 100 + [True] * 2
    assert b"UP" in one.hear("PING", 170.0)[0]


def test_without_limits_any_number_of_messages_is_answered() -> None:
    one = session(rate_limit=None)

    assert {one.hear("PING", 50.0)[0] for _ in range(300)} == {b'{"status":"UP"}'}


def test_sixth_connection_in_a_second_is_refused() -> None:
    with Simulator(markets=1, speed=0) as sim:
        outcomes = [_status_of_connecting(sim) for _ in range(12)]

    assert outcomes[:5] == [101] * 5
    assert 429 in outcomes


def _status_of_connecting(sim: Simulator, origin: str | None = None) -> int:
    try:
        with connect(sim.ws_url, open_timeout=5, origin=origin):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_page_in_a_browser_may_connect_once_in_ten_seconds() -> None:
    with Simulator(markets=1, speed=0) as sim:
        outcomes = [_status_of_connecting(sim, origin="https://example.org") for _ in range(2)]

    assert outcomes == [101, 429]


def test_refused_connection_is_told_why() -> None:
    with Simulator(markets=1, speed=0) as sim:
        _status_of_connecting(sim, origin="https://example.org")
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(sim.ws_url, origin="https://example.org"),  # type: ignore[arg-type]
        ):
            pass

    assert b"TOO_MANY_REQUEST" in (refused.value.response.body or b"")


def test_plain_request_at_the_stream_is_no_upgrade(sim: Simulator) -> None:
    parts = urlsplit(sim.ws_url)
    connection = HTTPConnection("127.0.0.1", parts.port, timeout=5)
    connection.request("GET", parts.path)

    assert connection.getresponse().status == 426
    connection.close()
