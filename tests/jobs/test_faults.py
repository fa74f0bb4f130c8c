"""Whatever the exchange does: no wrong price, no crash, an honest age; votes wait and settle."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.market import Candle
from app.domain.votes import VoteState
from app.exchanges.base import Unavailable
from app.extensions import db
from app.jobs.guard import Steps
from app.jobs.settling import Settlement
from app.models import User, Vote
from app.services import market
from app.services.market import find_coin
from app.services.points import audit
from tests import factories as make
from tests.jobs.conftest import CODE, START, Clockwork

MINUTE = timedelta(minutes=1)
CANDLES = "/v1/candles/minutes/1"
NO_ANSWER: list[tuple[str, dict[str, object]]] = [
    ("timeout", {}),
    ("slow", {"seconds": 3}),
    ("slow", {"dribble": True, "seconds": 3}),
    ("429", {}),
    ("418", {"seconds": 60}),
    ("5xx", {"status": 500}),
    ("503", {}),
    ("html", {"status": 200}),
    ("html", {"status": 503}),
    ("cut", {}),
    ("huge", {"size": 2_000_000}),
    ("huge", {"size": 2_000_000, "gzip": True}),
    ("empty", {}),
]
names = [f"{mode} {' '.join(map(str, options.values()))}".strip() for mode, options in NO_ANSWER]
no_answer = pytest.mark.parametrize(("mode", "options"), NO_ANSWER, ids=names)
SPOILT = ["missing", "nan", "zero", "negative", "wrong_type"]


def settled_truly(clockwork: Clockwork, vote: Vote) -> bool:
    found = make.reload(vote.id)
    return found.state is VoteState.TRACKED and found.final_price == clockwork.truth(found)


@no_answer
def test_prices_keep_their_value_and_age_while_nothing_usable_comes(
    clockwork: Clockwork, mode: str, options: dict[str, object]
) -> None:
    price = clockwork.quote().price
    clockwork.sim.fault(mode, 60, **options)

    steps = clockwork.at(START + 5 * MINUTE)

    assert "prices" in steps.report["failed"]
    assert (clockwork.quote().price, clockwork.quote().observed_at) == (price, START)
    assert market.price_age(clockwork.now).age_s == 300
    assert all(coin.is_active for coin in market.catalogue(clockwork.now))


@no_answer
def test_votes_wait_while_nothing_usable_comes_and_settle_afterwards(
    clockwork: Clockwork, asker: User, mode: str, options: dict[str, object]
) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault(mode, 60, **options)
    clockwork.after(vote)
    assert make.is_state(vote, "finished")
    assert make.reload(vote.id).attempts == 1
    assert make.reload(vote.id).last_problem

    clockwork.sim.fault("none")
    clockwork.restart()
    clockwork.after(vote, 5 * MINUTE)

    assert settled_truly(clockwork, vote)
    assert list(audit()) == []


@pytest.mark.parametrize("mode", SPOILT)
def test_spoilt_row_keeps_the_old_price_and_spoils_no_other(
    clockwork: Clockwork, mode: str
) -> None:
    price = clockwork.quote().price
    clockwork.sim.fault(mode, 60, "ticker", code=CODE)

    clockwork.at(START + MINUTE)

    assert (clockwork.quote().price, clockwork.quote().observed_at) == (price, START)
    assert clockwork.quote("ETH").observed_at == START + MINUTE
    assert clockwork.quote("ETH").price == clockwork.sim.price("KRW-ETH", START + MINUTE)


@pytest.mark.parametrize("mode", SPOILT)
def test_spoilt_market_list_delists_nothing(clockwork: Clockwork, mode: str) -> None:
    clockwork.sim.fault(mode, 60, "market", all=True)

    clockwork.at(START + 60 * MINUTE)

    active = [coin.code for coin in market.catalogue(clockwork.now) if coin.is_active]
    assert len(active) == 12


@pytest.mark.parametrize("mode", SPOILT)
def test_spoilt_candle_decides_nothing(clockwork: Clockwork, asker: User, mode: str) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault(mode, 60, "candles", code=CODE)
    clockwork.after(vote)
    assert make.is_state(vote, "finished")

    clockwork.sim.fault("none")
    clockwork.after(vote, 5 * MINUTE)

    assert settled_truly(clockwork, vote)


@pytest.mark.parametrize("factor", [10, 0.1])
def test_leap_in_one_coin_is_held_back(clockwork: Clockwork, factor: float) -> None:
    price = clockwork.quote().price
    clockwork.sim.fault("jump", 60, "ticker", code=CODE, factor=factor)

    steps = clockwork.at(START + MINUTE)

    assert steps.report["suspect"] == [CODE]
    assert (clockwork.quote().price, clockwork.quote().observed_at) == (price, START)


def test_leap_of_all_coins_is_never_believed(clockwork: Clockwork) -> None:
    price = clockwork.quote().price
    clockwork.sim.fault("jump", 60, "ticker", all=True)

    for minutes in range(1, 7):
        clockwork.at(START + minutes * MINUTE)

    assert (clockwork.quote().price, clockwork.quote().observed_at) == (price, START)


def test_no_vote_starts_from_a_leap(clockwork: Clockwork, asker: User) -> None:
    clockwork.sim.fault("jump", 60, "ticker", code=CODE)
    clockwork.at(START + MINUTE)

    with pytest.raises(Exception, match="price_not_fresh"):
        clockwork.ask(asker)


@pytest.mark.parametrize("factor", [10, 0.1])
def test_leap_in_a_candle_against_our_own_sample_decides_nothing(
    clockwork: Clockwork, asker: User, factor: float
) -> None:
    vote = clockwork.ask(asker)
    clockwork.at(vote.tracked_at - 30 * timedelta(seconds=1))
    clockwork.sim.fault("jump", 60, "candles", code=CODE, factor=factor)
    clockwork.after(vote)
    assert make.is_state(vote, "finished")
    assert "we saw" in (make.reload(vote.id).last_problem or "")

    clockwork.sim.fault("none")
    clockwork.after(vote, 5 * MINUTE)

    assert settled_truly(clockwork, vote)


def test_leap_in_a_candle_after_downtime_is_held_against_the_quote_of_the_day(
    clockwork: Clockwork, asker: User
) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault("jump", 60, "candles", code=CODE)

    clockwork.after(vote, timedelta(hours=5))

    assert make.is_state(vote, "finished")


def test_standing_exchange_shows_its_age(clockwork: Clockwork) -> None:
    clockwork.sim.fault("stale", 60, "ticker")

    clockwork.at(START + 10 * MINUTE)

    assert clockwork.quote().observed_at <= START
    assert (market.price_age(clockwork.now).age_s or 0) >= 600


@pytest.mark.parametrize("group", ["candles", None])
def test_standing_exchange_decides_nothing(
    clockwork: Clockwork, asker: User, group: str | None
) -> None:
    vote = clockwork.ask(asker)
    clockwork.at(vote.tracked_at - 10 * MINUTE)
    clockwork.sim.fault("stale", 60, group)
    for minutes in range(9, -1, -1):
        clockwork.at(vote.tracked_at - minutes * MINUTE)
    clockwork.after(vote)
    assert make.is_state(vote, "finished")

    clockwork.sim.fault("none")
    clockwork.after(vote, 10 * MINUTE)

    assert settled_truly(clockwork, vote)


def test_votes_close_on_time_without_prices(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault("5xx", 60)

    clockwork.at(vote.finished_at)

    assert make.is_state(vote, "finished")


def test_votes_settle_while_tickers_fail(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault("5xx", 60, "ticker")

    clockwork.after(vote)

    assert settled_truly(clockwork, vote)


def test_vote_without_candle_is_void_after_72_hours(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)
    make.answer(asker, vote, now=clockwork.now)
    clockwork.sim.fault("empty", 60, "candles")
    end = timedelta(hours=72)

    clockwork.after(vote, end - timedelta(minutes=2))
    assert make.is_state(vote, "finished")
    clockwork.after(vote, end)

    found = make.reload(vote.id)
    assert (found.state, found.void_reason) == (VoteState.VOID, "no_candle")
    assert make.balance(asker) == 1000
    assert list(audit()) == []


def test_restart_after_four_days_gives_an_unreachable_exchange_time(
    clockwork: Clockwork, asker: User
) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault("5xx", 60)
    for minutes in range(5):
        clockwork.after(vote, timedelta(days=4, minutes=minutes))
    assert make.is_state(vote, "finished")

    clockwork.sim.fault("none")
    clockwork.after(vote, timedelta(days=4, minutes=9))

    assert settled_truly(clockwork, vote)


def test_exchange_unreachable_for_good_ends_in_a_void(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)
    clockwork.sim.fault("5xx", 60)

    for minutes in range(11):
        clockwork.after(vote, timedelta(days=4, minutes=minutes))

    assert make.is_state(vote, "void")
    assert make.balance(asker) == 1000


def test_failing_exchange_is_left_alone_after_three_calls(
    clockwork: Clockwork, asker: User
) -> None:
    made = [clockwork.ask(asker, coin=coin) for coin in ("BTC", "ETH", "XRP", "SOL", "ADA")]
    clockwork.sim.fault("5xx", 60, "candles")
    clockwork.sim.requests.clear()

    clockwork.after(made[0])

    assert clockwork.sim.requests[CANDLES] == 3


def test_three_failed_calls_count_only_in_a_row(clockwork: Clockwork, asker: User) -> None:
    made = [clockwork.ask(asker, coin=coin) for coin in ("BTC", "ETH", "XRP", "SOL", "ADA")]
    clockwork.at(made[0].finished_at)
    exchange = Patchy()

    Settlement(exchange, Steps(now=made[0].tracked_at + MINUTE)).run()  # type: ignore[arg-type]

    assert exchange.calls == 5


class Patchy:
    """An exchange that answers every third question."""

    source, calls = "upbit", 0

    def candle_before(self, market: str, moment: datetime) -> Candle:
        self.calls += 1
        if self.calls % 3:
            raise Unavailable("down")
        return make.make_candle("1", opened_at=moment - MINUTE, market=market)


@pytest.mark.parametrize(("gone_on_to", "state"), [(0, "tracked"), (5, "finished")])
def test_candle_before_a_gap_decides_once_the_exchange_shows_a_later_one(
    clockwork: Clockwork, asker: User, gone_on_to: int, state: str
) -> None:
    vote = clockwork.ask(asker)
    clockwork.at(vote.finished_at)
    due = vote.tracked_at
    exchange = Gap(before=due - 9 * MINUTE, after=due + gone_on_to * MINUTE)

    Settlement(exchange, Steps(now=due + MINUTE)).run()  # type: ignore[arg-type]

    assert make.is_state(vote, state)


@dataclass
class Gap:
    """An exchange on which nothing was traded between two candles."""

    before: datetime
    after: datetime
    source: str = "upbit"

    def candle_before(self, market: str, moment: datetime) -> Candle:
        opened_at = self.after if self.after < moment else self.before
        coin = find_coin(market.removeprefix("KRW-"), START)
        return make.make_candle(str(coin and coin.price), opened_at=opened_at, market=market)


def test_exchange_that_asks_for_quiet_is_left_alone_at_once(
    clockwork: Clockwork, asker: User
) -> None:
    made = [clockwork.ask(asker, coin=coin) for coin in ("BTC", "ETH", "XRP")]
    clockwork.sim.fault("429", 60, "candles")
    clockwork.sim.requests.clear()

    clockwork.after(made[0])

    assert clockwork.sim.requests[CANDLES] == 1


def test_first_start_without_exchange_invents_nothing(clockwork: Clockwork) -> None:
    db.session.rollback()
    clockwork.sim.fault("5xx", 60)
    assert market.catalogue(START + timedelta(days=2)) != []

    steps = clockwork.at(START + timedelta(days=2))

    assert set(steps.report["failed"]) == {"listings", "prices"}
    assert clockwork.quote().observed_at == START
    assert clockwork.quote().price > Decimal(0)
