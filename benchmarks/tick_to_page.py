"""`tick_to_page`, `tick_to_page_p99`: from a trade at the exchange to the JSON that shows it."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from app.simulator import Simulator
from app.simulator.ticks import from_units, on_tick
from benchmarks import stage
from benchmarks.serve import MARKETS
from benchmarks.table import Row, middle
from config import ROOT

PATH = "/api/v1/live"
CHANGES, FOR_S = 200, 60.0
#: Beside the changes that are timed the market is as busy as on a lively day.
BACKGROUND_PER_S = 200
LOOK_EVERY_S = 0.02
PATIENCE_S = 30.0
MEDIAN_BAR_S, P99_BAR_S = 1.2, 2.5


def run() -> list[Row]:
    """A server as people start it, the simulator beside it, and one client that looks often."""
    with (
        stage.folder() as folder,
        Simulator(markets=MARKETS, rate_limit=None) as exchange,
        server(folder, exchange) as address,
        closing(Viewer(address)) as viewer,
    ):
        viewer.wait_for_stream()
        exchange.burst(BACKGROUND_PER_S)
        taken = sorted(watch(exchange, viewer))
    p99 = taken[round(len(taken) * 0.99) - 1]
    note = (
        f"{CHANGES} prices set in {FOR_S:g} s, {BACKGROUND_PER_S} other ticks a second, looked at"
        f" every {LOOK_EVERY_S * 1000:g} ms; limit: the bar"
    )
    return [
        _row("tick_to_page", middle(taken), MEDIAN_BAR_S, (note,)),
        _row("tick_to_page_p99", p99, P99_BAR_S, (f"slowest {taken[-1]:.2f} s",)),
    ]


def _row(name: str, seconds: float, bar_s: float, notes: tuple[str, ...]) -> Row:
    return Row(
        name, seconds, "s", limit=bar_s, target_vs_limit=1, more_is_better=False, notes=notes
    )


@contextmanager
def server(folder: Path, exchange: Simulator) -> Iterator[str]:
    """The address of a server that follows this exchange."""
    environment = {
        "PATH": os.environ["PATH"],
        "INSTANCE_PATH": str(folder),
        "PORT": "0",
        "UPBIT_URL": exchange.url,
        "UPBIT_WS_URL": exchange.ws_url,
    }
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "run.py"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise RuntimeError("the server did not start")
            yield found[0]
        finally:
            process.terminate()


class Viewer:
    """A client on one line that remembers what it saw."""

    def __init__(self, address: str) -> None:
        self._line = HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
        self._etag = ""

    def look(self) -> dict[str, float]:
        """The prices by code, empty where nothing has changed."""
        answer = self._get(PATH, {"If-None-Match": self._etag})
        return {row[0]: row[1] for row in answer["coins"]} if answer else {}

    def wait_for_stream(self) -> None:
        """Until all coins are there and the prices are pushed."""
        end = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < end:
            told = self._get(PATH, {})
            if told["source"] == "stream" and len(told["coins"]) == MARKETS:
                return
            time.sleep(0.1)
        raise RuntimeError("the server follows no stream")

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _get(self, path: str, headers: dict[str, str]) -> dict:  # type: ignore[type-arg]
        self._line.request("GET", path, headers=headers)
        answer = self._line.getresponse()
        body = answer.read()
        self._etag = answer.headers.get("ETag", "")
        return json.loads(body) if answer.status == 200 else {}


def watch(exchange: Simulator, viewer: Viewer) -> list[float]:
    """Set prices at random moments; the seconds until each was seen."""
    dice = random.Random(1)
    codes = [code for code in exchange.codes() if code.startswith("KRW-")]
    moments = sorted(dice.uniform(0, FOR_S) for _ in range(CHANGES))
    plan = [(moment, codes[number % len(codes)]) for number, moment in enumerate(moments)]
    waiting: dict[str, tuple[float, float]] = {}
    taken: list[float] = []
    began = time.perf_counter()
    while plan or waiting:
        while plan and time.perf_counter() - began >= plan[0][0]:
            _, code = plan.pop(0)
            waiting[code.removeprefix("KRW-")] = (_move(exchange, code), time.perf_counter())
        taken += _seen(viewer.look(), waiting)
        if time.perf_counter() - began > FOR_S + PATIENCE_S:
            raise RuntimeError(f"never shown: {sorted(waiting)}")
        time.sleep(LOOK_EVERY_S)
    return taken


def _move(exchange: Simulator, code: str) -> float:
    """Let a coin trade a tenth higher; the price from which on the change is seen."""
    now = float(exchange.price(code, exchange.now()))
    exchange.set_price(code, from_units(on_tick("KRW", now * 1.1)))
    return now * 1.05


def _seen(prices: dict[str, float], waiting: dict[str, tuple[float, float]]) -> list[float]:
    moment = time.perf_counter()
    there = [code for code, (price, _) in waiting.items() if prices.get(code, 0) >= price]
    return [moment - waiting.pop(code)[1] for code in there]
