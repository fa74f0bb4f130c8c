"""Servers in processes of their own: `python -m benchmarks.serve KIND [ARGUMENT …]`."""

import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flask import Flask
from waitress import create_server

from app.serving import connection_options, keep_connections
from app.simulator import Simulator
from benchmarks import answer_peer, fanout_peer, stage
from config import ROOT

MARKETS = 250


@contextmanager
def serving(kind: str, *arguments: object) -> Iterator[tuple[str, int]]:
    """The address and process number of a server of this kind, which ends with the block."""
    command = [sys.executable, "-m", "benchmarks.serve", kind, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address.startswith("http://"):
                raise RuntimeError(f"{kind} did not start: {address!r}")
            yield address, process.pid
        finally:
            process.terminate()


def hello(threads: str) -> None:
    """A Flask application that says hello, which is the least a page can cost."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "hello")
    _wait(app, int(threads))


def whaling(path: str, threads: str) -> None:
    """The application over a database, with the peer's way to answer beside its own."""
    app = stage.make_app(Path(path), threads=int(threads))
    app.register_blueprint(answer_peer.bp)
    app.register_blueprint(fanout_peer.bp)
    _wait(app, int(threads))


def simulator(start: str) -> None:
    """The simulated exchange without limits, its clock standing still."""
    exchange = Simulator(
        markets=MARKETS, rate_limit=None, speed=0, start=datetime.fromisoformat(start)
    )
    with exchange:
        print(exchange.url, flush=True)
        signal.pause()


def recorded(folder: str, per_second: str) -> None:
    """The simulated exchange over recordings, which it needn't invent, and with its limit."""
    with Simulator(replay=folder, rate_limit=int(per_second)) as exchange:
        print(exchange.url, flush=True)
        signal.pause()


def _wait(app: Flask, threads: int) -> None:
    keep_connections()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as many clients as threads
    server = create_server(
        app, host="127.0.0.1", port=0, threads=threads, ident="whaling", **connection_options()
    )
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


KINDS: dict[str, Callable[..., None]] = {
    "hello": hello,
    "whaling": whaling,
    "simulator": simulator,
    "recorded": recorded,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](*sys.argv[2:])
