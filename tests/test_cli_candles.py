"""`candles fill` and `candles status`: what they say, what they fetch, how they are stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from app import cli
from app.clock import utcnow
from app.extensions import db
from app.jobs.candles import FILLING_JOB, LANES, turn_to_fill
from app.jobs.lease import NAME
from app.models import StoredCandle
from app.services import jobs as records
from app.services import market
from app.simulator import Simulator
from tests.conftest import MakeApp

Command = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = "elsewhere:1:abc"


@pytest.fixture
def exchange() -> Iterator[Simulator]:
    with Simulator(markets=2, rate_limit=None) as sim:
        yield sim


@pytest.fixture
def app(make_app: MakeApp, exchange: Simulator) -> Iterator[Flask]:
    app = make_app(upbit_url=exchange.url, demo=True)
    cli.init_app(app)
    with app.app_context():
        yield app


@pytest.fixture
def run(app: Flask) -> Command:
    def invoke(*arguments: str) -> Result:
        db.session.rollback()
        return app.test_cli_runner().invoke(args=["candles", *arguments])

    return invoke


def held() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(StoredCandle)) or 0


def test_fill_begins_with_an_empty_database_and_ends_with_all_candles(run: Command) -> None:
    done = run("fill")

    assert done.exit_code == 0, done.output
    assert "6 calls, " in done.output
    assert "0 failed" in done.output
    assert held() >= 800


def test_second_fill_asks_for_nothing(run: Command, exchange: Simulator) -> None:
    run("fill")
    before = exchange.requests.copy()

    done = run("fill")

    assert "0 calls, 0 candles, 0 failed" in done.output
    assert exchange.requests == before


def test_fill_takes_only_the_coins_and_days_it_is_told(run: Command) -> None:
    run("fill", "--coins", " btc ,", "--days", "10")

    found = [target for target in market.candle_targets(now=utcnow(), days=10) if not target.ask]
    assert {target.code for target in found} == {"BTC"}
    assert held() <= 10 + 200


@pytest.mark.parametrize("coins", ["NOSUCH", "BTC,NOSUCH", "", ","])
def test_fill_of_an_unknown_coin_is_refused(run: Command, coins: str) -> None:
    done = run("fill", "--coins", coins)

    assert done.exit_code == 2
    assert "no active coin" in done.output


def test_fill_without_an_exchange_says_so(run: Command, exchange: Simulator) -> None:
    exchange.fault("5xx", 60)

    done = run("fill")

    assert done.exit_code == 1
    assert "no usable answer" in done.output


def test_fill_that_could_not_have_all_ends_with_1_and_status_says_why(
    run: Command, exchange: Simulator
) -> None:
    run("fill", "--days", "1", "--coins", "BTC")
    exchange.fault("5xx", 60, group="candles")

    done = run("fill")

    assert done.exit_code == 1
    assert "not all could be had" in done.output
    assert "failing\t" in run("status").output
    assert "HTTP 5" in run("status").output


def test_fill_waits_its_turn(run: Command) -> None:
    hour = timedelta(hours=1)
    records.acquire_lease(name=FILLING_JOB, holder=ELSEWHERE, now=utcnow(), keep=hour)

    done = run("fill")

    assert done.exit_code == 1
    assert "a running server fills them right now" in done.output


def test_fill_gives_its_turn_back(run: Command) -> None:
    run("fill", "--days", "1")

    assert records.lease_holder(name=FILLING_JOB, now=utcnow()) is None


def test_beside_a_running_server_calls_are_further_apart(app: Flask) -> None:
    hour = timedelta(hours=1)
    spent = []
    for _ in range(2):
        with turn_to_fill() as may_go_on:
            began = time.monotonic()
            assert may_go_on() is True
            spent.append(time.monotonic() - began)
        records.acquire_lease(name=NAME, holder=ELSEWHERE, now=utcnow(), keep=hour)

    assert spent[0] < 0.05
    assert spent[1] >= 0.1


def test_turn_is_renewed_and_ends_when_somebody_took_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.candles.LEASE_FOR", timedelta(0))
    with turn_to_fill() as may_go_on:
        assert may_go_on() is True
        hour = timedelta(hours=1)
        records.acquire_lease(name=FILLING_JOB, holder=ELSEWHERE, now=utcnow(), keep=hour)

        assert may_go_on() is False


def test_status_tells_how_far_it_is(run: Command) -> None:
    run("fill", "--coins", "BTC")

    lines = [line.split("\t")[:3] for line in run("status").output.splitlines()]

    assert lines == [
        ["days", "1 of 2 coins known", "2 calls left"],
        ["hours", "1 of 2 coins known", "1 calls left"],
        ["minutes", "0 of 0 coins known", "0 calls left"],
    ]


def test_status_tells_the_pace_of_a_server_that_fills(run: Command) -> None:
    run("fill", "--coins", "BTC", "--days", "1")
    records.record_run(
        job=FILLING_JOB,
        holder=ELSEWHERE,
        started_at=utcnow(),
        finished_at=utcnow(),
        ok=True,
        report={"calls": 10, "seconds": 5.0},
    )

    assert "2.0 calls a second, about 0:00:0" in run("status").output


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_fill_that_is_stopped_goes_on_where_it_ended(
    make_app: MakeApp, tmp_path: Path, how: signal.Signals
) -> None:
    with Simulator(markets=8, rate_limit=10) as exchange:
        app = make_app(upbit_url=exchange.url)
        first = _fill(tmp_path, exchange)
        with app.app_context():
            _wait_for(lambda: held() >= 1000)
        first.send_signal(how)
        _, words = first.communicate(timeout=90)
        interrupted = _candle_calls(exchange)
        assert first.returncode != 0
        assert how is signal.SIGKILL or "what came is kept" in words

        second = _fill(tmp_path, exchange)
        told, _ = second.communicate(timeout=60)

        assert second.returncode == 0, told
        with app.app_context():
            assert all(target.ask is None for target in market.candle_targets(now=utcnow()))
        wanted = 8 * 3
        assert 5 <= interrupted < wanted
        assert _candle_calls(exchange) <= wanted + LANES  # those that were under way


def _fill(folder: Path, exchange: Simulator) -> subprocess.Popen[str]:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'test.db'}",
        "INSTANCE_PATH": str(folder),
        "UPBIT_URL": exchange.url,
        "SECRET_KEY": "a secret that is long enough for a test",
    }
    command = [sys.executable, "-m", "flask", "--app", "run", "candles", "fill"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _candle_calls(exchange: Simulator) -> int:
    return sum(number for path, number in exchange.requests.items() if "candles" in path)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
