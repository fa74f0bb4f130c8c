"""Housekeeping, once an hour: thin the price history, forget old records, prove the books."""

from app.jobs.guard import Steps
from app.services import jobs as records
from app.services.idempotency import forget_old_answers
from app.services.market import drop_old_candles, thin_samples
from app.services.tokens import forget_dead_sessions
from app.services.trading.values import thin_values


def run_housekeeping(steps: Steps) -> None:
    """Each step stands alone; running it twice changes nothing."""
    with steps.guarded("samples"):
        steps.report["samples_dropped"] = thin_samples(now=steps.now)
    with steps.guarded("candles"):
        steps.report["candles_dropped"] = drop_old_candles(now=steps.now)
    with steps.guarded("values"):
        steps.report["values_dropped"] = thin_values(now=steps.now)
    with steps.guarded("records"):
        steps.report["records_dropped"] = records.forget_old_runs(now=steps.now)
    with steps.guarded("clients"):
        steps.report["sessions_dropped"] = forget_dead_sessions(now=steps.now)
        steps.report["answers_dropped"] = forget_old_answers(now=steps.now)
    with steps.guarded("books"):
        steps.report["ledger_balanced"] = records.books_balance(steps.now)
