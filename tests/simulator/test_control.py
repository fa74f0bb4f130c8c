"""The switch at /_sim."""

import json
import time

import pytest

from app.simulator import Simulator
from app.simulator.control import control
from app.simulator.server import Request
from tests.simulator.clients import ask, switch, ticker


def test_state_tells_what_holds(sim: Simulator) -> None:
    ask(sim, "/v1/market/all")
    sim.fault("nan", for_s=60, code="KRW-ETH")

    state = ask(sim, "/_sim").json

    assert state["now"] == "2026-11-20T03:00:30+00:00"
    assert (state["speed"], state["seed"], state["replay"]) == (0, 1, None)
    assert state["requests"] == {"/v1/market/all": 1}
    assert "KRW-BTC" in state["markets"]
    fault = state["faults"][0]
    assert 50 < fault.pop("left_s") <= 60
    assert fault == {"mode": "nan", "group": None, "code": "KRW-ETH"}


def test_fault_is_switched_on_and_off(sim: Simulator) -> None:
    on = switch(sim, "fault", mode="503", for_s=60, group="ticker")
    during = ask(sim, "/v1/ticker", markets="KRW-BTC").status
    off = switch(sim, "fault", mode="none")

    assert (on.status, during, off.status) == (200, 503, 200)
    assert off.json["faults"] == []
    assert ask(sim, "/v1/ticker", markets="KRW-BTC").status == 200


def test_switch_works_while_everything_else_fails(sim: Simulator) -> None:
    sim.fault("timeout")

    assert switch(sim, "fault", mode="none").status == 200


def test_clock_takes_a_speed(sim: Simulator) -> None:
    before = sim.now()

    answer = switch(sim, "clock", speed=6_000)
    time.sleep(0.05)

    assert answer.json["speed"] == 6_000
    assert (sim.now() - before).total_seconds() > 250


def test_market_is_listed_priced_and_delisted(sim: Simulator) -> None:
    listed = switch(sim, "market", code="KRW-NEW1", action="list", price=120, korean_name="새코인")
    first = ticker(sim, "KRW-NEW1")["trade_price"]
    switch(sim, "market", code="KRW-NEW1", action="price", price="130")
    second = ticker(sim, "KRW-NEW1")["trade_price"]
    switch(sim, "market", code="KRW-NEW1", action="delist")

    assert listed.status == 200
    assert (first, second) == (120, 130)
    assert ask(sim, "/v1/ticker", markets="KRW-NEW1").status == 404


def test_burst_is_switched_on_and_off(sim: Simulator) -> None:
    on = switch(sim, "stream", burst=2_000)
    off = switch(sim, "stream", burst=0)

    assert (on.json["burst"], off.json["burst"]) == (2_000, 0)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("stream", "{}"), ("stream", '{"burst": -1}'), ("stream", '{"burst": 1.5}'),
        ("stream", '{"burst": true}'), ("stream", '{"burst": 99999999}'),
        ("stream", '{"burst": 1, "for_s": 2}'),
        ("fault", ""), ("fault", "{"), ("fault", "[]"), ("fault", "[" * 60_000), ("fault", "{}"),
        ("fault", '{"mode": "explode"}'), ("fault", '{"mode": "nan", "for_s": NaN}'),
        ("fault", '{"mode": "nan", "self": 1}'), ("fault", '{"mode": "delist", "code": "KRW-NO"}'),
        ("clock", "{}"), ("clock", '{"speed": "fast"}'), ("clock", '{"speed": 1, "now": 2}'),
        ("clock", '{"speed": -1}'), ("market", "{}"), ("market", '{"code": "KRW-BTC"}'),
        ("market", '{"code": 5, "action": "list"}'), ("market", '{"code": "X", "action": "list"}'),
        ("market", '{"code": "KRW-BTC", "action": "list"}'),
        ("market", '{"code": "KRW-NO", "action": "delist"}'),
        ("market", '{"code": "KRW-BTC", "action": "delist", "price": 1}'),
        ("market", '{"code": "KRW-NO", "action": "price", "price": 1}'),
        ("market", '{"code": "KRW-BTC", "action": "price", "price": 1e-9}'),
        ("market", '{"code": "KRW-BTC", "action": "price", "price": 0}'),
        ("market", '{"code": "KRW-BTC", "action": "price", "price": [1]}'),
        ("market", '{"code": "KRW-Z", "action": "list", "korean_name": 7}'),
        ("market", '{"code": "KRW-Z", "action": "list", "nick": "z"}'),
    ],
)  # fmt: skip
def test_bad_input_is_answered_with_a_reason_and_changes_nothing(
    sim: Simulator, what: str, body: str
) -> None:
    before = ask(sim, "/_sim").json

    answer = ask(sim, f"/_sim/{what}", "POST", body=body)

    assert answer.status == 400
    assert answer.json["error"]["name"] == 400
    assert len(answer.json["error"]["message"]) > 10
    assert ask(sim, "/_sim").json == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/_sim/fault", 405), ("POST", "/_sim", 405), ("GET", "/_sim/other", 404)],
)
def test_wrong_use_of_the_switch_is_refused(
    sim: Simulator, method: str, path: str, status: int
) -> None:
    answer = ask(sim, path, method)

    assert answer.status == status
    assert answer.json["error"]["name"] == status


@pytest.mark.parametrize(
    ("caller", "status"),
    [("127.0.0.1", 200), ("127.8.8.8", 200), ("::1", 200), ("::ffff:127.0.0.1", 200),
     ("10.0.0.5", 403), ("203.0.113.9", 403), ("fe80::1%eth0", 403)],
)  # fmt: skip
def test_switch_answers_this_machine_only(sim: Simulator, caller: str, status: int) -> None:
    request = Request("GET", "/_sim", {}, caller)

    assert control(sim, request).status == status


def test_page_in_a_browser_cannot_turn_the_switch(sim: Simulator) -> None:
    body = json.dumps({"mode": "503"})
    answer = ask(sim, "/_sim/fault", "POST", {"Origin": "https://example.org"}, body)

    assert answer.status == 403
    assert sim.faults() == []


def test_switch_is_not_rate_limited() -> None:
    with Simulator(markets=1, rate_limit=1) as sim:
        assert {ask(sim, "/_sim").status for _ in range(5)} == {200}
