"""What the frames say: fields, formats, notations, and that they agree with REST."""

from decimal import Decimal

import pytest

from app.simulator import Simulator
from app.simulator.stream.wording import CANDLE, TICKER, TRADE
from app.simulator.wire import NOTATIONS
from tests.simulator.clients import minutes, ticker
from tests.simulator.conftest import START
from tests.simulator.listening import Listener, listening

KINDS = {"ticker": TICKER, "trade": TRADE, "candle.1m": CANDLE}
OWN = {
    "type", "code", "ask_bid", "acc_ask_volume", "acc_bid_volume", "market_state",
    "is_trading_suspended", "delisting_date", "market_warning", "stream_type",
}  # fmt: skip


def snapshot(sim: Simulator, kind: str, form: str = "DEFAULT", code: str = "KRW-BTC") -> object:
    with listening(sim, code, kind=kind, form=form) as client:
        return client.next()


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_there_in_its_order(exchange: Simulator, kind: str) -> None:
    frame = snapshot(exchange, kind)

    assert list(frame) == list(KINDS[kind])  # type: ignore[call-overload]


@pytest.mark.parametrize("kind", KINDS)
def test_simple_format_has_short_names_and_the_same_values(exchange: Simulator, kind: str) -> None:
    long, short = snapshot(exchange, kind), snapshot(exchange, kind, "SIMPLE")

    assert short == {KINDS[kind][name]: value for name, value in long.items()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("plain", "listed"), [("DEFAULT", "JSON_LIST"), ("SIMPLE", "SIMPLE_LIST")])
def test_list_formats_wrap_each_frame(exchange: Simulator, plain: str, listed: str) -> None:
    assert snapshot(exchange, "ticker", listed) == [snapshot(exchange, "ticker", plain)]


def test_ticker_agrees_with_rest_in_every_field(exchange: Simulator) -> None:
    for code in exchange.codes()[:30]:
        frame = snapshot(exchange, "ticker", code=code)
        row = ticker(exchange, code)
        assert {name: frame[name] for name in TICKER if name not in OWN} == {  # type: ignore[index]
            name: row[name] for name in TICKER if name not in OWN
        }


def test_bought_and_sold_volume_add_up(exchange: Simulator) -> None:
    frame = snapshot(exchange, "ticker")

    total = frame["acc_ask_volume"] + frame["acc_bid_volume"]  # type: ignore[index]
    assert total == frame["acc_trade_volume"]  # type: ignore[index]


def test_listed_market_is_active_and_has_no_end(exchange: Simulator) -> None:
    frame = snapshot(exchange, "ticker")

    assert (frame["market_state"], frame["delisting_date"]) == ("ACTIVE", None)  # type: ignore[index]


@pytest.mark.parametrize("unit", [1, 15, 240])
def test_candle_agrees_with_rest(exchange: Simulator, unit: int) -> None:
    frame = snapshot(exchange, f"candle.{unit}m")
    row = minutes(exchange, unit=unit)[0]

    names = set(CANDLE) - {"type", "code", "stream_type"}
    assert {name: frame[name] for name in names} == {name: row[name] for name in names}  # type: ignore[index]


def test_trade_names_its_moment_and_stands_at_the_best_price(exchange: Simulator) -> None:
    frame = snapshot(exchange, "trade")
    row = ticker(exchange)

    assert frame["trade_price"] == row["trade_price"]  # type: ignore[index]
    assert frame["trade_timestamp"] == row["trade_timestamp"]  # type: ignore[index]
    assert frame["trade_date"].replace("-", "") == row["trade_date"]  # type: ignore[index]
    assert frame["trade_time"].replace(":", "") == row["trade_time"]  # type: ignore[index]
    assert frame["sequential_id"] // 10_000 == row["trade_timestamp"]  # type: ignore[index]
    best = "best_bid_price" if frame["ask_bid"] == "ASK" else "best_ask_price"  # type: ignore[index]
    assert frame[best] == frame["trade_price"]  # type: ignore[index]


@pytest.mark.parametrize("notation", NOTATIONS)
def test_numbers_come_in_every_notation_and_mean_the_same(notation: str) -> None:
    with Simulator(start=START, speed=0, markets=3, notation=notation) as sim:
        frame = snapshot(sim, "ticker")

    with Simulator(start=START, speed=0, markets=3, notation="fixed8") as plain:
        assert frame == snapshot(plain, "ticker")


def test_all_kinds_of_one_trade_arrive_together(sim: Simulator) -> None:
    with listening(sim) as client:
        _ask_for_all(client)
        client.many(3)
        sim.set_price("KRW-BTC", "1000")
        frames = client.many(3)

    assert [frame["type"] for frame in frames] == ["ticker", "trade", "candle.1m"]
    assert {frame["trade_price"] for frame in frames} == {Decimal(1000)}


def _ask_for_all(client: Listener) -> None:
    wishes = [{"type": kind, "codes": ["KRW-BTC"]} for kind in KINDS]
    client.send([{"ticket": "t"}, *wishes])


def test_market_without_a_trade_has_nothing_to_tell(sim: Simulator) -> None:
    sim.list_market("KRW-NEW1", price=50)
    sim.world.market("KRW-NEW1").events = ()
    with listening(sim) as client:
        wishes = [{"type": kind, "codes": ["KRW-NEW1"]} for kind in KINDS]
        client.send([{"ticket": "t"}, *wishes])

        assert client.rest() == []
