"""The stream over a real socket: asking, snapshot, real time, opening and closing."""

import threading
import time
from datetime import UTC, datetime

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.simulator import Simulator
from tests.simulator.clients import ask, ticker
from tests.simulator.conftest import START
from tests.simulator.listening import Frame, listening


def test_every_market_asked_for_gets_a_snapshot_in_a_binary_frame(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC", "KRW-ETH") as client:
        first, second = client.raw(), client.next()

    assert isinstance(first, bytes)
    assert b'"code":"KRW-BTC"' in first
    assert (second["code"], second["stream_type"]) == ("KRW-ETH", "SNAPSHOT")


def test_a_trade_made_now_arrives_in_real_time(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC") as client:
        client.next()
        sim.set_price("KRW-BTC", "150000000")
        frame = client.next()

    assert (frame["stream_type"], frame["trade_price"]) == ("REALTIME", 150000000)
    assert frame["trade_price"] == ticker(sim)["trade_price"]


@pytest.mark.parametrize("speed", [20, 600])
def test_trades_of_the_world_arrive_in_the_order_of_time_at_their_prices(speed: float) -> None:
    with Simulator(start=START, speed=speed, rate_limit=None) as sim, listening(sim) as client:
        client.ask(*sim.codes(), is_only_realtime=True)
        frames = client.many(60, timeout=20)
        wanted = [sim.price(frame["code"], _moment(frame)) for frame in frames]

    times = [frame["trade_timestamp"] for frame in frames]
    assert times == sorted(times)
    assert [frame["trade_price"] for frame in frames] == wanted
    assert len({frame["code"] for frame in frames}) > 10


def _moment(frame: Frame) -> datetime:
    return datetime.fromtimestamp(frame["trade_timestamp"] / 1000, UTC)


def test_stop_says_goodbye_and_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    sim = Simulator(markets=3, speed=0).start()
    with connect(sim.ws_url, ping_interval=None) as client:
        client.send('[{"ticket":"t"},{"type":"ticker","codes":["KRW-BTC"]}]')
        client.recv(timeout=5)

        began = time.monotonic()
        sim.stop()
        took = time.monotonic() - began

        with pytest.raises(ConnectionClosed) as gone:
            client.recv(timeout=1)

    assert gone.value.rcvd is not None
    assert gone.value.rcvd.code == 1001
    assert took < 2
    assert set(threading.enumerate()) <= before


def test_there_is_nothing_at_other_paths(sim: Simulator) -> None:
    other = sim.ws_url.replace("/v1", "/v2")

    with pytest.raises(InvalidStatus, match="404"), connect(other, open_timeout=5):
        pass


def test_connections_are_counted(sim: Simulator) -> None:
    with listening(sim), listening(sim):
        requests = ask(sim, "/_sim").json["requests"]

    assert requests == {"/websocket/v1": 2}
