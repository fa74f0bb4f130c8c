"""The evidence of a settled vote for machines: every figure with every digit it has."""

import json
from decimal import Decimal

from flask import Blueprint, Response

from app.clock import utcnow
from app.domain.errors import NotFound
from app.services.votes import VoteDetail
from app.web.filters import iso
from app.web.votes.detail import found

bp = Blueprint("evidence", __name__)


@bp.get("/votes/<int:vote_id>/evidence.json")
def show(vote_id: int) -> Response:
    """Both prices, the rule's figures and the exchange's own words; 404 before the result."""
    detail = found(vote_id, utcnow())
    if detail.view.outcome is None:
        raise NotFound
    fields = ",\n  ".join(f'"{name}": {value}' for name, value in _fields(detail).items())
    return Response(f"{{\n  {fields}\n}}\n", mimetype="application/json")


def _fields(detail: VoteDetail) -> dict[str, str]:
    """Names and their values as JSON; prices are written digit by digit, never as floats."""
    view = detail.view
    return {
        "vote": str(view.id),
        "market": json.dumps(detail.market),
        "direction": json.dumps(view.direction),
        "range_pct": str(view.range_pct),
        "created_at": json.dumps(iso(view.created_at)),
        "created_price": _number(view.created_price),
        "created_price_at": json.dumps(iso(detail.created_price_at)),
        "threshold": _number(view.threshold),
        "tracked_at": json.dumps(iso(view.tracked_at)),
        "candle_opened_at": json.dumps(detail.candle_opened_at and iso(detail.candle_opened_at)),
        "final_price": "null" if view.final_price is None else _number(view.final_price),
        "outcome": json.dumps(view.outcome),
        "source": json.dumps(detail.quote_source),
        "fetched_at": json.dumps(detail.quote_fetched_at and iso(detail.quote_fetched_at)),
        "quote": _as_received(detail.raw_quote or ""),
    }


def _number(price: Decimal) -> str:
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _as_received(text: str) -> str:
    """The exchange's answer untouched; as a text where it isn't JSON by itself."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text)
    return text
