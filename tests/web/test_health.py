"""`/health`: what monitoring reads, every figure of it."""

import json
import re
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from app.clock import utcnow
from app.domain.market import FeedSource
from app.services import jobs, market
from tests import factories as make
from tests.conftest import Visitor

DOCS = Path(__file__).resolve().parents[2] / "docs/operations.md"


def test_health_answers_exactly_what_the_docs_show(session: Session, client: Visitor) -> None:
    shown = re.search(r"```json\n(\{.*?\})\n```", DOCS.read_text("utf-8"), re.DOTALL)
    assert shown is not None

    answer = client.get("/health")

    assert answer.json is not None
    assert answer.json.keys() == json.loads(shown[1]).keys()


def test_health_is_good_with_fresh_prices_and_tells_their_source(
    session: Session, client: Visitor
) -> None:
    now = utcnow()
    make.make_coin("BTC", observed_at=now)
    note = market.FeedNote(FeedSource.STREAM, since=now, heard_at=now - timedelta(seconds=2))
    market.store_ticks(ticks=(), note=note, now=now)
    jobs.record_run(job="minute", holder="h", started_at=now, finished_at=now, ok=True, report={})

    answer = client.get("/health")

    assert answer.json is not None
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert answer.json["price_source"] == "stream"
    assert 2 <= answer.json["feed_age_s"] < 30
    assert answer.headers["Cache-Control"] == "no-store"
