"""Who may run a job, what each run left behind, and when the whole is called healthy."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.domain.market import FeedSource
from app.models import JobRun, User
from app.services import jobs, market, votes
from app.services.market import price_age_now
from tests import factories as make

NOW = make.NOW
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
STEP = timedelta(microseconds=1)


def acquire(holder: str, now: object = NOW) -> bool:
    return jobs.acquire_lease(name="scheduler", holder=holder, now=now, keep=MINUTE)  # type: ignore[arg-type]


def record(*, age: timedelta = timedelta(0), ok: bool = True, job: str = "minute") -> None:
    moment = NOW - age
    jobs.record_run(
        job=job, holder="h", started_at=moment, finished_at=moment, ok=ok, report={"at": moment}
    )


def health_now() -> jobs.Health:
    for remembered in (jobs.health_counts, jobs.last_runs, jobs.ledger_now, price_age_now):
        remembered.forget()
    return jobs.health(now=NOW)


def test_only_one_holds_the_lease(session: Session) -> None:
    assert acquire("one")
    assert not acquire("other")
    assert jobs.lease_holder(name="scheduler", now=NOW) == "one"


def test_holder_renews_its_lease(session: Session) -> None:
    acquire("one")

    assert acquire("one", NOW + 30 * SECOND)
    assert not acquire("other", NOW + MINUTE + 29 * SECOND)


def test_lease_is_taken_over_when_it_ran_out_and_not_before(session: Session) -> None:
    acquire("one")

    assert not acquire("other", NOW + MINUTE - STEP)
    assert acquire("other", NOW + MINUTE)
    assert not acquire("one", NOW + MINUTE)


def test_lease_that_ran_out_is_nobodys(session: Session) -> None:
    acquire("one")

    assert jobs.lease_holder(name="scheduler", now=NOW + MINUTE) is None


def test_released_lease_is_free_at_once(session: Session) -> None:
    acquire("one")

    jobs.release_leases(holder="other")
    assert not acquire("other")

    jobs.release_leases(holder="one")
    assert acquire("other")


def test_leases_of_different_names_do_not_meet(session: Session) -> None:
    acquire("one")

    assert jobs.acquire_lease(name="stream", holder="other", now=NOW, keep=MINUTE)


def test_last_run_is_the_latest_good_one(session: Session) -> None:
    record(age=2 * MINUTE)
    record(age=MINUTE, ok=False)
    record(job="listings")

    good, any_run = jobs.last_run(job="minute"), jobs.last_run(job="minute", only_ok=False)

    assert good is not None
    assert any_run is not None
    assert (good.started_at, any_run.started_at) == (NOW - 2 * MINUTE, NOW - MINUTE)
    assert jobs.last_run(job="nothing") is None


def test_records_are_kept_for_two_weeks(session: Session) -> None:
    record(age=timedelta(days=14))
    record(age=timedelta(days=14) + STEP)

    assert jobs.forget_old_runs(now=NOW) == 1
    assert session.scalar(select(func.count()).select_from(JobRun)) == 1


def test_health_before_the_first_run_is_not_good(session: Session) -> None:
    found = health_now()

    assert (found.ok, found.price_age_s, found.minute_job_age_s) == (False, None, None)
    assert (found.coins, found.ongoing, found.finished, found.tracked) == (0, 0, 0, 0)
    assert found.ledger_balanced


@pytest.mark.parametrize(
    ("price_age", "job_age", "ok"),
    [
        (timedelta(0), timedelta(0), True),
        (3 * MINUTE, 3 * MINUTE, True),
        (3 * MINUTE + SECOND, timedelta(0), False),
        (timedelta(0), 3 * MINUTE + SECOND, False),
    ],
)
def test_health_is_good_until_three_minutes(
    session: Session, price_age: timedelta, job_age: timedelta, ok: bool
) -> None:
    make.make_coin("BTC", observed_at=NOW - price_age)
    record(age=job_age)

    found = health_now()

    assert found.ok is ok
    assert (found.price_age_s, found.minute_job_age_s) == (
        price_age.total_seconds(),
        job_age.total_seconds(),
    )


def test_clock_that_was_set_back_makes_nothing_young(session: Session) -> None:
    hour_ahead = NOW + 60 * MINUTE
    make.make_coin("BTC", observed_at=hour_ahead)
    record(age=-60 * MINUTE)
    note = market.FeedNote(FeedSource.STREAM, since=NOW, heard_at=hour_ahead)
    market.store_ticks(ticks=(), note=note, now=NOW)

    found = health_now()

    assert not found.ok
    assert (found.price_age_s, found.minute_job_age_s, found.feed_age_s) == (None, None, None)
    assert found.price_source is FeedSource.NONE


def test_health_says_where_prices_come_from_and_how_long_ago(session: Session) -> None:
    assert (health_now().price_source, health_now().feed_age_s) == (FeedSource.NONE, None)

    note = market.FeedNote(FeedSource.POLLING, since=NOW, heard_at=NOW - 5 * SECOND)
    market.store_ticks(ticks=(), note=note, now=NOW)

    assert (health_now().price_source, health_now().feed_age_s) == (FeedSource.POLLING, 5.0)


def test_run_is_told_as_soon_as_it_is_written_down(session: Session) -> None:
    assert health_now().minute_job_age_s is None

    record()

    assert jobs.health(now=NOW).minute_job_age_s == 0


def test_failed_runs_do_not_make_the_job_young(session: Session) -> None:
    make.make_coin("BTC")
    record(age=10 * MINUTE)
    record(ok=False)

    found = health_now()

    assert (found.ok, found.minute_job_age_s) == (False, 600)


def test_health_counts_votes_and_active_coins(session: Session) -> None:
    rich = make.make_user(points=1000)
    make.make_coin("OLD", delisted_at=NOW)
    make.make_settled_vote(rich)
    make.make_closed_vote(rich)
    open_vote, void = make.make_vote(rich), make.make_vote(rich)
    votes.void_vote(vote_id=void.id, reason="test", now=NOW)

    found = health_now()

    assert make.is_state(open_vote, "ongoing")
    assert (found.ongoing, found.finished, found.tracked, found.coins) == (1, 1, 2, 1)


def test_health_tells_when_the_books_are_wrong(session: Session, alice: User) -> None:
    session.execute(text("UPDATE users SET points = points + 1"))
    session.commit()

    assert not health_now().ledger_balanced


def test_asking_for_health_often_counts_rarely(session: Session) -> None:
    record()
    first = health_now()
    make.make_coin("BTC")

    assert jobs.health(now=NOW).coins == first.coins == 0
    assert jobs.health(now=NOW + 5 * SECOND).coins == 1
