"""A broker is made for each use; pace and rules of its account outlive it, its keys don't."""

import gc
from collections.abc import Iterator

import pytest

from app.domain.exchanges import ExchangeName, Keys
from app.exchanges import registry
from app.exchanges.registry import Registry
from app.simulator import Simulator
from tests.exchanges.venues import MARKET, fresh_keys


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(markets=3, speed=0, rate_limit=None) as running:
        yield running


@pytest.fixture
def made(sim: Simulator) -> Iterator[Registry]:
    one = Registry(upbit_url=sim.url, bithumb_url=sim.bithumb_url)
    yield one
    one.close()


@pytest.mark.parametrize("exchange", ExchangeName)
def test_broker_speaks_to_the_exchange_that_was_named(
    made: Registry, sim: Simulator, exchange: ExchangeName
) -> None:
    keys = fresh_keys()
    sim.add_account(exchange.value, keys.access, keys.secret, {"KRW": "5"})

    broker = made.broker(exchange, keys)

    assert broker.exchange is exchange
    assert ("KRW", 5) in [(each.currency, each.free) for each in broker.balances()]


def test_rules_are_read_once_a_minute_and_account(made: Registry, sim: Simulator) -> None:
    alice, bob = fresh_keys(), fresh_keys()
    for keys, fee in ((alice, "0.0005"), (bob, "0.001")):
        sim.add_account("upbit", keys.access, keys.secret, fee=fee)

    for _ in range(3):
        alices = made.broker(ExchangeName.UPBIT, alice).rules(MARKET)
        bobs = made.broker(ExchangeName.UPBIT, bob).rules(MARKET)

    assert (str(alices.bid_fee), str(bobs.bid_fee)) == ("0.0005", "0.001")
    assert sim.requests["other"] == 4


def test_keys_do_not_outlive_their_broker(made: Registry, sim: Simulator) -> None:
    keys = fresh_keys()
    sim.add_account("upbit", keys.access, keys.secret)
    made.broker(ExchangeName.UPBIT, keys).balances()
    gc.collect()

    held = [each for each in gc.get_objects() if isinstance(each, Keys) and each is not keys]

    assert keys.access not in [each.access for each in held]


def test_only_so_many_accounts_are_remembered(
    made: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MOST_REMEMBERED", 3)
    for _ in range(5):
        made.broker(ExchangeName.UPBIT, fresh_keys())

    assert len(made._memories) == 3
