"""Candles fill by themselves: never twice, whatever fails, and always behind the minute."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.clock import monotonic, utcnow
from app.domain.market import CandleUnit
from app.exchanges.base import RateLimited, Rejected, Unavailable, UnknownMarket
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs.candles import FILLING_JOB, CandleKeeper, Filling, due_targets
from app.jobs.guard import Steps
from app.jobs.lease import take
from app.models import Coin, StoredCandle
from app.services import jobs as records
from app.services import market
from app.services.market import candle_targets
from app.simulator import Simulator
from tests import factories as make
from tests.fakes import FakeMarket
from tests.jobs.conftest import START, Clockwork

DAY, HOUR, MINUTE = CandleUnit.DAY, CandleUnit.HOUR, CandleUnit.MINUTE
MARKETS = 2


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(start=START, speed=0, markets=MARKETS, rate_limit=None) as exchange:
        yield exchange


@pytest.fixture
def clockwork(clockwork: Clockwork) -> Clockwork:
    """With an exchange that may take its time over long answers."""
    exchange = Upbit(clockwork.sim.url, pacer=Pacer(per_second=1e6))
    clockwork.app.extensions["whaling_market"] = exchange
    return clockwork


def fill(clockwork: Clockwork, **options: object) -> Filling:
    """One pass over all that is due at the clockwork's moment."""
    exchange = clockwork.app.extensions["whaling_market"]
    filling = Filling(exchange, Steps(now=clockwork.now), **options)  # type: ignore[arg-type]
    filling.run(due_targets(clockwork.now))
    return filling


def asked(sim: Simulator) -> dict[str, int]:
    """How often the exchange was asked for candles, by place."""
    return {path: number for path, number in sim.requests.items() if "candles" in path}


def held(unit: CandleUnit = DAY, *, code: str | None = None) -> int:
    """How many candles are stored, of one coin or all."""
    db.session.rollback()
    rows = select(func.count()).select_from(StoredCandle).where(StoredCandle.unit == unit)
    if code:
        rows = rows.join(Coin, Coin.id == StoredCandle.coin_id).where(Coin.code == code)
    return db.session.scalar(rows) or 0


def test_year_of_days_and_a_week_of_hours_come_for_every_coin(clockwork: Clockwork) -> None:
    filling = fill(clockwork)

    assert filling.is_over is True
    assert asked(clockwork.sim) == {
        "/v1/candles/days": 2 * MARKETS,
        "/v1/candles/minutes/60": MARKETS,
    }
    assert held() == 400 * MARKETS
    assert all(target.ask is None for target in candle_targets(now=clockwork.now))


def test_nothing_that_is_known_is_asked_for_again(clockwork: Clockwork) -> None:
    fill(clockwork)
    before = asked(clockwork.sim)

    assert fill(clockwork).calls == 0
    assert asked(clockwork.sim) == before


def test_what_is_stored_is_what_the_exchange_says(clockwork: Clockwork) -> None:
    fill(clockwork)
    coin = market.get_coin("BTC")
    assert coin is not None
    exchange = Upbit(clockwork.sim.url, pacer=Pacer(per_second=1e6))
    today = START.replace(hour=0, minute=0, second=0)

    told = exchange.candles("KRW-BTC", DAY, until=today, count=200)

    found = market.candle_series(coin_id=coin.id, frame=DAY, until=START, count=200)
    assert found == told[::-1]
    assert found[-1].opened_at == today - timedelta(days=1)


def test_idle_coins_have_gaps_and_these_are_known(clockwork: Clockwork) -> None:
    fill(clockwork)

    assert 0 < held(HOUR) < 8 * 24 * MARKETS + 200
    assert fill(clockwork).calls == 0


def test_days_that_went_by_cost_one_call_for_each_coin(clockwork: Clockwork) -> None:
    fill(clockwork)
    before = asked(clockwork.sim)
    clockwork.at(START + timedelta(days=3))

    fill(clockwork)

    after = asked(clockwork.sim)
    assert {path: after[path] - before[path] for path in before} == dict.fromkeys(before, MARKETS)
    assert fill(clockwork).calls == 0


def test_one_bad_coin_stops_no_other(clockwork: Clockwork) -> None:
    clockwork.sim.delist("KRW-ETH")  # our list still has it

    filling = fill(clockwork)

    assert filling.is_over is True
    assert filling.pushed_back == 2
    assert held() == 400 * (MARKETS - 1)
    assert {one.code for one in market.fill_progress(START).failing} == {"ETH"}
    assert fill(clockwork).calls == 0  # not before its time


def test_coin_that_failed_is_tried_again_when_its_time_has_come(clockwork: Clockwork) -> None:
    clockwork.sim.delist("KRW-ETH")
    fill(clockwork)
    clockwork.sim.list_market("KRW-ETH")
    clockwork.now += timedelta(minutes=2)

    assert fill(clockwork).pushed_back == 0
    assert held() == 400 * MARKETS
    assert market.fill_progress(clockwork.now).failing == ()


def test_delisted_coin_is_left_alone(clockwork: Clockwork) -> None:
    clockwork.sim.delist("KRW-ETH")
    clockwork.at(START + timedelta(hours=2))

    fill(clockwork)

    assert held() == 400 * (MARKETS - 1)


@pytest.mark.parametrize("mode", ["5xx", "html", "cut", "empty", "nan", "negative", "zero"])
def test_exchange_that_fails_or_lies_leaves_nothing_wrong_behind(
    clockwork: Clockwork, mode: str
) -> None:
    clockwork.sim.fault(mode, 60, group="candles")
    assert fill(clockwork).pushed_back > 0
    assert held(code="BTC") == 0

    clockwork.sim.clear_faults()
    clockwork.now += timedelta(minutes=2)
    fill(clockwork)

    assert held() == 400 * MARKETS


def test_exchange_without_an_answer_is_asked_three_times_and_left_alone(
    clockwork: Clockwork,
) -> None:
    clockwork.sim.fault("5xx", 60, group="candles")

    filling = fill(clockwork)

    assert (filling.calls, filling.pushed_back, filling.is_refused) == (3, 3, True)


@pytest.mark.parametrize(
    ("error", "calls", "pushed_back"),
    [
        (RateLimited("slow down", 1), 1, 0),
        (Unavailable("no answer"), 3, 3),
        (Rejected("a fault of ours"), 2 * MARKETS, 2 * MARKETS),
        (UnknownMarket("who?"), 2 * MARKETS, 2 * MARKETS),
        (ValueError("a bug"), 2 * MARKETS, 2 * MARKETS),
    ],
)
def test_who_is_to_blame_decides_who_has_to_wait(
    clockwork: Clockwork, error: Exception, calls: int, pushed_back: int
) -> None:
    fake = FakeMarket()
    fake.fails = error
    clockwork.app.extensions["whaling_market"] = fake

    filling = fill(clockwork)

    assert (filling.calls, filling.pushed_back) == (calls, pushed_back)
    assert filling.steps.ok is False


def test_pass_that_is_interrupted_goes_on_where_it_ended(clockwork: Clockwork) -> None:
    allowed = iter([True] * 5)

    first = fill(clockwork, may_go_on=lambda: next(allowed, False))
    assert (first.calls, first.is_over, first.pushed_back) == (5, False, 0)
    fill(clockwork)

    assert sum(asked(clockwork.sim).values()) == 3 * MARKETS


def test_calls_that_overlap_are_never_about_the_same_candles(clockwork: Clockwork) -> None:
    filling = fill(clockwork, lanes=3)

    assert (filling.is_over, filling.pushed_back) == (True, 0)
    assert sum(asked(clockwork.sim).values()) == filling.calls == 3 * MARKETS
    assert held() == 400 * MARKETS


def test_each_call_is_told(clockwork: Clockwork) -> None:
    told: list[int] = []
    left = market.fill_progress(START).calls_left

    fill(clockwork, progress=told.append)

    assert sum(told) == left == 3 * MARKETS


@pytest.fixture
def keeper(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> CandleKeeper:
    """The keeper of a leader, without its pauses."""
    monkeypatch.setattr("app.jobs.candles.PAUSE_S", 0)
    monkeypatch.setattr("app.jobs.candles.PASS_S", 60)
    clockwork.app.extensions["whaling_scheduler"] = "leader"
    return CandleKeeper(clockwork.app)


def look(keeper: CandleKeeper, now: datetime = START) -> float:
    return keeper.work(Steps(now=now))


def test_leader_fills_what_is_due_and_writes_down_how_fast(keeper: CandleKeeper) -> None:
    assert look(keeper) == 1

    run = records.last_run(job=FILLING_JOB)
    assert run is not None
    assert '"calls": 6' in run.report
    assert held() == 400 * MARKETS


def test_others_fill_nothing(clockwork: Clockwork, keeper: CandleKeeper) -> None:
    clockwork.app.extensions["whaling_scheduler"] = "standby"

    look(keeper)

    assert asked(clockwork.sim) == {}


@pytest.mark.parametrize("second", [5, 9])
def test_while_the_minute_runs_nothing_is_filled(
    clockwork: Clockwork, keeper: CandleKeeper, second: int
) -> None:
    assert look(keeper, START.replace(second=second)) == 10 - second
    assert asked(clockwork.sim) == {}


def test_two_never_fill_at_once(
    clockwork: Clockwork, keeper: CandleKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.lease.HOLDER", "elsewhere:1:abc")
        take(FILLING_JOB, timedelta(minutes=1))

    look(keeper)

    assert asked(clockwork.sim) == {}


def test_killed_filler_of_this_machine_is_followed_at_once(
    clockwork: Clockwork, keeper: CandleKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.acquire_lease(
        name=FILLING_JOB,
        holder="elsewhere:1:abc",
        now=utcnow(),
        keep=timedelta(minutes=1),
    )
    monkeypatch.setattr("app.jobs.lease.is_dead", lambda _holder: True)

    look(keeper)

    assert held() == 400 * MARKETS


def test_what_is_looked_at_is_filled_within_a_moment(
    clockwork: Clockwork, keeper: CandleKeeper
) -> None:
    look(keeper)
    coin = market.get_coin("BTC")
    assert coin is not None
    market.want_candles(coin_id=coin.id, unit=MINUTE, now=START)

    look(keeper)

    assert asked(clockwork.sim)["/v1/candles/minutes/1"] == 8
    found = market.candle_series(coin_id=coin.id, frame=1, until=START, count=1)
    assert found[0].opened_at == START.replace(second=0) - timedelta(minutes=1)


def test_between_rounds_only_what_is_looked_at_is_filled(
    clockwork: Clockwork, keeper: CandleKeeper
) -> None:
    look(keeper)
    before = asked(clockwork.sim)

    clockwork.at(START + timedelta(days=1))
    look(keeper, clockwork.now)

    assert asked(clockwork.sim) == before


def test_exchange_that_refuses_is_left_alone_for_a_while(
    clockwork: Clockwork, keeper: CandleKeeper
) -> None:
    clockwork.sim.fault("5xx", 60, group="candles")

    assert look(keeper) == 30


def test_pass_ends_in_time_for_a_new_look(
    clockwork: Clockwork, keeper: CandleKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.candles.PASS_S", 0)

    assert look(keeper) == 0
    assert asked(clockwork.sim) == {}


def test_votes_that_wait_are_asked_for_before_candles_are_filled() -> None:
    now = utcnow()
    with Simulator(rate_limit=10, markets=3) as sim:
        exchange = Upbit(sim.url)
        exchange.candle_before("KRW-BTC", now)
        told: list[str] = []

        def fill() -> None:
            for _ in range(3):
                exchange.candles("KRW-BTC", DAY, until=now, count=10)
                told.append("fill")

        filler = threading.Thread(target=fill)
        filler.start()
        for _ in range(8):
            exchange.candle_before("KRW-BTC", now)
            told.append("settle")
        filler.join()

    assert told == ["settle"] * 8 + ["fill"] * 3


def test_thread_fills_while_it_leads_and_stops_when_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.candles.MINUTE_RUNS", range(0))
    with Simulator(markets=2, rate_limit=None) as sim:
        app.extensions["whaling_market"] = Upbit(sim.url, pacer=Pacer(per_second=1e6))
        with app.app_context():
            market.refresh_listings(market=app.extensions["whaling_market"], now=utcnow())
        app.extensions["whaling_scheduler"] = "leader"
        keeper = CandleKeeper(app)

        keeper.start()
        deadline = monotonic() + 20
        while not _is_full(app) and monotonic() < deadline:
            time.sleep(0.05)
        began = monotonic()
        keeper.stop()

    assert _is_full(app)
    assert monotonic() - began < 2


def _is_full(app: Flask) -> bool:
    with app.app_context():
        return all(target.ask is None for target in candle_targets(now=utcnow()))


def test_thread_outlives_whatever_goes_wrong(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def fail(_self: CandleKeeper, _steps: Steps) -> float:
        looks.append(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr(CandleKeeper, "work", fail)
    monkeypatch.setattr("app.jobs.candles.REST_S", 0.01)
    keeper = CandleKeeper(app)

    keeper.start()
    time.sleep(0.3)
    keeper.stop()

    assert len(looks) > 2


def test_housekeeping_lets_old_minutes_go(clockwork: Clockwork) -> None:
    coin = market.get_coin("BTC")
    assert coin is not None
    old = START - timedelta(days=9)
    make.make_candles(coin, "1", "2", unit=MINUTE, until=old)

    assert clockwork.keep_house().report["candles_dropped"] == 2
