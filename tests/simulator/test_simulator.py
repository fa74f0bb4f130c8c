"""The public face: starting, asking, stopping."""

import http.client
import threading
import time
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from app.cli import simulate
from app.simulator import Simulator, run
from tests.simulator.clients import ask, ticker
from tests.simulator.conftest import START


def test_price_of_python_face_is_price_on_wire(sim: Simulator) -> None:
    row = ticker(sim, "KRW-ETH")

    assert row["trade_price"] == sim.price("KRW-ETH", sim.now())


def test_same_seed_and_moment_give_same_answers() -> None:
    path = "/v1/ticker/all?quote_currencies=KRW"

    with (
        Simulator(start=START, speed=0, markets=20) as one,
        Simulator(start=START, speed=0, markets=20) as other,
    ):
        assert ask(one, path).body == ask(other, path).body


def test_another_seed_gives_other_prices(sim: Simulator) -> None:
    with Simulator(start=START, speed=0, markets=5, seed=2) as other:
        assert other.price("KRW-BTC", START) != sim.price("KRW-BTC", START)


def test_price_of_unknown_market_is_a_lookup_error(sim: Simulator) -> None:
    with pytest.raises(LookupError):
        sim.price("KRW-NOTHERE", START)


def test_requests_are_counted_by_path(sim: Simulator) -> None:
    for path in ("/v1/market/all", "/v1/market/all", "/v1/nothing", "/logos/BTC.png"):
        ask(sim, path)

    assert sim.requests == {"/v1/market/all": 2, "other": 1, "/logos": 1}


def test_stop_ends_open_connections_and_frees_port() -> None:
    sim = Simulator(markets=2).start()
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    connection.request("GET", "/v1/market/all")
    connection.getresponse().read()

    sim.stop()
    sim.stop()

    with pytest.raises(OSError, match="refused"):
        http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5).connect()
    connection.close()


def _ask_in_vain(sim: Simulator) -> None:
    with pytest.raises(OSError, match=r"."):
        ask(sim, "/v1/market/all")


def test_stop_is_quick_while_timeout_holds_a_request(sim: Simulator) -> None:
    sim.fault("timeout")
    held = threading.Thread(target=_ask_in_vain, args=(sim,))
    held.start()
    time.sleep(0.1)

    began = time.monotonic()
    sim.stop()

    held.join(timeout=2)
    assert time.monotonic() - began < 0.5
    assert not held.is_alive()


@pytest.mark.parametrize("address", ["url", "ws_url", "bithumb_url"])
def test_url_before_start_is_an_error(address: str) -> None:
    with pytest.raises(RuntimeError):
        getattr(Simulator(markets=1), address)


def test_starting_twice_is_an_error(sim: Simulator) -> None:
    with pytest.raises(RuntimeError):
        sim.start()


@pytest.mark.parametrize(
    ("address", "setting"), [("ws_url", "ws_port"), ("bithumb_url", "bithumb_port")]
)
def test_taken_port_leaves_the_other_ports_free(sim: Simulator, address: str, setting: str) -> None:
    taken = urlsplit(getattr(sim, address)).port
    other = Simulator(markets=1, **{setting: taken})  # type: ignore[arg-type]

    with pytest.raises(OSError, match="in use"):
        other.start()

    with pytest.raises(RuntimeError):
        _ = other.url


@pytest.mark.parametrize(
    "wrong",
    [{"notation": "roman"}, {"markets": 0}, {"speed": -1}, {"replay": "/nowhere"},
     {"unknown_code": "500"}, {"stream_unknown": "404"}, {"stream_idle_s": 0},
     {"stream_status_s": -1}, {"start": START.replace(tzinfo=None)}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Simulator(**wrong)  # type: ignore[arg-type]


def test_run_serves_until_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def announced(url: str) -> None:
        told.append(url)
        if len(told) == 3:
            raise KeyboardInterrupt

    run("127.0.0.1", 0, 1, 1.0, 3, None, 10, announced)

    assert told[0].startswith("http://127.0.0.1:")
    assert told[1].startswith("ws://127.0.0.1:")
    assert told[2].startswith("http://127.0.0.1:")


def test_prices_are_exact_decimals(sim: Simulator) -> None:
    price = sim.price("KRW-BTC", START)

    assert isinstance(price, Decimal)
    assert price % 1000 == 0


def test_command_says_what_is_wrong_with_its_folder(tmp_path: Path) -> None:
    told = CliRunner().invoke(simulate, ["--port", "0", "--replay", str(tmp_path)])

    assert told.exit_code == 1
    assert told.output == f"Error: no recording in {tmp_path}\n"


def test_command_says_that_its_port_is_taken(sim: Simulator) -> None:
    told = CliRunner().invoke(simulate, ["--port", sim.url.rsplit(":", 1)[1], "--markets", "2"])

    assert told.exit_code == 1
    assert "in use" in told.output
