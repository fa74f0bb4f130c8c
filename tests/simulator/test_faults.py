"""Each thing that can be made to go wrong, over a real socket."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from app.simulator import Simulator
from app.simulator.faults import GROUPS, MODES
from tests.simulator.clients import ask, minutes, ticker
from tests.simulator.conftest import START

ALL = "/v1/ticker/all?quote_currencies=KRW"


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(start=START, speed=0, markets=5, rate_limit=None, notation="fixed8") as sim:
        yield sim


@pytest.fixture
def faulty(shared: Simulator) -> Iterator[Simulator]:
    """A simulator whose faults are cleared after the test."""
    yield shared
    shared.clear_faults()


def test_timeout_accepts_and_never_answers(faulty: Simulator) -> None:
    faulty.fault("timeout")

    with pytest.raises(TimeoutError):
        ask(faulty, "/v1/market/all", timeout=0.2)


def test_held_connection_ends_when_the_client_leaves(faulty: Simulator) -> None:
    faulty.fault("timeout")
    with pytest.raises(TimeoutError):
        ask(faulty, "/v1/market/all", timeout=0.1)

    server = faulty._server
    until = time.monotonic() + 2
    while server is not None and server._open and time.monotonic() < until:
        time.sleep(0.02)

    assert server is not None
    assert not server._open


def test_slow_answers_late(faulty: Simulator) -> None:
    faulty.fault("slow", seconds=0.2)
    began = time.monotonic()

    assert ask(faulty, "/v1/market/all").status == 200
    assert time.monotonic() - began >= 0.2


def test_dribble_sends_a_byte_at_a_time(faulty: Simulator) -> None:
    faulty.fault("slow", dribble=True)
    parts = urlsplit(faulty.url)
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=2) as raw:
        raw.sendall(b"GET /v1/market/all HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.35)
        head, _, body = raw.recv(65_536).partition(b"\r\n\r\n")

    assert b"200 OK" in head
    assert 1 <= len(body) < 10


@pytest.mark.parametrize("status", [429, 418])
def test_refusals_have_no_retry_after(faulty: Simulator, status: int) -> None:
    faulty.fault(str(status))
    answer = ask(faulty, ALL)

    assert answer.status == status
    assert answer.text.startswith("Too many API requests.")
    assert "Retry-After" not in answer.headers


def test_418_tells_how_long(faulty: Simulator) -> None:
    faulty.fault("418", seconds=30)

    assert "30 seconds" in ask(faulty, ALL).text


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors_by_option_or_by_name(faulty: Simulator, status: int) -> None:
    faulty.fault("5xx", status=status)
    first = ask(faulty, ALL).status
    faulty.clear_faults()
    faulty.fault(str(status))

    assert (first, ask(faulty, ALL).status) == (status, status)


@pytest.mark.parametrize("status", [200, 503])
def test_html_comes_with_either_status(faulty: Simulator, status: int) -> None:
    faulty.fault("html", status=status)
    answer = ask(faulty, ALL, headers={"Accept-Encoding": "gzip"})

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_cut_breaks_off_under_the_full_length(faulty: Simulator, encoding: str) -> None:
    faulty.fault("cut")

    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(faulty, ALL, headers={"Accept-Encoding": encoding})

    assert len(cut.value.partial) == pytest.approx(cut.value.expected, abs=2)


def test_huge_is_as_large_as_told(faulty: Simulator) -> None:
    faulty.fault("huge", size=3_000_000)
    answer = ask(faulty, ALL)

    assert len(answer.body) == int(answer.headers["Content-Length"]) > 3_000_000
    assert answer.json[0]["market"] == "KRW-BTC"


def test_huge_may_be_small_on_the_wire(faulty: Simulator) -> None:
    faulty.fault("huge", size=3_000_000, gzip=True)
    answer = ask(faulty, ALL)

    assert len(answer.body) < 10_000
    assert len(answer.text) > 3_000_000


def test_huge_is_tens_of_megabytes_unless_told(faulty: Simulator) -> None:
    faulty.fault("huge")

    assert int(ask(faulty, ALL, "HEAD").headers["Content-Length"]) > 40_000_000


def test_empty_is_an_array_without_rows(faulty: Simulator) -> None:
    faulty.fault("empty")

    assert ask(faulty, ALL).json == []


def test_missing_leaves_one_coin_out(faulty: Simulator) -> None:
    faulty.fault("missing", code="KRW-ETH")
    codes = {row["market"] for row in ask(faulty, ALL).json}

    assert len(codes) == 4
    assert "KRW-ETH" not in codes


def test_missing_may_be_all(faulty: Simulator) -> None:
    faulty.fault("missing", all=True)

    assert ask(faulty, ALL).json == []


def test_nan_stands_in_the_text(faulty: Simulator) -> None:
    faulty.fault("nan")

    assert ask(faulty, ALL).text.count('"trade_price":NaN') == 1


@pytest.mark.parametrize(("mode", "sign"), [("zero", 0), ("negative", -1)])
def test_zero_and_negative_change_the_last_price(faulty: Simulator, mode: str, sign: int) -> None:
    honest = ticker(faulty)["trade_price"]
    faulty.fault(mode)

    assert ticker(faulty)["trade_price"] == honest * sign
    assert ticker(faulty, "KRW-ETH")["trade_price"] > 0


def test_value_faults_take_all_coins_and_another_field(faulty: Simulator) -> None:
    faulty.fault("zero", all=True, field="opening_price")
    rows = ask(faulty, ALL).json

    assert {row["opening_price"] for row in rows} == {0}
    assert all(row["trade_price"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("string", str), ("text", str), ("null", type(None)), ("object", dict), ("array", list),
     ("bool", bool)],
)  # fmt: skip
def test_wrong_type_stands_where_a_number_belongs(
    faulty: Simulator, value: str, kind: type
) -> None:
    faulty.fault("wrong_type", value=value)

    assert type(ticker(faulty)["trade_price"]) is kind
    assert type(minutes(faulty)[0]["trade_price"]) is kind


def test_jump_is_tenfold_and_agrees_with_itself(faulty: Simulator) -> None:
    before = ticker(faulty)
    faulty.fault("jump")
    after = ticker(faulty)

    assert after["trade_price"] == before["trade_price"] * 10
    assert after["low_price"] <= after["trade_price"] <= after["high_price"]
    change = after["trade_price"] - after["prev_closing_price"]
    assert after["signed_change_price"] == change
    assert minutes(faulty)[0]["trade_price"] == minutes(faulty)[0]["high_price"]


def test_jump_may_hit_one_group_alone(faulty: Simulator) -> None:
    honest = minutes(faulty)[0]
    faulty.fault("jump", group="ticker", all=True, factor=0.1)

    assert minutes(faulty)[0] == honest
    assert ticker(faulty)["trade_price"] == honest["trade_price"] / 10


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


def test_latest_reply_fault_wins_and_clearing_its_group_brings_back_the_other(
    faulty: Simulator,
) -> None:
    faulty.fault("429")
    faulty.fault("500", group="ticker")
    first = ask(faulty, ALL).status

    faulty.fault("none", group="ticker")

    assert (first, ask(faulty, ALL).status) == (500, 429)


def test_value_faults_add_up(faulty: Simulator) -> None:
    faulty.fault("nan", code="KRW-BTC")
    faulty.fault("zero", code="KRW-ETH")
    faulty.fault("missing", code="KRW-XRP")
    body = ask(faulty, ALL).text

    assert "NaN" in body
    assert len(json.loads(body)) == 4


def test_later_value_faults_come_on_top_of_earlier_ones(faulty: Simulator) -> None:
    honest = ticker(faulty)["trade_price"]
    for mode in ("jump", "negative"):
        faulty.fault(mode)
    assert ticker(faulty)["trade_price"] == honest * -10

    for mode in ("nan", "jump", "wrong_type", "zero"):
        faulty.fault(mode)
    assert "NaN" in ask(faulty, "/v1/ticker", markets="KRW-BTC").text


def test_untouched_rows_stay_as_they_were(faulty: Simulator) -> None:
    honest = ticker(faulty, "KRW-ETH")
    faulty.fault("jump")
    faulty.fault("nan")

    assert ticker(faulty, "KRW-ETH") == honest


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


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("group", [None, *GROUPS])
def test_every_mode_takes_every_group(mode: str, group: str | None) -> None:
    sim = Simulator(markets=2)

    sim.fault(mode, group=group)

    assert [(fault.mode, fault.group) for fault in sim.faults()] == [(mode, group)]


def test_prices_of_a_spoilt_row_keep_their_other_digits(faulty: Simulator) -> None:
    honest = ticker(faulty)
    faulty.fault("zero", field="high_price")
    row = ticker(faulty)

    assert row == honest | {"high_price": Decimal(0)}
