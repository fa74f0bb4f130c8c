"""The client against a whole exchange over real sockets: honest, limiting, failing and lying."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.market import contradicts, judge, newest_stamp, observed_at
from app.domain.money import from_units, to_units
from app.exchanges.base import RateLimited, Unavailable, UnknownMarket
from app.exchanges.http import HttpClient
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.simulator import Simulator
from app.simulator.wire import NOTATIONS

#: Enough to tell one from the others; the notations are tried on as many as the exchange has.
MARKETS = 40


@contextmanager
def talking_to(sim: Simulator, **limits: float) -> Iterator[Upbit]:
    http = HttpClient(sim.url, sleep=lambda _: None, **limits)  # type: ignore[arg-type]
    one = Upbit(sim.url, sim.url + "/logos", Pacer(per_second=1e6, max_wait_s=0), http)
    try:
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rate_limit=None, markets=MARKETS, logos=True) as running:
        yield running


@pytest.fixture
def upbit(sim: Simulator) -> Iterator[Upbit]:
    sim.clear_faults()
    with talking_to(sim) as one:
        yield one
    sim.clear_faults()


def test_every_market_is_listed_and_has_a_price(upbit: Upbit) -> None:
    listings, tickers = upbit.listings(), upbit.tickers()

    assert listings.bad == tickers.bad == ()
    assert {row.market for row in listings.rows} == {row.market for row in tickers.rows}
    assert len(tickers.rows) == MARKETS


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_notation_means_the_same_prices(notation: str) -> None:
    with Simulator(rate_limit=None, notation=notation) as sim, talking_to(sim) as one:
        tickers = one.tickers()
        wrong = [row for row in tickers.rows if row.price != sim.price(row.market, row.traded_at)]
        candle = one.candle_before("KRW-BTC", sim.now())

    assert (tickers.bad, wrong) == ((), [])
    assert len(tickers.rows) == 200
    assert min(row.price for row in tickers.rows) < Decimal("0.0001")
    assert max(row.price for row in tickers.rows) > 10**8
    assert candle is not None
    assert candle.low <= candle.close <= candle.high


def test_candle_before_each_minute_opened_before_it(upbit: Upbit, sim: Simulator) -> None:
    minute = sim.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    for row in upbit.listings().rows[::4]:
        candle = upbit.candle_before(row.market, minute)

        assert candle is not None
        assert candle.opened_at < minute
        assert candle.opened_at.second == 0


def test_unknown_market_is_unknown(upbit: Upbit) -> None:
    with pytest.raises(UnknownMarket):
        upbit.candle_before("KRW-NOSUCH", upbit.tickers().rows[0].stamped_at)


def test_logo_is_a_picture_and_an_unknown_coin_has_none(upbit: Upbit) -> None:
    assert (upbit.logo("BTC") or b"").startswith(b"\x89PNG")
    assert upbit.logo("NOSUCH") is None


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("timeout", {}),
        ("slow", {"seconds": 5}),
        ("slow", {"seconds": 5, "dribble": True}),
        *(("5xx", {"status": status}) for status in (500, 502, 503, 504)),
        *(("html", {"status": status}) for status in (200, 503)),
        ("cut", {}),
        ("huge", {"size": 20_000_000}),
        ("huge", {"size": 200_000_000, "gzip": True}),
        ("empty", {}),
    ],
)
def test_failing_exchange_is_unavailable_in_time_and_well_again_after(
    upbit: Upbit, sim: Simulator, mode: str, options: dict[str, object]
) -> None:
    sim.fault(mode, **options)  # type: ignore[arg-type]
    started = time.perf_counter()

    with (
        talking_to(sim, read_timeout=0.3, total_timeout=0.5) as hasty,
        pytest.raises(Unavailable),
    ):
        hasty.tickers()

    assert time.perf_counter() - started < 4
    sim.clear_faults()
    assert len(upbit.tickers().rows) == MARKETS


@pytest.mark.parametrize(("mode", "quiet_s"), [("429", 1), ("418", 60)])
def test_limiting_exchange_is_left_alone(
    upbit: Upbit, sim: Simulator, mode: str, quiet_s: float
) -> None:
    sim.fault(mode)
    before = sum(sim.requests.values())

    with pytest.raises(RateLimited) as caught:
        upbit.tickers()
    with pytest.raises(RateLimited):
        upbit.tickers()

    assert caught.value.retry_after_s >= quiet_s
    assert sum(sim.requests.values()) == before + 1


@pytest.mark.parametrize("mode", ["nan", "zero", "negative", "wrong_type"])
def test_lying_row_is_left_out_and_all_others_stay(upbit: Upbit, sim: Simulator, mode: str) -> None:
    sim.fault(mode, code="KRW-ETH")
    found = upbit.tickers()

    assert [row.market for row in found.bad] == ["KRW-ETH"]
    assert len(found.rows) == MARKETS - 1
    with pytest.raises(Unavailable):
        upbit.candle_before("KRW-ETH", sim.now())
    assert upbit.candle_before("KRW-BTC", sim.now())


@pytest.mark.parametrize("value", ["string", "text", "null", "object", "array", "bool"])
@pytest.mark.parametrize("field", ["timestamp", "high_price", "trade_timestamp", "acc_trade_price"])
def test_field_of_the_wrong_kind_never_raises(
    upbit: Upbit, sim: Simulator, field: str, value: str
) -> None:
    sim.fault("wrong_type", all=True, field=field, value=value)
    found = upbit.tickers()

    assert len(found.rows) + len(found.bad) == MARKETS


def test_all_rows_lying_leave_an_empty_snapshot_with_reasons(upbit: Upbit, sim: Simulator) -> None:
    sim.fault("nan", all=True)
    found = upbit.tickers()

    assert (len(found.rows), len(found.bad)) == (0, MARKETS)


def test_missing_coin_is_missing_and_no_other(upbit: Upbit, sim: Simulator) -> None:
    sim.fault("missing", code="KRW-XRP")
    found = upbit.tickers()

    assert "KRW-XRP" not in {row.market for row in found.rows}
    assert (len(found.rows), found.bad) == (MARKETS - 1, ())


def test_jump_that_agrees_with_itself_is_held_back(upbit: Upbit, sim: Simulator) -> None:
    honest = {row.market: row.price for row in upbit.tickers().rows}
    sim.fault("jump", code="KRW-ETH")
    jumped = {row.market: row.price for row in upbit.tickers().rows}
    candle = upbit.candle_before("KRW-ETH", sim.now())

    held = [code for code in honest if judge(honest[code], None, jumped[code])]
    assert held == ["KRW-ETH"]
    assert candle is not None
    assert contradicts(candle.close, honest["KRW-ETH"])


def test_jump_of_the_last_price_alone_convicts_itself(upbit: Upbit, sim: Simulator) -> None:
    sim.fault("jump", code="KRW-ETH", field="trade_price")

    assert [row.market for row in upbit.tickers().bad] == ["KRW-ETH"]


def test_stale_exchange_has_an_honest_age(upbit: Upbit, sim: Simulator) -> None:
    sim.fault("stale")
    rows = upbit.tickers().rows
    received = sim.now() + timedelta(minutes=5)
    newest = newest_stamp(rows, received)

    assert newest is not None
    assert received - observed_at(newest, received) > timedelta(minutes=4)


def test_new_listing_appears_and_a_delisted_one_goes(upbit: Upbit, sim: Simulator) -> None:
    sim.fault("list", code="KRW-FRESH", price="1500")
    sim.fault("delist", code="KRW-ADA")

    listed = {row.market for row in upbit.listings().rows}
    priced = {row.market: row.price for row in upbit.tickers().rows}

    assert "KRW-FRESH" in listed
    assert priced["KRW-FRESH"] == 1500
    assert "KRW-ADA" not in listed | priced.keys()
    with pytest.raises(UnknownMarket):
        upbit.candle_before("KRW-ADA", sim.now())


def ask_often(upbit: Upbit, sim: Simulator) -> None:
    for _ in range(12):
        upbit.candle_before("KRW-BTC", sim.now())


def test_our_own_pace_stays_under_the_limit_and_a_faster_one_does_not() -> None:
    with Simulator() as sim:
        patient = Upbit(sim.url)
        ask_often(patient, sim)
        patient.close()

        with talking_to(sim) as hasty, pytest.raises(RateLimited):
            ask_often(hasty, sim)


def test_replayed_recording_arrives_digit_by_digit(recordings: Path) -> None:
    text = (recordings / "ticker_krw.json").read_text()
    written = dict(re.findall(r'"market":"(KRW-\w+)".*?"trade_price":([^,]+)', text))

    with Simulator(replay=recordings) as sim, talking_to(sim) as one:
        found = one.tickers()

    assert found.bad == ()
    assert {row.market: from_units(to_units(row.price)) for row in found.rows} == {
        market: Decimal(digits) for market, digits in written.items()
    }
