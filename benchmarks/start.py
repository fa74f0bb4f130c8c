"""`start`: from the command to the first page, and the memory in use then."""

import os
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from socket import socket

from benchmarks import stage
from benchmarks.memory import resident_mb
from benchmarks.serve import serving
from benchmarks.table import Row, middle
from config import ROOT

RUNS = 7
BARE = (
    "import flask, flask_sqlalchemy, flask_login, flask_apscheduler, requests, authlib, waitress;"
    "print('ready', flush=True); input()"
)
PAGE = "/login"
PATIENCE_S = 30.0
#: By then the first minute of the scheduler is over, too.
SETTLED_AFTER_S = 2.0


def run() -> list[Row]:
    """The server and the bare imports in turn."""
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    with stage.folder() as folder, serving("simulator", stage.NOW.isoformat()) as (url, _):
        stage.migrated(folder / "whaling.db")
        for turn in range(RUNS + 1):
            figures = (_serve(folder, url), _import())
            if turn:
                ours.append(figures[0])
                bare.append(figures[1])
    seconds, memory = zip(*ours, strict=True)
    bare_seconds, bare_memory = zip(*bare, strict=True)
    return [
        Row(
            "start",
            middle(list(seconds)),
            "s",
            limit=middle(list(bare_seconds)),
            target_vs_limit=1 / 2,
            more_is_better=False,
            notes=(f"{RUNS} runs to the first 200 of {PAGE}; limit: the bare imports",),
        ),
        Row(
            "start_memory",
            middle(list(memory)),
            "MB",
            limit=middle(list(bare_memory)),
            target_vs_limit=1 / 1.8,
            more_is_better=False,
            notes=(f"resident {SETTLED_AFTER_S:g} s after that, when the first minute has run",),
        ),
    ]


def _serve(folder: Path, exchange: str) -> tuple[float, float]:
    """Seconds to the first page, and MB in use a little later."""
    port = _free_port()
    environment = {
        **os.environ,
        "INSTANCE_PATH": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'whaling.db'}",
        "UPBIT_URL": exchange,
        "PORT": str(port),
        "SCHEDULER": "on",
    }
    began = time.perf_counter()
    command = [sys.executable, "run.py"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet) as server:
        try:
            _wait_for_page(port, server)
            seconds = time.perf_counter() - began
            time.sleep(SETTLED_AFTER_S)
            return seconds, resident_mb(server.pid)
        finally:
            server.terminate()


def _import() -> tuple[float, float]:
    """Seconds until the packages are loaded, and MB in use then."""
    began = time.perf_counter()
    command = [sys.executable, "-c", BARE]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - began
        memory = resident_mb(process.pid)
        process.communicate("\n")
    return seconds, memory


def _wait_for_page(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < deadline and server.poll() is None:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as line:
                line.request("GET", PAGE)
                if line.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError("the server gave no page")


def _free_port() -> int:
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
