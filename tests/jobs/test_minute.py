"""The minute, whole, against the simulated exchange: prices in, votes closed and settled."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from app.db import transaction
from app.domain.market import CandleUnit
from app.domain.votes import VoteState
from app.extensions import db
from app.jobs.guard import Steps
from app.jobs.settling import MAX_SECONDS, Settlement
from app.models import ClientSession, Coin, KeptAnswer, LedgerEntry, User, Vote
from app.services import jobs as records
from app.services import market, votes
from app.services.points import audit
from app.services.votes import settling
from app.simulator.clock import VirtualClock
from app.wiring import market as exchange
from tests import factories as make
from tests.jobs.conftest import CODE, START, Clockwork

MINUTE = timedelta(minutes=1)
CANDLES = "/v1/candles/minutes/1"


def everything() -> dict[str, list[Any]]:
    """All rows of all tables but the record of runs."""
    db.session.rollback()
    tables = ("coins", "quotes", "price_samples", "users", "votes", "ballots", "ledger_entries")
    return {t: list(db.session.execute(text(f"SELECT * FROM {t}"))) for t in tables}  # noqa: S608


def test_first_run_brings_every_coin_with_its_exact_price(clockwork: Clockwork) -> None:
    stored = {coin.code: coin.price for coin in market.catalogue(START)}

    listed = [code for code in clockwork.sim.codes() if code.startswith("KRW-")]
    assert stored == {c.removeprefix("KRW-"): clockwork.sim.price(c, START) for c in listed}


def test_vote_closes_and_settles_by_its_candle(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker, range_pct=1)
    make.answer(asker, vote, "yes", now=clockwork.now)

    closed = clockwork.at(vote.finished_at).report["closed"]
    steps = clockwork.after(make.reload(vote.id))

    found = make.reload(vote.id)
    assert (closed, steps.report["settle"]["settled"]) == (1, 1)
    assert found.final_price == clockwork.truth(found)
    assert found.candle_opened_at == found.tracked_at - MINUTE
    assert found.quote_source == "upbit"
    assert f'"{found.candle_opened_at:%Y-%m-%dT%H:%M}:00"' in (found.raw_quote or "")
    assert list(audit()) == []


def test_vote_is_not_settled_before_its_candle_is_final(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)

    clockwork.after(vote, timedelta(seconds=4))
    assert make.is_state(vote, "finished")

    clockwork.after(vote, timedelta(seconds=5))
    assert make.is_state(vote, "tracked")


def test_late_run_settles_as_a_punctual_one_would(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)

    clockwork.after(vote, timedelta(days=10))

    found = make.reload(vote.id)
    assert found.final_price == clockwork.truth(found)
    assert found.final_price != clockwork.quote().price


def test_days_of_downtime_catch_up_in_one_run(clockwork: Clockwork, asker: User) -> None:
    made = []
    for hours in range(0, 24, 4):
        clockwork.at(START + timedelta(hours=hours))
        made.append(clockwork.ask(asker).id)

    steps = clockwork.at(START + timedelta(days=6))

    assert steps.report["settle"]["settled"] == len(made) == 6
    for vote in map(make.reload, made):
        assert (vote.state, vote.final_price) == (VoteState.TRACKED, clockwork.truth(vote))
    assert list(audit()) == []


def test_running_twice_changes_nothing(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)
    make.answer(asker, vote, now=clockwork.now)
    clockwork.after(vote)
    before = everything()

    clockwork.at(clockwork.now)

    assert everything() == before


def test_one_candle_serves_all_votes_of_a_coin_and_minute(
    clockwork: Clockwork, asker: User
) -> None:
    made = [clockwork.ask(asker, range_pct=n) for n in (1, 2, 3)]
    other = clockwork.ask(asker, coin="ETH")
    clockwork.sim.requests.clear()

    clockwork.after(other)

    assert clockwork.sim.requests[CANDLES] == 2
    assert all(make.is_state(vote, "tracked") for vote in (*made, other))
    # One transaction, so one moment.
    assert len({make.reload(vote.id).settled_at for vote in made}) == 1


def test_new_market_appears_within_five_minutes(clockwork: Clockwork) -> None:
    clockwork.sim.list_market("KRW-NEW", korean_name="새코인", price=100)

    clockwork.at(START + 4 * MINUTE)
    assert market.get_coin("NEW") is None

    clockwork.at(START + 5 * MINUTE)
    assert clockwork.quote("NEW").price == Decimal(100)


def test_list_is_read_hourly(clockwork: Clockwork) -> None:
    for minutes in (1, 30, 59):
        clockwork.at(START + minutes * MINUTE)
    assert clockwork.sim.requests["/v1/market/all"] == 1

    clockwork.at(START + 60 * MINUTE)
    assert clockwork.sim.requests["/v1/market/all"] == 2


def test_delisted_coin_takes_no_votes_and_its_votes_go_back(
    clockwork: Clockwork, asker: User
) -> None:
    vote = clockwork.ask(asker)
    make.answer(asker, vote, now=clockwork.now)
    clockwork.sim.delist(CODE)
    clockwork.at(START + timedelta(hours=1))

    with pytest.raises(Exception, match="coin_inactive"):
        clockwork.ask(asker)
    clockwork.after(vote)

    found = make.reload(vote.id)
    assert (found.state, found.void_reason) == (VoteState.VOID, "market_gone")
    assert make.balance(asker) == 1000
    assert list(audit()) == []


def test_market_gone_for_less_than_an_hour_voids_nothing(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)
    clockwork.at(vote.tracked_at - 30 * MINUTE)
    clockwork.sim.delist(CODE)

    clockwork.after(vote)
    assert make.is_state(vote, "finished")

    clockwork.sim.list_market(CODE)
    clockwork.after(vote, 2 * MINUTE)
    assert make.is_state(vote, "tracked")


def test_vote_that_raises_is_pushed_back_and_the_others_settle(
    clockwork: Clockwork, asker: User
) -> None:
    made = [clockwork.ask(asker, range_pct=n) for n in (1, 2, 3)]
    for vote in made:
        for choice in ("yes", "no"):
            make.answer(make.make_user(), vote, choice, now=clockwork.now)
    broken = made[1].id
    # Rewards that are there already: whoever is right, the payment meets the unique key.
    for row in db.session.execute(
        select(LedgerEntry.user_id).where(LedgerEntry.vote_id == broken)
    ).all():
        db.session.add(
            LedgerEntry(
                user_id=row.user_id,
                vote_id=broken,
                reason="reward",
                amount=20,
                created_at=START,
            )
        )
    db.session.commit()

    steps = clockwork.after(made[0])

    states = [str(make.reload(vote.id).state) for vote in made]
    assert states == ["tracked", "finished", "tracked"]
    assert not steps.ok
    assert steps.report["settle"] == {"settled": 2, "voided": 0, "pushed_back": 1}
    found = make.reload(broken)
    assert found.attempts == 1
    assert "IntegrityError" in (found.last_problem or "")
    assert votes.due_groups(now=clockwork.now) == []


def test_settling_gives_way_when_the_minute_runs_out(clockwork: Clockwork, asker: User) -> None:
    made = [clockwork.ask(asker, coin=coin) for coin in ("BTC", "ETH", "XRP")]
    clockwork.at(made[0].finished_at)
    clockwork.now = made[0].tracked_at + MINUTE
    handled: list[int] = []

    class Slow(Steps):
        def elapsed_s(self) -> float:
            return len(handled) * (MAX_SECONDS + 1)

    Settlement(exchange(), Slow(now=clockwork.now), progress=handled.append).run()

    assert handled == [1]
    assert len(votes.due_groups(now=clockwork.now)) == 2


def test_evidence_says_when_it_was_fetched_not_when_the_run_began(
    clockwork: Clockwork, asker: User
) -> None:
    vote = clockwork.ask(asker)
    clockwork.at(vote.finished_at)
    now = vote.tracked_at + MINUTE
    clockwork.sim.clock = VirtualClock(now, 0.0)

    class Late(Steps):
        def elapsed_s(self) -> float:
            return 7.0

    Settlement(exchange(), Late(now=now)).run()

    assert make.reload(vote.id).quote_fetched_at == now + timedelta(seconds=7)


def test_settling_gives_way_between_two_transactions_of_a_group(
    clockwork: Clockwork, asker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "ANSWERS_AT_ONCE", 1)
    made = [clockwork.ask(asker, range_pct=n) for n in (1, 2, 3)]
    clockwork.at(made[0].finished_at)
    now = made[0].tracked_at + MINUTE
    clockwork.sim.clock = VirtualClock(now, 0.0)

    class Slow(Steps):
        def elapsed_s(self) -> float:
            return settlement.settled * (MAX_SECONDS + 1)

    settlement = Settlement(exchange(), Slow(now=now))
    settlement.run()

    assert [str(make.reload(vote.id).state) for vote in made] == ["tracked", "finished", "finished"]
    assert make.reload(made[1].id).attempts == 0


def test_housekeeping_thins_and_proves_and_repeats(clockwork: Clockwork) -> None:
    for minutes in range(1, 12):
        clockwork.at(START + minutes * MINUTE)
    clockwork.at(START + timedelta(days=15))

    report = clockwork.keep_house().report

    coins = db.session.scalar(select(func.count()).select_from(Coin)) or 0
    assert report["samples_dropped"] == coins * 10
    assert report["records_dropped"] == 1
    assert report["ledger_balanced"] is True
    assert clockwork.keep_house().report["samples_dropped"] == 0


def test_housekeeping_drops_what_nobody_needs_any_more(clockwork: Clockwork, asker: User) -> None:
    month_ago = START - timedelta(days=30)
    times = {"created_at": month_ago, "last_seen_at": month_ago, "expires_at": month_ago}
    with transaction() as session:
        session.add(ClientSession(user_id=asker.id, epoch=0, device="", refresh_id="", **times))
        session.add(
            KeptAnswer(
                user_id=asker.id, key="k", fingerprint="", status=201, body="", created_at=month_ago
            )
        )
    coin = market.get_coin("BTC")
    assert coin is not None
    make.make_candles(coin, "100", unit=CandleUnit.MINUTE, until=month_ago)

    report = clockwork.keep_house().report

    dropped = ("sessions_dropped", "answers_dropped", "candles_dropped")
    assert [report[what] for what in dropped] == [1, 1, 1]
    assert "failed" not in report


def test_housekeeping_says_when_the_books_are_wrong(clockwork: Clockwork, asker: User) -> None:
    with transaction() as session:
        session.execute(update(User).values(points=User.points + 1))
    records.ledger_now.forget()

    assert clockwork.keep_house().report["ledger_balanced"] is False


def test_every_due_vote_is_settled_or_waits(clockwork: Clockwork, asker: User) -> None:
    vote = clockwork.ask(asker)

    clockwork.after(vote)

    due = select(func.count()).where(
        Vote.tracked_at < clockwork.now, Vote.state == VoteState.ONGOING
    )
    assert db.session.scalar(due) == 0


def _rested(clockwork: Clockwork, moment: datetime) -> str:
    """A coin without a trade in the minute before a moment."""
    for market_ in clockwork.sim.codes():
        candle = exchange().candle_before(market_, moment) if market_.startswith("KRW-") else None
        if candle is not None and candle.opened_at < moment - MINUTE:
            return market_
    pytest.fail("every coin was traded in that minute")


@pytest.mark.parametrize("fault", [None, "ticker"])
def test_coin_that_rested_settles_by_its_last_candle(
    clockwork: Clockwork, asker: User, fault: str | None
) -> None:
    due = START.replace(second=0) + timedelta(days=1)
    clockwork.sim.clock = VirtualClock(due + timedelta(hours=1), 0.0)
    code = _rested(clockwork, due)
    clockwork.at(START)
    vote = clockwork.ask(asker, coin=code.removeprefix("KRW-"))
    if fault:
        clockwork.sim.fault("5xx", 60, fault)

    # Without tickers it takes a later candle to know that the exchange has gone on.
    clockwork.after(vote, timedelta(minutes=30) if fault else timedelta(seconds=10))

    found = make.reload(vote.id)
    assert (found.state, found.final_price) == (VoteState.TRACKED, clockwork.truth(found, code))
    assert found.tracked_at - MINUTE > (found.candle_opened_at or START)
