"""The server as people start it: `run.py` in a process of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def serving(
    instance: Path, *options: str, program: Path = ROOT / "run.py", **settings: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the server, yield its address and process, and stop it as an operator would.

    `options` are those of the command line, `settings` of the environment; `program` is what runs.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "INSTANCE_PATH": str(instance),
        "PORT": "0",
        "UPBIT_URL": "http://127.0.0.1:9",
    } | settings
    with (instance / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, str(program), *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield _address(process), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return found.group()
    raise AssertionError(f"the server ended with {process.wait()} before it listened")
