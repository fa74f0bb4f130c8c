"""The fault switch: what holds, for whom, for how long."""

import time

import pytest

from app.simulator import Simulator
from app.simulator.faults import GROUPS, MODES, SIGNED, SIGNED_ONLY, STREAM, STREAM_ONLY
from tests.simulator.clients import ask, minutes, ticker
from tests.simulator.conftest import START

ALL = "/v1/ticker/all?quote_currencies=KRW"


def test_stale_freezes_prices_and_times() -> None:
    with Simulator(start=START, speed=3_600, markets=2, rate_limit=None) as sim:
        sim.fault("stale")
        first = (ask(sim, ALL).body, minutes(sim))
        time.sleep(0.1)
        second = (ask(sim, ALL).body, minutes(sim))
        sim.clear_faults()

        assert first == second
        assert ask(sim, ALL).body != first[0]


def test_delisted_market_is_unknown_until_the_fault_ends(faulty: Simulator) -> None:
    faulty.fault("delist", code="KRW-XRP")
    gone = [ask(faulty, path, **query).status for path, query in (
        ("/v1/ticker", {"markets": "KRW-XRP"}),
        ("/v1/candles/minutes/1", {"market": "KRW-XRP"}),
    )]  # fmt: skip
    listed = ask(faulty, "/v1/market/all").text

    faulty.clear_faults()

    assert gone == [404, 404]
    assert '"KRW-XRP"' not in listed
    assert ticker(faulty, "KRW-XRP")["trade_price"] > 0


def test_new_listing_is_there_until_the_fault_ends(faulty: Simulator) -> None:
    faulty.fault("list", code="KRW-WHALE", korean_name="고래", english_name="Whale", price="1500")
    rows = [r for r in ask(faulty, "/v1/market/all").json if r["market"] == "KRW-WHALE"]
    price = ticker(faulty, "KRW-WHALE")["trade_price"]

    faulty.clear_faults()

    assert rows == [{"market": "KRW-WHALE", "korean_name": "고래", "english_name": "Whale"}]
    assert price == 1500
    assert ask(faulty, "/v1/ticker", markets="KRW-WHALE").status == 404


def test_fault_ends_by_itself(faulty: Simulator) -> None:
    faulty.fault("empty", for_s=0.1)
    during = ask(faulty, ALL).json
    time.sleep(0.12)

    assert during == []
    assert len(ask(faulty, ALL).json) == 5


def test_fault_of_a_group_spares_the_others(faulty: Simulator) -> None:
    faulty.fault("503", group="candles")

    assert ask(faulty, ALL).status == 200
    assert ask(faulty, "/v1/candles/days", market="KRW-BTC").status == 503


def test_logos_can_fail_too(faulty: Simulator) -> None:
    faulty.fault("html", group="logos", status=200)

    assert ask(faulty, "/logos/BTC.png").headers["Content-Type"].startswith("text/html")


def test_number_of_faults_is_bounded_and_the_refused_one_changes_nothing(
    faulty: Simulator,
) -> None:
    for _ in range(100):
        faulty.fault("empty")

    with pytest.raises(ValueError, match="clear some"):
        faulty.fault("delist", code="KRW-BTC")

    assert "KRW-BTC" in faulty.codes()


@pytest.mark.parametrize(
    ("mode", "extra"),
    [
        ("explode", {}), (5, {}), (None, {}), (["nan"], {}), ("nan", {"code": ""}),
        ("nan", {"all": 1}), ("nan", {"what": 1}), ("nan", {"group": "orders"}),
        ("nan", {"for_s": -1}), ("nan", {"for_s": "60"}), ("nan", {"for_s": True}),
        ("nan", {"for_s": float("nan")}), ("jump", {"factor": 0}), ("5xx", {"status": 404}),
        ("html", {"status": 404}), ("slow", {"seconds": -1}), ("huge", {"size": 1.5}),
        ("huge", {"size": 10**12}), ("wrong_type", {"value": "number"}), ("timeout", {"code": "x"}),
        ("none", {"group": "orders"}), ("list", {"code": "KRW-BTC"}), ("list", {"code": "btc"}),
        ("list", {"price": "1e-9"}), ("list", {"price": "-3"}), ("nan", {"self": 1}),
        ("skew", {"seconds": "1"}), ("garbage", {"kind": "nice"}), ("error", {"name": "OTHER"}),
        ("unknown", {"code": 5}), ("silent", {"seconds": 1}),
    ],
)  # fmt: skip
def test_impossible_faults_are_refused_and_change_nothing(
    faulty: Simulator, mode: str, extra: dict[str, object]
) -> None:
    before = ask(faulty, ALL).body

    with pytest.raises(ValueError, match=r"\w{3}"):
        faulty.fault(mode, **extra)  # type: ignore[arg-type]

    assert faulty.faults() == []
    assert ask(faulty, ALL).body == before


@pytest.mark.parametrize("mode", sorted(STREAM_ONLY))
def test_what_only_a_stream_can_do_is_refused_elsewhere(faulty: Simulator, mode: str) -> None:
    with pytest.raises(ValueError, match="stream alone"):
        faulty.fault(mode, group="ticker")

    faulty.fault(mode, group="stream")


def test_skewed_clock_moves_stamps_and_dates_alike(faulty: Simulator) -> None:
    honest = ticker(faulty)
    faulty.fault("skew", seconds=86_400)
    skewed = ticker(faulty)

    assert skewed["trade_timestamp"] == honest["trade_timestamp"] + 86_400_000
    assert skewed["timestamp"] == honest["timestamp"] + 86_400_000
    assert int(skewed["trade_date"]) == int(honest["trade_date"]) + 1
    assert int(skewed["trade_date_kst"]) == int(honest["trade_date_kst"]) + 1
    assert skewed["trade_time"] == honest["trade_time"]
    assert skewed["trade_price"] == honest["trade_price"]


def test_skewed_clock_leaves_candles_in_their_places(faulty: Simulator) -> None:
    honest = minutes(faulty)
    faulty.fault("skew")

    assert minutes(faulty) == honest


_PAIRS = [
    (mode, group)
    for mode in MODES
    for group in (None, *GROUPS)
    if group in {None, STREAM} or mode not in STREAM_ONLY
    if group in {None, *SIGNED} or mode not in SIGNED_ONLY
]


@pytest.mark.parametrize(("mode", "group"), _PAIRS)
def test_every_mode_takes_every_group(mode: str, group: str | None) -> None:
    sim = Simulator(markets=2)

    sim.fault(mode, group=group)

    assert [(fault.mode, fault.group) for fault in sim.faults()] == [(mode, group)]
