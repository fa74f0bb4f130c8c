"""docs/api.md says what is true: every address, every code, and commands that run as written."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from app.api.errors import HTTP_CODES
from app.api.openapi import api_rules, method_of
from app.api.told import codes_of, told_by
from app.messages import MESSAGES
from app.simulator import Simulator
from tests.serving import serving

DOCS = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text("utf-8")


def test_every_address_is_documented_and_no_other(app: Flask) -> None:
    ours = {f"{method_of(rule)} " + re.sub(r"<\w+:", "<", rule.rule) for rule in api_rules(app)}

    documented = set(re.findall(r"^\| `([A-Z]+ /\S+)`", DOCS, re.MULTILINE))

    assert documented == ours


def test_every_code_is_documented_and_no_other(app: Flask) -> None:
    ours = set(HTTP_CODES.values())
    for rule in api_rules(app):
        ours |= codes_of(app.view_functions[rule.endpoint]).keys()

    table = DOCS.partition("| code | status | when |")[2]
    documented = {
        code
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", row)
    }

    assert documented == ours
    assert ours <= MESSAGES.keys()


def test_every_endpoint_tells_what_it_answers(app: Flask) -> None:
    silent = [
        rule.rule for rule in api_rules(app) if told_by(app.view_functions[rule.endpoint]) is None
    ]

    assert silent == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl, which isn't installed")
def test_commands_for_client_developers_run_as_written(tmp_path: Path) -> None:
    [script] = re.findall(r"^```sh\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)

    with (
        Simulator(seed=1, markets=20) as exchange,
        serving(tmp_path, UPBIT_URL=exchange.url) as (address, _process),
    ):
        _wait_for_prices(address)
        done = subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", script],
            env={"PATH": os.environ["PATH"], "API": f"{address}/api/v1"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert '"vote_id":1,"choice":1' in done.stdout


def _wait_for_prices(address: str) -> None:
    command = f"curl -fsS --retry 30 --retry-delay 1 --retry-all-errors {address}/health"
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
