"""What can go wrong with the stream, over a real socket."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from app.simulator import Simulator
from app.simulator.faults import STREAM_ONLY
from app.simulator.stream.session import Session
from app.simulator.stream.wording import TICKER
from tests.simulator.clients import ask, switch
from tests.simulator.conftest import START
from tests.simulator.listening import Listener, listening


@pytest.fixture
def client(sim: Simulator) -> Iterator[Listener]:
    """Somebody who listens to BTC and ETH and has both snapshots."""
    with listening(sim, "KRW-BTC", "KRW-ETH") as listener:
        listener.many(2)
        yield listener


@pytest.fixture
def told(sim: Simulator) -> Callable[[], list[Any]]:
    """One step of somebody who listens to BTC and ETH, without the socket's own time."""
    session, steps = Session(sim), count(1)
    wish = {"type": "ticker", "codes": ["KRW-BTC", "KRW-ETH"]}
    session.hear(json.dumps([{"ticket": "t"}, wish]), 0.0)
    return lambda: [json.loads(frame) for frame in session.tell(next(steps))]


def prices(frames: list[Any]) -> list[int]:
    return [frame["trade_price"] for frame in frames]


def test_silent_stream_accepts_and_says_nothing(sim: Simulator, client: Listener) -> None:
    sim.fault("silent", group="stream")
    sim.set_price("KRW-BTC", 1000)
    with listening(sim, "KRW-BTC") as late:
        late.connection.send("PING")
        assert late.rest() == []

    assert client.rest() == []


def test_stream_goes_on_when_silence_ends(sim: Simulator, told: Callable[[], list[Any]]) -> None:
    sim.fault("silent", group="stream")
    sim.set_price("KRW-BTC", 1000)
    during = told()
    sim.clear_faults()
    sim.set_price("KRW-BTC", 2000)

    assert (during, prices(told())) == ([], [2000])


def test_disconnect_drops_everybody_without_a_word(sim: Simulator, client: Listener) -> None:
    sim.fault("disconnect", group="stream")

    with pytest.raises(ConnectionClosed) as gone:
        client.raw(timeout=2)
    assert gone.value.rcvd is None


def test_disconnect_refuses_newcomers_until_it_ends(sim: Simulator) -> None:
    sim.fault("disconnect", for_s=0.4, group="stream")

    with pytest.raises((OSError, InvalidHandshake, InvalidMessage)), listening(sim):
        pass
    assert ask(sim, "/v1/market/all").status == 200

    time.sleep(0.45)
    with listening(sim, "KRW-BTC") as client:
        assert client.next()["code"] == "KRW-BTC"


def test_cut_frames_are_half_frames(sim: Simulator, client: Listener) -> None:
    sim.fault("cut", group="stream")
    sim.set_price("KRW-BTC", 1000)

    half = client.raw()

    assert bytes(half).startswith(b'{"type":"ticker","code":"KRW-BTC"')  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\w"):
        json.loads(half)


@pytest.mark.parametrize("kind", [None, "text", "bytes", "shape", "types", "numbers", "deep"])
def test_garbage_holds_no_price_to_believe(
    sim: Simulator, client: Listener, kind: str | None
) -> None:
    options = {"kind": kind} if kind else {}
    sim.fault("garbage", group="stream", **options)  # type: ignore[arg-type]
    sim.burst(500)
    frames = [client.raw() for _ in range(60)]

    assert len(set(frames)) > 1 or kind == "bytes"
    assert not any(_is_honest(frame) for frame in frames)


def _is_honest(frame: bytes | str) -> bool:
    with contextlib.suppress(ValueError, RecursionError):
        row = json.loads(frame)
        return isinstance(row, dict) and row.keys() == TICKER.keys()
    return False


def test_stale_frames_bear_old_times_and_prices() -> None:
    with (
        Simulator(start=START, speed=300, markets=3, rate_limit=None) as sim,
        listening(sim, "KRW-BTC", is_only_realtime=True) as client,
    ):
        sim.fault("stale", group="stream")
        began = sim.now().timestamp() * 1000
        frames = client.many(6)[2:]

    assert len({(frame["trade_timestamp"], frame["trade_price"]) for frame in frames}) == 1
    assert frames[0]["trade_timestamp"] <= began


def test_duplicate_sends_every_frame_twice(sim: Simulator, client: Listener) -> None:
    sim.fault("duplicate", group="stream")
    sim.set_price("KRW-BTC", 1000)

    assert client.raw() == client.raw()
    assert client.rest() == []


def test_disorder_sends_the_later_trade_first(
    sim: Simulator, told: Callable[[], list[Any]]
) -> None:
    sim.fault("disorder", group="stream")
    frames = []
    for price in (1000, 2000, 3000, 4000):
        sim.set_price("KRW-BTC", price)
        frames += told()

    assert prices(frames) == [2000, 1000, 4000, 3000]


def test_end_of_disorder_tells_what_was_held_back(
    sim: Simulator, told: Callable[[], list[Any]]
) -> None:
    sim.fault("disorder", group="stream")
    sim.set_price("KRW-BTC", 1000)
    during = told()
    sim.clear_faults()

    assert (during, prices(told())) == ([], [1000])


def test_strangers_come_with_the_frames_asked_for(sim: Simulator, client: Listener) -> None:
    sim.fault("unknown", group="stream")
    sim.set_price("KRW-BTC", 1000)

    assert [frame["code"] for frame in client.rest(2)] == ["KRW-BTC", "KRW-NOBODY"]


@pytest.mark.parametrize(
    ("mode", "options", "wanted"),
    [
        ("zero", {}, 0), ("negative", {}, -1000), ("jump", {"factor": 10}, 10_000),
        ("wrong_type", {"value": "null"}, None), ("wrong_type", {"value": "text"}, "soon"),
    ],
)  # fmt: skip
def test_value_faults_bend_the_frames_of_their_market_alone(
    sim: Simulator, client: Listener, mode: str, options: dict[str, object], wanted: object
) -> None:
    sim.fault(mode, group="stream", **options)
    sim.set_price("KRW-BTC", 1000)
    sim.set_price("KRW-ETH", 2000)
    frames = {frame["code"]: frame["trade_price"] for frame in client.many(2)}

    assert frames == {"KRW-BTC": wanted, "KRW-ETH": 2000}


def test_nan_is_on_the_wire(sim: Simulator, client: Listener) -> None:
    sim.fault("nan", group="stream")
    sim.set_price("KRW-BTC", 1000)

    assert b'"trade_price":NaN' in client.raw()  # type: ignore[operator]


def test_missing_frames_never_come(sim: Simulator, client: Listener) -> None:
    sim.fault("missing", group="stream")
    sim.set_price("KRW-BTC", 1000)
    sim.set_price("KRW-ETH", 2000)

    assert [frame["code"] for frame in client.rest(1)] == ["KRW-ETH"]


def test_skewed_clock_is_on_every_frame_of_tickers_and_trades(sim: Simulator) -> None:
    sim.fault("skew", group="stream", seconds=-3_600)

    for kind, day in (("ticker", "20261120"), ("trade", "2026-11-20")):
        with listening(sim, "KRW-BTC", kind=kind) as client:
            frame = client.next()
        behind = START.timestamp() * 1000 - frame["timestamp"]
        assert 3_600_000 <= behind < 3_660_000
        assert frame["trade_date"] == day
        assert frame["trade_time"].replace(":", "").startswith("02")


def test_error_objects_come_instead_of_frames_and_answers(sim: Simulator, client: Listener) -> None:
    sim.fault("error", group="stream", name="INVALID_AUTH")
    sim.set_price("KRW-BTC", 1000)
    instead = client.next()
    client.ask("KRW-BTC")

    assert instead["error"]["name"] == "INVALID_AUTH"
    assert client.next() == instead


def test_empty_frames_are_empty_lists(sim: Simulator, client: Listener) -> None:
    sim.fault("empty", group="stream")
    sim.set_price("KRW-BTC", 1000)

    assert client.next() == []


def test_huge_frame_comes_once(sim: Simulator) -> None:
    with connect(sim.ws_url, max_size=None, ping_interval=None) as connection:
        client = Listener(connection)
        client.ask("KRW-BTC")
        client.next()
        sim.fault("huge", group="stream", size=2_000_000)
        sim.set_price("KRW-BTC", 1000)
        huge = client.raw()
        sim.set_price("KRW-BTC", 2000)

        assert len(huge) > 2_000_000
        assert client.next()["trade_price"] == 2000


def test_slow_handshake_comes_late(sim: Simulator) -> None:
    sim.fault("slow", group="stream", seconds=0.5)
    began = time.monotonic()

    with listening(sim, "KRW-BTC") as client:
        took = time.monotonic() - began
        assert client.next()["code"] == "KRW-BTC"

    assert 0.45 < took < 4


def test_handshake_can_hang(sim: Simulator) -> None:
    sim.fault("timeout", group="stream")

    with pytest.raises(TimeoutError), connect(sim.ws_url, open_timeout=0.4):
        pass


@pytest.mark.parametrize(
    ("mode", "status"), [("503", 503), ("429", 429), ("418", 418), ("html", 503)]
)
def test_handshake_can_be_refused(sim: Simulator, mode: str, status: int) -> None:
    sim.fault(mode, group="stream")

    with pytest.raises(InvalidStatus) as refused, connect(sim.ws_url):
        pass
    assert refused.value.response.status_code == status


def test_delisted_market_says_so_once_and_falls_silent(sim: Simulator, client: Listener) -> None:
    sim.fault("delist", code="KRW-BTC")
    told = client.rest(1)
    sim.set_price("KRW-ETH", 2000)

    assert [(one["code"], one["market_state"]) for one in told] == [("KRW-BTC", "DELISTED")]
    assert told[0]["delisting_date"] == "2026-11-20"
    assert told[0]["is_trading_suspended"] is True
    assert [frame["code"] for frame in client.rest(1)] == ["KRW-ETH"]


def test_end_of_a_market_is_told_by_its_ticker_alone(sim: Simulator) -> None:
    kinds = ("trade", "candle.1m", "ticker")
    with listening(sim) as client:
        client.send([{"ticket": "t"}, *({"type": kind, "codes": ["KRW-BTC"]} for kind in kinds)])
        client.many(3)
        sim.delist("KRW-BTC")

        assert [frame["type"] for frame in client.rest(1)] == ["ticker"]


@pytest.mark.parametrize("kind", ["ticker", "trade", "candle.1m"])
def test_who_asks_for_a_market_that_is_gone_hears_nothing(sim: Simulator, kind: str) -> None:
    sim.delist("KRW-BTC")
    with listening(sim, "KRW-BTC", kind=kind) as client:
        sim.burst(100)

        assert client.rest() == []


def test_market_that_comes_back_is_told_again(sim: Simulator, client: Listener) -> None:
    sim.delist("KRW-BTC")
    client.next()
    sim.list_market("KRW-BTC", price=1234)
    frame = client.next()

    assert (frame["market_state"], frame["trade_price"]) == ("ACTIVE", 1234)


def test_market_listed_after_it_was_asked_for_joins_in(sim: Simulator) -> None:
    with listening(sim, "KRW-NEW1") as client:
        before = client.rest()
        sim.list_market("KRW-NEW1", price=50)

        assert before == []
        assert client.next()["trade_price"] == 50


def test_faults_of_other_groups_spare_the_stream(sim: Simulator, client: Listener) -> None:
    sim.fault("zero", group="ticker")
    sim.set_price("KRW-BTC", 1000)

    assert client.next()["trade_price"] == 1000


@pytest.mark.parametrize("mode", sorted(STREAM_ONLY))
def test_faults_of_the_stream_spare_rest(sim: Simulator, mode: str) -> None:
    honest = ask(sim, "/v1/ticker", markets="KRW-BTC").body
    sim.fault(mode)

    assert ask(sim, "/v1/ticker", markets="KRW-BTC").body == honest


def test_fault_is_switched_over_http_too(sim: Simulator, client: Listener) -> None:
    switch(sim, "fault", mode="silent", for_s=30, group="stream")
    sim.set_price("KRW-BTC", 1000)

    assert client.rest() == []


def test_stop_is_quick_while_a_handshake_hangs_and_a_client_says_nothing() -> None:
    sim = Simulator(markets=1, speed=0).start()
    sim.fault("timeout", group="stream")
    parts = urlsplit(sim.ws_url)
    with (
        socket.create_connection(("127.0.0.1", parts.port or 0)) as mute,
        socket.create_connection(("127.0.0.1", parts.port or 0)) as asking,
    ):
        asking.sendall(
            b"GET /websocket/v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        mute.settimeout(2)
        time.sleep(0.1)

        began = time.monotonic()
        sim.stop()

        assert time.monotonic() - began < 3


def test_stop_is_quick_while_a_client_takes_nothing() -> None:
    sim = Simulator(markets=5, speed=0, rate_limit=None).start()
    with connect(sim.ws_url, ping_interval=None, compression=None, close_timeout=0.1) as connection:
        connection.send(json.dumps([{"ticket": "t"}, {"type": "ticker", "codes": sim.codes()}]))
        sim.burst(30_000)
        time.sleep(1)

        began = time.monotonic()
        sim.stop()

        assert time.monotonic() - began < 4  # far less than the client's patience of ten seconds
