"""The simulated exchange conserves money: whatever is ordered, filled, cut short and cancelled."""

import json
from decimal import Decimal, localcontext
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.simulator import Simulator
from app.simulator.server import Request
from app.simulator.ticks import from_units, tick, to_units
from tests.simulator.signing import SECRET, Client

MARKET = "KRW-BTC"
WON, COINS = Decimal(10_000_000), Decimal(10)
_numbers = count(1)

prices = st.integers(1_000, 900_000).map(
    lambda price: Decimal(price) // from_units(tick("KRW", to_units(price)))
    * from_units(tick("KRW", to_units(price)))
)  # fmt: skip
volumes = st.decimals("0.00000001", "20", places=8)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("price"), prices),
        st.tuples(st.just("spend"), st.decimals(1, 12_000_000, places=2)),
        st.tuples(st.just("sell"), volumes),
        st.tuples(st.just("limit"), st.sampled_from(["bid", "ask"]), volumes, prices),
        st.tuples(st.just("cancel"), st.integers(0, 12)),
        st.tuples(st.just("partial"), st.sampled_from([0.001, 0.5, 0.999])),
        st.tuples(st.just("whole")),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def sim() -> Simulator:
    """Not even started: questions are handed over the counter."""
    return Simulator(markets=2, speed=0, rate_limit=None)


def ask(one: Client, method: str, path: str, fields: dict[str, str]) -> Any:
    sent = list(fields.items())
    request = Request(
        method=method, path=path, query={}, caller="127.0.0.1",
        body=json.dumps(fields).encode() if method == "POST" else b"",
        raw_query="" if method == "POST" else "&".join(f"{k}={v}" for k, v in sent),
        authorization=f"Bearer {one.token(sent)}",
    )  # fmt: skip
    return json.loads(one.sim.desks.respond("upbit", request).body)


def order(one: Client, number: int, **fields: object) -> None:
    texts = {name: str(value) for name, value in fields.items()}
    ask(one, "POST", "/v1/orders", {"market": MARKET, "identifier": f"o-{number}", **texts})


def do(one: Client, number: int, deed: tuple[Any, ...]) -> None:
    match deed:
        case "price", price:
            one.sim.set_price(MARKET, price)
        case "spend", won:
            order(one, number, side="bid", ord_type="price", price=won)
        case "sell", volume:
            order(one, number, side="ask", ord_type="market", volume=f"{volume:f}")
        case "limit", side, volume, price:
            order(one, number, side=side, ord_type="limit", volume=f"{volume:f}", price=price)
        case "cancel", which:
            ask(one, "DELETE", "/v1/order", {"identifier": f"o-{which}"})
        case "partial", share:
            one.sim.fault("partial", share=share)
        case _:
            one.sim.clear_faults()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deeds)
def test_no_won_and_no_coin_comes_or_goes(sim: Simulator, steps: list[tuple[Any, ...]]) -> None:
    access = f"access-of-money-{next(_numbers):06d}"
    sim.clear_faults()
    sim.set_price(MARKET, 100_000)
    sim.add_account("upbit", access, SECRET, {"KRW": WON, "BTC": COINS})
    one = Client(sim, access=access)

    for number, step in enumerate(steps):
        do(one, number, step)
        held = sim.balances(access)
        assert all(each.free >= 0 and each.locked >= 0 for each in held.values())

    with localcontext(prec=100):
        won, coins, locked = WON, COINS, {"KRW": Decimal(0), "BTC": Decimal(0)}
        for each in sim.orders(access):
            sign = 1 if each.side == "bid" else -1
            won -= sign * each.executed_funds + each.paid_fee
            coins += sign * each.executed_volume
            locked["KRW" if each.side == "bid" else "BTC"] += each.locked
            assert each.paid_fee == each.executed_funds * Decimal("0.0005")
            assert each.is_open or not each.locked
        held = sim.balances(access)
        assert {name: held[name].locked for name in locked} == locked
        assert held["KRW"].free + held["KRW"].locked == won
        assert held["BTC"].free + held["BTC"].locked == coins
