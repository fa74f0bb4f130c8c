"""`/health`: whether prices come in and the minute runs."""

from flask import Blueprint, Response, current_app, jsonify

from app.clock import utcnow
from app.extensions import limiter
from app.services import jobs
from app.version import VERSION

bp = Blueprint("health", __name__)


@bp.get("/health")
@limiter.exempt
def show() -> tuple[Response, int]:
    """The figures fixed in the design; 503 while prices or the minute job are too old."""
    found = jobs.health(now=utcnow())
    body = jsonify(
        status="ok" if found.ok else "degraded",
        coins=found.coins,
        price_age_s=found.price_age_s,
        price_source=found.price_source,
        feed_age_s=found.feed_age_s,
        minute_job_age_s=found.minute_job_age_s,
        votes={
            "ongoing": found.ongoing,
            "finished": found.finished,
            "tracked": found.tracked,
        },
        ledger_balanced=found.ledger_balanced,
        scheduler=current_app.extensions["whaling_scheduler"],
        version=VERSION,
    )
    body.headers["Cache-Control"] = "no-store"
    return body, 200 if found.ok else 503
