"""The minute: fetch and store prices, close votes, settle what is due. Each step stands alone."""

from datetime import timedelta

from app.jobs.guard import Steps
from app.jobs.settling import Settlement
from app.services import jobs as records
from app.services import votes
from app.services.market import catalogue, fetch_logos, refresh_listings, store_tickers
from app.wiring import logo_folder, market

LISTINGS_EVERY = timedelta(hours=1)
#: When a ticker names a market we don't know, the list is read again, but not more often.
LISTINGS_AT_MOST_EVERY = timedelta(minutes=5)


def run_minute(steps: Steps) -> None:
    """Look for what is due; running it twice changes nothing.

    Whatever the exchange does to one step, the next still runs: votes close on time without
    prices, and votes settle while tickers fail.
    """
    with steps.guarded("listings"):
        _refresh_if_due(steps, LISTINGS_EVERY)
    with steps.guarded("prices"):
        report = store_tickers(market=market(), now=steps.now)
        steps.report |= {"stored": report.stored, "bad_rows": report.bad_rows}
        if report.suspect:
            steps.report["suspect"] = list(report.suspect[:20])
        if report.unknown and _refresh_if_due(steps, LISTINGS_AT_MOST_EVERY):
            store_tickers(market=market(), now=steps.now)
    with steps.guarded("close"):
        steps.report["closed"] = votes.close_due_votes(now=steps.now)
    with steps.guarded("settle"):
        Settlement(market(), steps).run()
    with steps.guarded("logos"):
        fetch_logos(market=market(), folder=logo_folder(), now=steps.now)


def _refresh_if_due(steps: Steps, every: timedelta) -> bool:
    last = records.last_run(job="listings", only_ok=bool(catalogue(steps.now)))
    if last is not None and steps.now - last.started_at < every:
        return False
    changes = refresh_listings(market=market(), now=steps.now)
    steps.report |= {"added": len(changes.added), "delisted": list(changes.delisted)}
    records.record_run(
        job="listings",
        holder="",
        started_at=steps.now,
        finished_at=steps.now,
        ok=True,
        report={"added": changes.added, "delisted": changes.delisted, "bad": changes.bad_rows},
    )
    return True
