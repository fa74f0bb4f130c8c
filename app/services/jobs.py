"""Who may run a job, what each run did, and whether the whole is healthy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select

from app.db import Remembered, table_of, transaction, upsert
from app.domain.market import STALE_AFTER, FeedSource, age_s
from app.extensions import db
from app.models import Coin, JobRun, Lease, Vote
from app.services.market import feed_state, price_age
from app.services.points import audit

KEEP_RUNS = timedelta(days=14)
MINUTE_JOB = "minute"


@dataclass(frozen=True, slots=True)
class Health:
    """The figures of `GET /health`, as fixed in the design, and where prices come from."""

    ok: bool
    coins: int
    price_age_s: float | None
    price_source: FeedSource
    feed_age_s: float | None
    minute_job_age_s: float | None
    ongoing: int
    finished: int
    tracked: int
    ledger_balanced: bool


def acquire_lease(*, name: str, holder: str, now: datetime, keep: timedelta) -> bool:
    """Take or renew the lease: compare-and-set in one statement, so that only one holds it.

    A lease of somebody else is taken over only after it ran out.
    """
    with transaction() as session:
        statement = upsert(table_of(Lease))
        taken = session.execute(
            statement.on_conflict_do_update(
                index_elements=["name"],
                set_={
                    "holder": statement.excluded.holder,
                    "expires_at": statement.excluded.expires_at,
                },
                where=or_(Lease.holder == holder, Lease.expires_at <= now),
            ),
            {"name": name, "holder": holder, "expires_at": now + keep},
        )
        return bool(taken.rowcount == 1)  # type: ignore[attr-defined]


def release_leases(*, holder: str) -> None:
    """Let go of all leases of this holder, so that the next one needn't wait."""
    with transaction() as session:
        session.execute(delete(Lease).where(Lease.holder == holder))


def lease_holder(*, name: str, now: datetime) -> str | None:
    """Who holds the lease now, or None."""
    return db.session.scalar(select(Lease.holder).where(Lease.name == name, Lease.expires_at > now))


def record_run(
    *,
    job: str,
    holder: str,
    started_at: datetime,
    finished_at: datetime,
    ok: bool,
    report: Mapping[str, object],
) -> None:
    """Write down one run of a job."""
    with transaction() as session:
        session.add(
            JobRun(
                job=job,
                holder=holder,
                started_at=started_at,
                finished_at=finished_at,
                ok=ok,
                report=json.dumps(report, default=str, ensure_ascii=False),
            )
        )
    last_runs.forget()


def forget_old_runs(*, now: datetime) -> int:
    """Drop records older than two weeks; returns how many."""
    with transaction() as session:
        return session.execute(delete(JobRun).where(JobRun.started_at < now - KEEP_RUNS)).rowcount  # type: ignore[attr-defined, no-any-return]


def last_run(*, job: str, only_ok: bool = True) -> JobRun | None:
    """The latest run of a job (the latest good one unless told otherwise), or None."""
    query = select(JobRun).where(JobRun.job == job).order_by(JobRun.id.desc()).limit(1)
    return db.session.scalar(query.where(JobRun.ok) if only_ok else query)


def books_balance(now: datetime) -> bool:
    """Whether the audit finds no difference; read anew at most every ten minutes."""
    return ledger_now.get(now)


def health(*, now: datetime) -> Health:
    """How the whole is doing; cheap enough to be asked every second."""
    prices, run_at, counted = price_age(now), last_runs.get(now), health_counts.get(now)
    job_age = None if run_at is None else age_s(run_at, now)
    limit = STALE_AFTER.total_seconds()
    feed = feed_state(now)
    return Health(
        ok=not prices.is_stale and job_age is not None and job_age <= limit,
        coins=counted["coins"],
        price_age_s=prices.age_s,
        price_source=feed.source,
        feed_age_s=feed.age_s,
        minute_job_age_s=job_age,
        ongoing=counted["ongoing"],
        finished=counted["finished"],
        tracked=counted["tracked"],
        ledger_balanced=books_balance(now),
    )


def _count_for_health(_now: datetime) -> dict[str, int]:
    rows = db.session.execute(select(Vote.state, func.count()).group_by(Vote.state))
    votes = {str(state): number for state, number in rows}
    coins = db.session.scalar(select(func.count()).where(Coin.is_active)) or 0
    return {
        "coins": coins,
        "ongoing": votes.get("ongoing", 0),
        "finished": votes.get("finished", 0),
        "tracked": votes.get("tracked", 0) + votes.get("void", 0),
    }


def _last_minute_run(_now: datetime) -> datetime | None:
    run = last_run(job=MINUTE_JOB)
    return run.finished_at if run else None


def _audit_is_clean(_now: datetime) -> bool:
    return next(iter(audit()), None) is None


health_counts = Remembered(_count_for_health, timedelta(seconds=5))
last_runs = Remembered(_last_minute_run, timedelta(seconds=1))
ledger_now = Remembered(_audit_is_clean, timedelta(minutes=10))
