"""More ticks than the world has trades."""

import json
from collections import Counter

import pytest

from app.simulator import Simulator
from app.simulator.exchange import Exchange, Settings
from app.simulator.stream.session import Session
from app.simulator.ticks import tick, to_units
from tests.simulator.clients import ticker
from tests.simulator.conftest import START
from tests.simulator.listening import listening


@pytest.fixture
def exchange() -> Exchange:
    """Time stands still, so every tick comes from the burst."""
    return Exchange(Settings(1, 3, 0, START, None, None, "mixed", "404", False))


def subscribed(exchange: Exchange, kind: str = "ticker") -> Session:
    session = Session(exchange)
    wish = {"type": kind, "codes": ["KRW-BTC", "KRW-ETH"]}
    session.hear(json.dumps([{"ticket": "t"}, wish]), 0.0)
    session.tell(0.0)
    return session


def test_burst_tells_as_many_ticks_a_second_as_asked_over_all_markets(exchange: Exchange) -> None:
    session = subscribed(exchange)
    exchange.burst(1_000)
    session.tell(10.0)

    frames = [json.loads(frame) for step in range(1, 11) for frame in session.tell(10 + step / 10)]

    assert Counter(frame["code"] for frame in frames) == {"KRW-BTC": 500, "KRW-ETH": 500}
    assert {frame["stream_type"] for frame in frames} == {"REALTIME"}


def test_price_of_a_burst_stays_within_one_step_of_the_world(exchange: Exchange) -> None:
    session = subscribed(exchange)
    exchange.burst(20)
    session.tell(10.0)
    rows = [json.loads(frame) for frame in session.tell(10.5)]
    world = to_units(exchange.price("KRW-BTC", START))

    units = [to_units(row["trade_price"]) for row in rows if row["code"] == "KRW-BTC"]

    assert units == [world, world + tick("KRW", world)] * 2 + [world]
    for row in rows:
        assert row["low_price"] <= row["trade_price"] <= row["high_price"]
        moved = row["trade_price"] - row["prev_closing_price"]
        assert row["signed_change_price"] == pytest.approx(moved)


def test_stamps_of_a_burst_are_now(exchange: Exchange) -> None:
    session = subscribed(exchange)
    exchange.burst(10)
    session.tell(10.0)

    row = json.loads(session.tell(10.5)[0])

    assert row["trade_timestamp"] == row["timestamp"] == START.timestamp() * 1000
    assert (row["trade_date"], row["trade_time"]) == ("20261120", "030030")


def test_long_pause_is_not_made_up_for(exchange: Exchange) -> None:
    session = subscribed(exchange)
    exchange.burst(100)
    session.tell(10.0)

    assert len(session.tell(70.0)) == 50


def test_end_of_a_burst_puts_every_price_right(exchange: Exchange) -> None:
    session = subscribed(exchange)
    exchange.burst(8)
    session.tell(10.0)
    session.tell(10.5)
    exchange.burst(0)
    rows = [json.loads(frame) for frame in session.tell(10.6)]

    assert {row["code"]: to_units(row["trade_price"]) for row in rows} == {
        code: to_units(exchange.price(code, START)) for code in ("KRW-BTC", "KRW-ETH")
    }
    assert session.tell(10.7) == []


def test_trade_of_the_world_is_what_a_burst_goes_on_from(exchange: Exchange) -> None:
    session = subscribed(exchange)
    exchange.burst(8)
    session.tell(10.0)
    session.tell(10.5)
    exchange.set_price("KRW-BTC", 1000)

    rows = [json.loads(frame) for frame in session.tell(11.0)]

    prices = [row["trade_price"] for row in rows if row["code"] == "KRW-BTC"]
    assert set(prices) == {1000, 1001}


def test_only_tickers_burst(exchange: Exchange) -> None:
    session = subscribed(exchange, kind="trade")
    exchange.burst(100)
    session.tell(10.0)

    assert session.tell(10.5) == []


def test_burst_over_the_wire_leaves_rest_as_it_was(sim: Simulator) -> None:
    before = ticker(sim)
    with listening(sim, "KRW-BTC", "KRW-ETH") as client:
        client.many(2)
        sim.burst(2_000)
        frames = client.many(1_000, timeout=3)
        sim.burst(0)

    assert len(frames) == 1_000
    assert ticker(sim) == before


def test_market_that_never_traded_has_no_ticks(exchange: Exchange) -> None:
    session = Session(exchange)
    wish = {"type": "ticker", "codes": ["KRW-NOTHERE"]}
    session.hear(json.dumps([{"ticket": "t"}, wish]), 0.0)
    exchange.burst(100)
    session.tell(10.0)

    assert session.tell(10.5) == []


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "5", None, 10**9])
def test_impossible_burst_is_refused(exchange: Exchange, wrong: object) -> None:
    with pytest.raises(ValueError, match="whole number"):
        exchange.burst(wrong)  # type: ignore[arg-type]
