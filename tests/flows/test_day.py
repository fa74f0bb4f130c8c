"""A day at the exchange in under a minute, everything failing in turn; nothing is lost or late."""

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from time import monotonic, sleep

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.db import table_of, transaction
from app.domain.market import FeedSource
from app.domain.votes import VoteState
from app.exchanges.base import ExchangeError
from app.exchanges.http import HttpClient
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs import stream, unwritten
from app.jobs.guard import Steps
from app.jobs.lease import is_leader
from app.jobs.line import Tempo
from app.jobs.minute import run_minute
from app.jobs.stream import PriceFeed
from app.models import Coin, Quote, Vote
from app.services import market
from app.simulator import Simulator
from app.simulator.clock import VirtualClock
from app.simulator.stream import server
from app.simulator.ticks import from_units, tick, to_units
from tests import factories as make
from tests.conftest import MakeApp

START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 24 * 60
#: The minute job begins six seconds past the minute, and must be over before the next one does.
DUE = timedelta(seconds=6)
QUICK = Tempo(
    listen_s=0.005,
    write_s=0.05,
    poll_s=0.05,
    longest_poll_s=0.1,
    silence_s=0.2,
    first_retry_s=0.02,
    longest_retry_s=0.1,
    look_s=0.1,
)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at the exchange."""

    group: str | None
    mode: str
    options: dict[str, object] = field(default_factory=dict)


CALM = Fault(None, "")
STREAM_FAULTS = [
    Fault("stream", mode, options)
    for mode, options in (
        ("disconnect", {}), ("silent", {}), ("cut", {}), ("garbage", {}), ("empty", {}),
        ("huge", {"size": 2_000_000}), ("stale", {}), ("skew", {"seconds": 600}),
        ("skew", {"seconds": -600}), ("skew", {"seconds": -20}), ("nan", {"all": True}),
        ("zero", {"all": True}), ("negative", {"all": True}), ("wrong_type", {"all": True}),
        ("missing", {"all": True}), ("jump", {"factor": 10}),
        ("jump", {"factor": 0.1, "all": True}), ("unknown", {}), ("duplicate", {}),
        ("disorder", {}), ("error", {"name": "NO_TYPE"}), ("5xx", {}), ("html", {"status": 200}),
        ("429", {}),
    )
]  # fmt: skip
# A single coin that leaps for more than three minutes is believed, so it isn't among these.
REST_FAULTS = [
    Fault(None, "timeout"), Fault(None, "503"), Fault(None, "html", {"status": 503}),
    Fault(None, "cut"), Fault("ticker", "nan", {"all": True}),
    Fault("ticker", "jump", {"factor": 10, "all": True}),
    Fault("ticker", "stale"), Fault("ticker", "empty"), Fault("candles", "empty"),
    Fault("candles", "429"), Fault("market", "delist", {"code": "KRW-XRP"}),
    Fault("market", "list"),
]  # fmt: skip
#: A stream's fault, calm, a fault of all the rest, calm: so each comes at least once a day.
STREAM_MINUTES, REST_MINUTES, CALM_MINUTES = 30, 4, 8
WARM_UP = DAY // 4
CODES = ("BTC", "ETH", "XRP", "SOL")
VOTE_EVERY = 7
FLAT = 0.05

pytestmark = [pytest.mark.slow, pytest.mark.flow, pytest.mark.timeout(300)]


@dataclass
class Day:
    """A clock that jumps from minute to minute and runs as ours does in between."""

    app: Flask
    sim: Simulator
    minute: datetime = START
    late: timedelta = timedelta(0)
    traded_at: datetime = START - timedelta(days=1)
    sources: set[FeedSource] = field(default_factory=set)

    def now(self) -> datetime:
        """The moment at the exchange, which is ours as well."""
        return self.sim.now()

    def jump(self) -> None:
        """To the moment at which the next minute is due."""
        self.minute += MINUTE
        self.sim.clock = VirtualClock(self.minute + DUE, 1.0)

    def run_minute(self) -> None:
        """The job, its delay noted; a moment for the stream to tell what happened meanwhile."""
        with self.app.app_context():
            if self.minute.minute == 0:  # the lease is ours by the real clock, which goes slower
                assert is_leader(self.app)
            run_minute(Steps(now=self.now()))
            self.late = max(self.late, self.now() - self.minute - DUE)
            sleep(0.005)
            for remembered in (market.coins_now, market.price_age_now):
                remembered.forget()
            self.sources.add(market.feed_state(self.now()).source)

    def refresh(self) -> None:
        """Read the exchange's list now, as staff can."""
        with self.app.app_context(), suppress(ExchangeError):
            client = self.app.extensions["whaling_market"]
            market.refresh_listings(market=client, now=self.now())

    def open_votes(self) -> int:
        """How many votes aren't settled."""
        with self.app.app_context():
            is_open = select(func.count()).where(Vote.state != VoteState.TRACKED)
            return db.session.scalar(is_open) or 0


@pytest.fixture
def day(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Day]:
    caplog.set_level(logging.CRITICAL)  # a day of warnings, kept for the report, would be memory
    monkeypatch.setattr(server, "STEP_S", 0.02)
    monkeypatch.setattr(unwritten, "NOTE_EVERY_S", 0.05)
    monkeypatch.setattr(stream, "LOOK_FOR_LEASE_S", 0.1)
    with Simulator(start=START, speed=1, markets=12, rate_limit=None) as sim:
        app = make_app(upbit_url=sim.url, upbit_ws_url=sim.ws_url)
        day = Day(app, sim)
        http = HttpClient(
            sim.url, connect_timeout=1, read_timeout=0.3, total_timeout=0.4, max_bytes=10**6
        )
        pacer = Pacer(
            per_second=1000, clock=lambda: day.now().timestamp(), sleep=lambda s: sleep(min(s, 0.1))
        )
        app.extensions["whaling_market"] = Upbit(sim.url, None, pacer, http)
        yield day
        http.close()


def plant_votes(day: Day) -> list[int]:
    """Closed votes that fall due all through the day, a few coins in turn."""
    coins = {row.code: row for row in db.session.scalars(select(Coin))}
    asker = make.make_user("asker", is_staff=True)
    made = START - timedelta(days=1)
    rows = [
        {
            "id": number, "request_key": f"k{number}", "coin_id": coins[code].id,
            "creator_id": asker.id, "is_staff_vote": True, "direction": "up", "duration": "day",
            "range_pct": 1, "spent_point": 0, "earned_point": 30, "creation_cost": 0,
            "state": VoteState.FINISHED, "created_at": made, "created_price": Decimal(1000),
            "created_price_at": made, "finished_at": START, "yes_count": 0, "no_count": 0,
            "yes_whales": 0, "no_whales": 0, "updated_at": made, "attempts": 0,
            "tracked_at": START + number * VOTE_EVERY * MINUTE,
        }
        for number, code in zip(range(1, DAY // VOTE_EVERY), cycle(CODES), strict=False)
    ]  # fmt: skip
    with transaction() as session:
        session.execute(table_of(Vote).insert(), rows)
    return [int(str(row["id"])) for row in rows]


def resident() -> int:
    """Pages of memory in use."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1])


def spoil(day: Day, fault: Fault) -> Fault:
    """End what goes wrong, and let this do so."""
    day.sim.clear_faults()
    if fault is not CALM:
        day.sim.fault(fault.mode, 600, fault.group, **fault.options)
    return fault


def check_price(day: Day, code: str = "BTC") -> None:
    """What the board shows was paid when it says so, or a step less; it never goes back in time."""
    quote = db.session.scalar(select(Quote).join(Coin).where(Coin.code == code))
    assert quote is not None
    paid = day.sim.price(f"KRW-{code}", quote.traded_at)
    assert quote.price in {paid, paid + from_units(tick("KRW", to_units(paid)))}
    assert day.traded_at <= quote.traded_at
    assert quote.observed_at <= day.now()
    day.traded_at = quote.traded_at


def test_a_day_with_everything_failing_loses_nothing(day: Day) -> None:
    with day.app.app_context():
        day.run_minute()
        votes = plant_votes(day)
    feed = PriceFeed(day.app, clock=day.now, tempo=QUICK)
    feed.start()
    day.sim.burst(200)

    memory = live_through(day)
    day.sim.clear_faults()
    day.sim.burst(0)
    day.refresh()
    calm_until = day.minute + 5 * MINUTE  # trades of the burst are unknown to the snapshots
    while day.minute < calm_until or (day.open_votes() and day.minute < START + 2 * DAY * MINUTE):
        day.jump()
        day.run_minute()

    assert day.late < MINUTE
    assert day.sources == set(FeedSource)
    assert max(memory) <= memory[0] * (1 + FLAT)
    assert [thread.name for thread in threading.enumerate()].count("price-feed") == 1
    with day.app.app_context():
        check_votes(day, votes)
    assert shows_the_truth(day)
    feed.stop()
    assert not any("recv_events" in thread.name for thread in threading.enumerate())


def live_through(day: Day) -> list[int]:
    """The whole day; returns the memory in use after each minute once it has warmed up."""
    kinds = cycle([*["stream"] * STREAM_MINUTES, *[""] * CALM_MINUTES,
                   *["rest"] * REST_MINUTES, *[""] * CALM_MINUTES])  # fmt: skip
    which = {"stream": cycle(STREAM_FAULTS), "rest": cycle(REST_FAULTS), "": cycle([CALM])}
    doing, fault, memory = "", CALM, []
    for number, kind in zip(range(DAY), kinds, strict=False):
        day.jump()
        if kind != doing:
            doing, fault = kind, spoil(day, next(which[kind]))
            if not (kind == "rest" and fault.group is None):
                day.refresh()
        day.run_minute()
        if fault.mode != "skew":
            with day.app.app_context():
                check_price(day)
        if number >= WARM_UP:
            memory.append(resident())
    return memory


def check_votes(day: Day, votes: list[int]) -> None:
    """All are settled, none is void, and each by the last price before its time."""
    found = {
        row.id: row
        for row in db.session.execute(
            select(Vote.id, Coin.market, Vote.state, Vote.tracked_at, Vote.final_price).join(Coin)
        )
    }
    assert {row.state for row in found.values()} == {VoteState.TRACKED}
    assert sorted(found) == votes
    moment = timedelta(milliseconds=1)
    assert {row.id: row.final_price for row in found.values()} == {
        row.id: day.sim.price(row.market, row.tracked_at - moment) for row in found.values()
    }


def shows_the_truth(day: Day) -> bool:
    """Whether the board comes to show each coin's last price within a few seconds."""
    end = monotonic() + 10
    while monotonic() < end:
        with day.app.app_context():
            prices = select(Coin.market, Quote.price).join(Quote).where(Coin.is_active)
            shown = dict(db.session.execute(prices).all())
        wrong = {name for name, one in shown.items() if day.sim.price(name, day.now()) != one}
        if not wrong:
            break
        sleep(0.05)
    return not wrong
