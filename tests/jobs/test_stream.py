"""Prices keep coming while we lead: pushed, else asked for, whatever the stream does."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic, sleep

import pytest
from flask import Flask
from sqlalchemy import select

from app import jobs
from app.clock import utcnow
from app.domain.market import FeedSource
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db, scheduler
from app.jobs import unwritten
from app.jobs.lease import HOLDER, NAME, is_leader
from app.jobs.line import Tempo
from app.jobs.stream import PriceFeed
from app.models import Quote
from app.services import jobs as records
from app.services import market
from app.services.market import FeedState
from app.simulator import Simulator
from app.simulator.ticks import from_units, tick, to_units
from tests.conftest import MakeApp

QUICK = Tempo(
    listen_s=0.02,
    write_s=0.05,
    poll_s=0.1,
    longest_poll_s=0.2,
    silence_s=0.6,
    first_retry_s=0.05,
    longest_retry_s=0.2,
    look_s=0.1,
)
PRICE = Decimal(150_000_000)
#: A burst tells the price and the one a step above it in turn.
ALLOWED = {PRICE, PRICE + from_units(tick("KRW", to_units(PRICE)))}
SOON = 10.0


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator(markets=12, rate_limit=None) as simulator:
        yield simulator


@pytest.fixture
def sim(exchange: Simulator) -> Simulator:
    """Twelve markets and a hundred ticks a second; BTC stands still at its price."""
    exchange.clear_faults()
    exchange.set_price("KRW-BTC", PRICE)
    exchange.burst(100)
    exchange.requests.clear()
    return exchange


@pytest.fixture
def stage(make_app: MakeApp, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """We lead; coins and prices are there."""
    monkeypatch.setattr(unwritten, "NOTE_EVERY_S", 0.05)
    app = make_app(upbit_url=sim.url, upbit_ws_url=sim.ws_url)
    exchange = Upbit(sim.url, pacer=Pacer(per_second=1000))
    app.extensions["whaling_market"] = exchange
    with app.app_context():
        assert is_leader(app)
        market.refresh_listings(market=exchange, now=utcnow())
        market.store_tickers(market=exchange, now=utcnow())
    yield app
    exchange.close()


@pytest.fixture
def feed(stage: Flask) -> Iterator[PriceFeed]:
    """Running, and the stream is heard."""
    feed = PriceFeed(stage, tempo=QUICK)
    feed.start()
    wait_for_source(stage, FeedSource.STREAM)
    yield feed
    feed.stop()


def until(holds: Callable[[], bool], within_s: float = SOON) -> bool:
    """Whether it holds before the time is over."""
    end = monotonic() + within_s
    while not holds():
        if monotonic() > end:
            return False
        sleep(0.01)
    return True


def state(app: Flask) -> FeedState:
    with app.app_context():
        market.feed_state(utcnow())  # as a page would
        now = utcnow() + timedelta(seconds=1)
        return market.feed_state(now)


def wait_for_source(app: Flask, source: FeedSource) -> FeedState:
    assert until(lambda: state(app).source is source), state(app)
    return state(app)


def quote(app: Flask, code: str = "BTC") -> Quote:
    with app.app_context():
        coin = market.get_coin(code)
        assert coin is not None
        found = db.session.get(Quote, coin.id)
        assert found is not None
        return found


def price(app: Flask, code: str) -> Decimal | None:
    with app.app_context():
        coin = market.get_coin(code)
        assert coin is not None
        return db.session.scalar(select(Quote.price).where(Quote.coin_id == coin.id))


def shows(app: Flask, wanted: Decimal, code: str = "BTC") -> bool:
    return until(lambda: price(app, code) == wanted)


def test_price_at_the_exchange_is_on_the_board_a_moment_later(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    sim.burst(0)
    sim.set_price("KRW-BTC", "151000000")

    assert shows(stage, Decimal(151_000_000))
    found = quote(stage)
    assert timedelta(0) <= utcnow() - found.observed_at < timedelta(seconds=SOON)
    assert state(stage).problem is None


def test_market_listed_in_mid_stream_is_followed(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    sim.list_market("KRW-NEWCOIN", price="500")
    with stage.app_context():
        market.refresh_listings(market=stage.extensions["whaling_market"], now=utcnow())
    assert until(lambda: price(stage, "NEWCOIN") is not None)

    sim.burst(0)
    sim.set_price("KRW-NEWCOIN", "510")

    assert shows(stage, Decimal(510), "NEWCOIN")
    assert state(stage).reconnects == 0
    sim.delist("KRW-NEWCOIN")


def test_delisted_coin_is_no_longer_written(stage: Flask, sim: Simulator, feed: PriceFeed) -> None:
    with stage.app_context():
        coin = market.get_coin("BTC")
        assert coin is not None
        coin.is_active, coin.delisted_at = False, utcnow()
        db.session.commit()
    sleep(0.2)
    before = quote(stage).fetched_at
    sim.set_price("KRW-BTC", "151000000")

    sleep(0.3)

    assert quote(stage).fetched_at == before


#: What the stream can suffer from, and where the prices come from meanwhile.
POLLED: list[tuple[str, dict[str, object]]] = [
    ("disconnect", {}), ("silent", {}), ("timeout", {}), ("error", {"name": "NO_TYPE"}),
    ("cut", {}), ("garbage", {}), ("empty", {}), ("huge", {"size": 2_000_000}), ("stale", {}),
    ("skew", {"seconds": 600}), ("skew", {"seconds": -600}), ("nan", {"all": True}),
    ("zero", {"all": True}), ("negative", {"all": True}), ("wrong_type", {"all": True}),
    ("missing", {"all": True}), ("jump", {"factor": 0.1, "all": True}),
]  # fmt: skip
REFUSED: list[tuple[str, dict[str, object]]] = [
    ("429", {}), ("5xx", {}), ("html", {"status": 200}),
]  # fmt: skip
STREAMED: list[tuple[str, dict[str, object]]] = [
    ("jump", {"factor": 10}), ("nan", {}), ("zero", {}),
    ("negative", {}), ("wrong_type", {}), ("missing", {}), ("unknown", {}), ("duplicate", {}),
    ("disorder", {}), ("skew", {"seconds": 3}), ("skew", {"seconds": -20}),
]  # fmt: skip


def named(cases: list[tuple[str, dict[str, object]]]) -> list[str]:
    return [f"{mode} {' '.join(map(str, options.values()))}".strip() for mode, options in cases]


def no_wrong_price(app: Flask, for_s: float = 0.3) -> None:
    """For a while the coin has none but the prices it was traded at."""
    end = monotonic() + for_s
    while monotonic() < end:
        found = quote(app)
        assert found.price in ALLOWED
        assert found.observed_at <= utcnow()
        sleep(0.01)


@pytest.mark.parametrize(("mode", "options"), POLLED, ids=named(POLLED))
def test_polling_takes_over_and_hands_back(
    stage: Flask, sim: Simulator, feed: PriceFeed, mode: str, options: dict[str, object]
) -> None:
    sim.fault(mode, 60, "stream", **options)
    sim.burst(0 if mode == "stale" else 100)  # a burst goes on while time stands still

    polled = wait_for_source(stage, FeedSource.POLLING)
    no_wrong_price(stage)
    sim.set_price("KRW-ETH", "7000000")
    assert shows(stage, Decimal(7_000_000), "ETH")
    assert polled.problem

    sim.clear_faults()
    sim.burst(100)
    sim.set_price("KRW-ETH", "7001000")
    back = wait_for_source(stage, FeedSource.STREAM)
    assert shows(stage, Decimal(7_001_000), "ETH")
    assert back.reconnects > 0
    assert back.problem is None


@pytest.mark.parametrize(("mode", "options"), REFUSED, ids=named(REFUSED))
def test_handshake_that_is_refused_is_tried_again(
    stage: Flask, sim: Simulator, mode: str, options: dict[str, object]
) -> None:
    sim.fault(mode, 60, "stream", **options)
    feed = PriceFeed(stage, tempo=QUICK)
    feed.start()
    try:
        wait_for_source(stage, FeedSource.POLLING)
        no_wrong_price(stage, 0.2)

        sim.clear_faults()
        wait_for_source(stage, FeedSource.STREAM)
    finally:
        feed.stop()


def test_polling_keeps_its_pace_while_the_stream_takes_calls_and_says_nothing(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    """Each try to reconnect takes four seconds; nobody waits for it."""
    sim.fault("timeout", 60, "stream")
    wait_for_source(stage, FeedSource.POLLING)

    took = []
    for price in range(7_000_000, 7_010_000, 1_000):
        sim.set_price("KRW-ETH", price)
        began = monotonic()
        assert shows(stage, Decimal(price), "ETH")
        took.append(monotonic() - began)

    assert max(took) < 2


def test_stream_comes_back_while_an_answer_is_still_waited_for(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    sim.fault("disconnect", 60, "stream")
    wait_for_source(stage, FeedSource.POLLING)
    sim.fault("timeout", 60, "ticker")
    sleep(0.3)
    sim.clear_faults("stream")
    sim.burst(0)
    sim.set_price("KRW-BTC", "151000000")
    began = monotonic()

    assert shows(stage, Decimal(151_000_000))
    assert monotonic() - began < 3


@pytest.mark.parametrize(("mode", "options"), STREAMED, ids=named(STREAMED))
def test_spoilt_frames_write_no_wrong_price_and_stop_nothing(
    stage: Flask, sim: Simulator, feed: PriceFeed, mode: str, options: dict[str, object]
) -> None:
    sim.fault(mode, 60, "stream", **options)

    no_wrong_price(stage)

    sim.clear_faults()
    sim.burst(0)
    sim.set_price("KRW-BTC", "151000000")
    assert until(lambda: quote(stage).price == 151_000_000, 30)


def test_with_neither_stream_nor_answers_there_is_no_source_and_then_again_one(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    sim.fault("disconnect", 60, "stream")
    sim.fault("503", 60, "ticker")

    found = wait_for_source(stage, FeedSource.NONE)
    assert found.problem
    assert "503" in found.problem

    sim.clear_faults()
    wait_for_source(stage, FeedSource.STREAM)


def test_line_that_was_banned_is_not_tried_again_for_a_minute(stage: Flask, sim: Simulator) -> None:
    sim.fault("418", 0.2, "stream", seconds=0)
    feed = PriceFeed(stage, tempo=QUICK)
    feed.start()
    try:
        wait_for_source(stage, FeedSource.POLLING)
        sleep(1)
    finally:
        feed.stop()

    assert sim.requests["/websocket/v1"] == 1


def test_exchange_that_asks_for_quiet_gets_it(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    sim.fault("disconnect", 60, "stream")
    sim.fault("429", 60, "ticker")
    wait_for_source(stage, FeedSource.NONE)
    asked = sim.requests["/v1/ticker/all"]

    sleep(0.8)

    assert sim.requests["/v1/ticker/all"] - asked <= 1


def test_without_a_stream_prices_are_asked_for(make_app: MakeApp, stage: Flask) -> None:
    app = make_app(upbit_url="http://127.0.0.1:9")
    app.extensions["whaling_market"] = stage.extensions["whaling_market"]
    feed = PriceFeed(app, tempo=QUICK)
    feed.start()
    try:
        found = wait_for_source(app, FeedSource.POLLING)
    finally:
        feed.stop()

    assert found.problem == "no stream is set up"


def test_standby_holds_no_line_and_writes_nothing(stage: Flask, sim: Simulator) -> None:
    with stage.app_context():
        lease_goes_to("other")
    feed = PriceFeed(stage, tempo=QUICK)
    feed.start()

    sleep(0.5)
    feed.stop()

    assert "/websocket/v1" not in sim.requests
    assert state(stage) == FeedState(FeedSource.NONE)


def test_leader_that_loses_its_lease_hangs_up_and_writes_nothing_more(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    with stage.app_context():
        lease_goes_to("other")
    assert until(lambda: not any("recv_events" in one.name for one in threading.enumerate()))
    before = quote(stage).fetched_at

    sim.set_price("KRW-BTC", "151000000")
    sleep(1.5)

    assert quote(stage).fetched_at == before


def lease_goes_to(holder: str) -> None:
    now = utcnow()
    records.release_leases(holder=HOLDER)
    assert records.acquire_lease(name=NAME, holder=holder, now=now, keep=timedelta(minutes=9))


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "price-feed"]


def test_stopping_is_quick_leaves_no_thread_and_says_so(
    stage: Flask, sim: Simulator, feed: PriceFeed
) -> None:
    began = monotonic()

    feed.stop()

    assert monotonic() - began < 2
    assert threads() == []
    assert state(stage).source is FeedSource.NONE
    assert state(stage).problem == "the server was stopped"


def test_failure_of_our_own_is_logged_and_tried_again(
    stage: Flask,
    sim: Simulator,
    feed: PriceFeed,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was heard before the failure is written after it."""
    failing = threading.Event()
    store = unwritten.store_ticks

    def fail(**given: object) -> object:
        if failing.is_set():
            raise OSError("the disk is full")
        return store(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(unwritten, "store_ticks", fail)
    failing.set()
    sim.burst(0)
    sim.set_price("KRW-BTC", "151000000")
    assert until(lambda: "the disk is full" in caplog.text)

    failing.clear()

    assert shows(stage, Decimal(151_000_000))


def test_scheduler_starts_the_feed_and_stops_it(stage: Flask) -> None:
    jobs.start(stage)
    try:
        assert until(lambda: len(threads()) == 1)
        wait_for_source(stage, FeedSource.STREAM)
    finally:
        jobs.stop(stage)
        scheduler.remove_all_jobs()

    assert threads() == []


def test_left_out_ticks_are_logged_once_a_minute(
    stage: Flask, sim: Simulator, feed: PriceFeed, caplog: pytest.LogCaptureFixture
) -> None:
    sim.fault("zero", 60, "stream", all=True)
    assert until(lambda: "left_out ticks=" in caplog.text)

    sleep(0.5)

    assert caplog.text.count("left_out ticks=") == 1


def test_clock_is_the_one_that_was_given(stage: Flask, sim: Simulator) -> None:
    """Beside a simulator whose time runs away, its clock is asked and not ours."""
    began = datetime(2031, 5, 1, tzinfo=utcnow().tzinfo)
    with Simulator(markets=12, rate_limit=None, start=began) as later:
        stage.config["WHALING_UPBIT_WS_URL"] = later.ws_url
        later.burst(100)
        feed = PriceFeed(stage, clock=later.now, tempo=QUICK)
        feed.start()
        try:
            assert until(lambda: quote(stage).observed_at > began)
        finally:
            feed.stop()
