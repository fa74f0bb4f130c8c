"""Points over JSON: one's own ledger and the daily top-up."""

from typing import TypedDict

from flask import Response

from app.api.query import number
from app.api.room import room, signed_in
from app.api.told import tells
from app.api.wire import answer, cached, utc_text
from app.clock import utcnow
from app.domain.points import TOP_UP_POINTS, Reason
from app.services import points
from app.services.points import LedgerRow
from app.services.tokens import Bearer

bp = room("points")
PAGE_SIZE, MAX_LIMIT = 30, 200
_LEDGER_QUERY = {
    "before": {"type": "integer", "minimum": 1},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
}


class EntryOut(TypedDict):
    """One move of points; `balance` is what was left after it."""

    id: int
    reason: Reason
    amount: int
    balance: int
    vote_id: int | None
    coin_code: str | None
    created_at: str | None


class LedgerOut(TypedDict):
    """A page of one's entries, newest first; `next_before` asks for the next page."""

    balance: int
    ledger_sum: int
    entry_count: int
    entries: list[EntryOut]
    next_before: int | None


class ToppedUp(TypedDict):
    """What the daily top-up gave."""

    amount: int
    balance: int


@bp.get("/points/ledger", strict_slashes=False)
@tells({200: LedgerOut}, codes={"number_out_of_bounds": 400}, query=_LEDGER_QUERY)
@signed_in
def ledger(who: Bearer) -> Response:
    """Where one's points came from and went: every entry, `before` an id, `limit` at a time."""
    page = points.ledger_page(
        user_id=who.person.id,
        before=number("before", high=2**63 - 1),
        limit=number("limit", high=MAX_LIMIT) or PAGE_SIZE,
    )
    told: LedgerOut = {
        "balance": page.balance,
        "ledger_sum": page.ledger_sum,
        "entry_count": page.entry_count,
        "entries": [_entry(row) for row in page.rows],
        "next_before": page.next_cursor,
    }
    return cached(told)


@bp.post("/points/top-up", strict_slashes=False)
@tells({201: ToppedUp}, codes={"already_topped_up": 409})
@signed_in
def top_up(who: Bearer) -> Response:
    """Take today's points; once per day in Korea."""
    given: ToppedUp = {
        "amount": TOP_UP_POINTS,
        "balance": points.take_top_up(user_id=who.person.id, now=utcnow()),
    }
    return answer(given, 201)


def _entry(row: LedgerRow) -> EntryOut:
    return {
        "id": row.id,
        "reason": row.reason,
        "amount": row.amount,
        "balance": row.balance,
        "vote_id": row.vote_id,
        "coin_code": row.coin_code,
        "created_at": utc_text(row.created_at),
    }
