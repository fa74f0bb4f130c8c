"""Votes over JSON: list, show, make, answer, and the evidence behind a result."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypedDict
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import validate

from app.api.body import Body, Fields, Text, Whole, takes
from app.api.once import answer_once
from app.api.query import number
from app.api.room import room, signed_in
from app.api.shapes import CHOICES, VoteOut, vote_out, vote_text
from app.api.told import tells
from app.api.wire import cached, cached_text, etag_of, exact, utc_text
from app.clock import utcnow
from app.db import RememberedEach
from app.domain.errors import NotFound
from app.domain.votes import Choice, Direction, Duration, VoteState, question
from app.services import votes
from app.services.idempotency import Kept
from app.services.tokens import Bearer
from app.services.votes import Answered, Draft, VoteDetail, Wanted
from app.wiring import whale_min_settled

bp = room("votes")
MAX_LIMIT = 500
#: A list of all votes there are can have any size; a hundred of these stay within 30 MB.
LARGEST_KEPT = 300_000
_STATES = {"ongoing": True, "finished": False}
_LIST_QUERY: dict[str, dict[str, Any]] = {
    "state": {"type": "string", "enum": ["ongoing", "finished"]},
    "sort": {"type": "string", "enum": ["popular"]},
    "coin": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    "cursor": {"type": "string"},
}
_LIST_CODES = {"number_out_of_bounds": 400, "cursor_invalid": 400}
_CREATE_CODES = {
    "coin_unknown": 400,
    "coin_inactive": 400,
    "duration_unknown": 400,
    "direction_unknown": 400,
    "range_not_whole": 400,
    "range_out_of_bounds": 400,
    "fall_too_large": 400,
    "not_enough_points": 400,
    "price_not_fresh": 503,
}
_CHOOSE_CODES = {
    "choice_unknown": 400,
    "vote_closed": 400,
    "already_answered": 400,
    "not_enough_points": 400,
    "not_found": 404,
}


class NewVote(Body):
    """A question: will the coin move by at least `range` percent?"""

    coin_code = Text(required=True, metadata={"examples": ["BTC"]})
    duration = Text(required=True, metadata={"enum": list(Duration), "examples": ["day"]})
    range = Whole(required=True, metadata={"minimum": 1, "maximum": 300, "examples": [5]})
    comment = Text(required=True, metadata={"enum": list(Direction), "examples": ["up"]})


class Answer(Body):
    """One's answer: 1 is yes, 2 is no."""

    choice = Whole(
        required=True,
        validate=validate.OneOf(list(CHOICES), error="choice_unknown"),
        metadata={"enum": list(CHOICES), "examples": [1]},
    )


class VoteMade(TypedDict):
    """The number of the vote that was made."""

    vote_id: int


class ChoiceMade(TypedDict):
    """The answer that was given."""

    vote_id: int
    choice: Literal[1, 2]


class EvidenceOut(TypedDict):
    """Both prices of a vote with times and source, and the rule between them."""

    vote_id: int
    market: str
    state: VoteState
    created_price: Decimal
    created_price_at: str | None
    threshold_price: Decimal
    comparison: Literal[">=", "<="]
    final_price: Decimal | None
    outcome: Choice | None
    candle_opened_at: str | None
    source: str | None
    fetched_at: str | None
    raw_quote: str | None
    settled_at: str | None
    void_reason: str | None
    voided_at: str | None


@bp.get("/votes", strict_slashes=False)
@tells({200: list[VoteOut]}, codes=_LIST_CODES, query=_LIST_QUERY)
@signed_in
def index(who: Bearer) -> Response:
    """All votes that aren't over, newest first.

    `state` is ongoing or finished, `sort=popular` puts the most answered first, `coin` is part of a
    code or Korean name. With `limit` a page is sent, and the way to the next one in `Link`.
    """
    environ = request.environ
    host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")
    found = _lists.get((who.person.id, *host, request.path, request.query_string), utcnow())
    response = cached_text(found.body, found.etag)
    if found.link:
        response.headers["Link"] = found.link
    return response


@bp.post("/votes", strict_slashes=False)
@tells({201: VoteMade}, codes=_CREATE_CODES, keyed=True)
@signed_in
@takes(NewVote)
def create(body: Fields, who: Bearer) -> Response:
    """Ask a question; it costs 50 points. `Idempotency-Key` makes asking twice harmless."""
    asked = question(direction=body["comment"], duration=body["duration"], range_pct=body["range"])
    user_id, draft, now = who.person.id, Draft(body["coin_code"], asked), utcnow()
    return answer_once(
        user_id=user_id,
        keyed=lambda key: votes.open_vote_once(
            asked=key, user_id=user_id, draft=draft, told=_made, now=now
        ),
        plain=lambda: _made(
            votes.open_vote(
                user_id=user_id, draft=draft, request_key=secrets.token_hex(16), now=now
            )
        ),
    )


@bp.get("/votes/<int:vote_id>", strict_slashes=False)
@tells({200: VoteOut}, codes={"not_found": 404})
@signed_in
def show(who: Bearer, vote_id: int) -> Response:
    """One vote in whatever state."""
    found = votes.get_for_client(vote_id=vote_id, user_id=who.person.id, now=utcnow())
    if found is None:
        raise NotFound
    return cached(vote_out(found))


@bp.post("/votes/<int:vote_id>/choice", strict_slashes=False)
@tells({201: ChoiceMade}, codes=_CHOOSE_CODES, keyed=True)
@signed_in
@takes(Answer)
def choose(body: Fields, who: Bearer, vote_id: int) -> Response:
    """Answer a vote; it costs `spent_point`. `Idempotency-Key` makes asking twice harmless."""
    user_id, choice, now = who.person.id, CHOICES[body["choice"]], utcnow()
    least = whale_min_settled()
    return answer_once(
        user_id=user_id,
        keyed=lambda key: votes.cast_ballot_once(
            asked=key,
            user_id=user_id,
            vote_id=vote_id,
            choice=choice,
            whale_min_settled=least,
            told=_chosen,
            now=now,
        ),
        plain=lambda: _chosen(
            votes.cast_ballot(
                user_id=user_id,
                vote_id=vote_id,
                choice=choice,
                whale_min_settled=least,
                now=now,
            )
        ),
    )


@bp.get("/votes/<int:vote_id>/evidence", strict_slashes=False)
@tells({200: EvidenceOut}, codes={"not_found": 404})
@signed_in
def evidence(who: Bearer, vote_id: int) -> Response:
    """What a vote was decided by, for everybody to check at the exchange; or why it is void."""
    found = votes.get_vote(vote_id, user_id=who.person.id, now=utcnow())
    if found is None:
        raise NotFound
    return cached(_evidence(found))


@dataclass(frozen=True, slots=True)
class _List:
    """A list as it is sent; `link` leads to the next page, if there is one."""

    body: bytes
    etag: str
    link: str


def _write_list(key: tuple[int, str, str, str, bytes], now: datetime) -> _List:
    """The list that this request asks for; the key holds all that it depends on."""
    wanted = Wanted(
        ongoing=_STATES.get(request.args.get("state", "")),
        coin=request.args.get("coin", "").strip(),
        popular=request.args.get("sort") == "popular",
        limit=number("limit", high=MAX_LIMIT),
        cursor=request.args.get("cursor", ""),
    )
    page = votes.list_for_client(wanted=wanted, user_id=key[0], now=now)
    host, link = request.host_url, ""
    if page.next_cursor:
        query = urlencode({**request.args.to_dict(), "cursor": page.next_cursor})
        link = f'<{request.path}?{query}>; rel="next"'
    text = "[" + ",".join(vote_text(vote, host) for vote in page.votes) + "]"
    return _List(text.encode(), etag_of(text), link)


#: Who asks again within a second, and did nothing meanwhile, gets what was written before.
_lists = RememberedEach(
    _write_list,
    timedelta(seconds=1),
    most=100,
    fits=lambda found: len(found.body) < LARGEST_KEPT,
)


def _made(vote_id: int) -> Kept:
    made: VoteMade = {"vote_id": vote_id}
    return Kept(201, exact(made))


def _chosen(done: Answered) -> Kept:
    given: ChoiceMade = {
        "vote_id": done.vote_id,
        "choice": 1 if done.choice is Choice.YES else 2,
    }
    return Kept(201, exact(given))


def _evidence(found: VoteDetail) -> EvidenceOut:
    view = found.view
    return {
        "vote_id": view.id,
        "market": found.market,
        "state": view.state,
        "created_price": view.created_price,
        "created_price_at": utc_text(found.created_price_at),
        "threshold_price": view.threshold,
        "comparison": ">=" if view.direction is Direction.UP else "<=",
        "final_price": view.final_price,
        "outcome": view.outcome,
        "candle_opened_at": utc_text(found.candle_opened_at),
        "source": found.quote_source,
        "fetched_at": utc_text(found.quote_fetched_at),
        "raw_quote": found.raw_quote if view.state is VoteState.TRACKED else None,
        "settled_at": utc_text(found.settled_at),
        "void_reason": found.void_reason,
        "voided_at": utc_text(found.voided_at),
    }
