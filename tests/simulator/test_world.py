"""Listing, delisting and setting prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest

from app.simulator import Simulator
from app.simulator.world import UnknownCode, World, to_ms
from tests.simulator.clients import ask, minutes, ticker
from tests.simulator.conftest import START


def test_set_price_is_a_trade_now_and_holds(sim: Simulator) -> None:
    sim.set_price("KRW-BTC", "150000000")
    row = ticker(sim)

    assert row["trade_price"] == 150_000_000
    assert row["trade_timestamp"] == to_ms(sim.now())
    assert minutes(sim)[0]["trade_price"] == 150_000_000
    assert sim.price("KRW-BTC", sim.now() + timedelta(days=2)) == 150_000_000


def test_set_price_leaves_the_past_alone(sim: Simulator) -> None:
    before = minutes(sim, count=10)[1:]

    sim.set_price("KRW-BTC", 150_000_000)

    assert minutes(sim, count=10)[1:] == before


def test_price_set_free_follows_its_path_again(sim: Simulator) -> None:
    later = sim.now() + timedelta(minutes=5)
    path = sim.price("KRW-BTC", later)
    sim.set_price("KRW-BTC", 150_000_000)

    sim.set_price("KRW-BTC", None)

    assert sim.price("KRW-BTC", later) == path


def test_tiny_and_exact_prices_can_be_set_also_off_the_tick(sim: Simulator) -> None:
    sim.set_price("KRW-BTC", Decimal("0.00001234"))

    assert ticker(sim)["trade_price"] == Decimal("0.00001234")


@pytest.mark.parametrize("wrong", ["0", "x", -5, "1e-9", 10**12])
def test_what_is_no_price_is_refused(sim: Simulator, wrong: object) -> None:
    before = ticker(sim)

    with pytest.raises(ValueError, match=r"price|finer"):
        sim.set_price("KRW-BTC", wrong)

    assert ticker(sim) == before


def test_new_market_has_no_history(sim: Simulator) -> None:
    sim.list_market("KRW-WHALE", price="1500")

    candles = minutes(sim, "KRW-WHALE", count=200)

    assert len(candles) == 1
    assert candles[0]["opening_price"] == candles[0]["trade_price"] == 1500
    assert ticker(sim, "KRW-WHALE")["prev_closing_price"] == 1500


def test_new_market_goes_on_from_its_first_price(sim: Simulator) -> None:
    codes = [f"KRW-WHALE{number}" for number in range(12)]
    for code in codes:
        sim.list_market(code, price="1500")

    later = [sim.price(code, START + timedelta(minutes=10)) for code in codes]

    assert all(1_425 < price < 1_575 for price in later)
    assert len(set(later)) > 1


def test_delisted_market_keeps_its_past_and_can_come_back(sim: Simulator) -> None:
    before = ticker(sim)
    sim.delist("KRW-BTC")
    gone = ask(sim, "/v1/ticker", markets="KRW-BTC").status

    sim.list_market("KRW-BTC")

    assert gone == 404
    assert ticker(sim) == before


def test_market_brought_back_may_have_a_new_price(sim: Simulator) -> None:
    sim.delist("KRW-BTC")

    sim.list_market("KRW-BTC", price=90_000_000, english_name="Bitcoin 2")

    assert ticker(sim)["trade_price"] == 90_000_000


def test_price_of_delisted_market_is_still_known_to_tests(sim: Simulator) -> None:
    price = sim.price("KRW-BTC", START)

    sim.delist("KRW-BTC")

    assert sim.price("KRW-BTC", START) == price


def test_delisting_twice_is_an_error(sim: Simulator) -> None:
    sim.delist("KRW-BTC")

    with pytest.raises(UnknownCode):
        sim.delist("KRW-BTC")


def test_price_before_the_exchange_began_is_unknown() -> None:
    with pytest.raises(UnknownCode):
        World(markets=1).price("KRW-BTC", datetime(2017, 1, 1, tzinfo=UTC))


def test_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        to_ms(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_far_past_and_future_are_reached_at_once() -> None:
    world = World(markets=1)

    moments = [datetime(year, 6, 1, tzinfo=UTC) for year in (2018, 2030, 2099)]

    assert all(world.price("KRW-BTC", moment) > 10**8 for moment in moments)


def test_many_threads_see_the_same_prices(sim: Simulator) -> None:
    seen: list[tuple[Decimal, ...]] = []
    moments = [START + timedelta(minutes=13 * number) for number in range(60)]

    def look() -> None:
        seen.append(tuple(sim.price("KRW-BTC", moment) for moment in moments))

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 4
    assert len(set(seen)) == 1
