"""The start page: what is on for me, or what this is."""

from datetime import datetime

from flask import Blueprint, render_template

from app import wiring
from app.clock import utcnow
from app.domain.kst import next_kst_day
from app.domain.points import hits_to_whale
from app.services import points, votes
from app.services.votes import Stage, VoteFilter
from app.web import filters
from app.web.context import viewer_id
from app.web.sessions import me
from app.web.votes.listing import cards, live_address

bp = Blueprint("home", __name__)
RESULTS_SHOWN = 3


@bp.get("/")
def index() -> str:
    """One's own day for a person who is signed in, the landing page for anybody else."""
    user_id, now = viewer_id(), utcnow()
    return _landing(now) if user_id is None else _home(user_id, now)


def _home(user_id: int, now: datetime) -> str:
    answered = _some("answered", 2, user_id, now)
    closing = _some("unanswered", 4, user_id, now)
    counts = votes.my_open_counts(user_id=user_id, stage=Stage.ONGOING, now=now)
    right, settled = me().right_count, me().settled_count
    return render_template(
        "home.html",
        today=votes.results_before(user_id=user_id, moment=next_kst_day(now)),
        open_count=votes.vote_counts(now).by_stage.get(Stage.ONGOING, 0),
        accuracy=filters.accuracy(right, settled),
        to_whale=hits_to_whale(
            right=right, settled=settled, min_settled=wiring.whale_min_settled()
        ),
        platform=points.platform_accuracy(now),
        results=votes.latest_results(user_id=user_id, limit=RESULTS_SHOWN, now=now),
        answered=cards(answered, now),
        answered_count=counts["answered"],
        closing=cards(closing, now),
        live=live_address(answered + closing),
        may_top_up=points.can_top_up(user_id=user_id, now=now),
        now=now,
    )


def _landing(now: datetime) -> str:
    counts = votes.vote_counts(now).by_stage
    open_votes = votes.list_votes(
        wanted=VoteFilter(sort="popular", limit=3), user_id=None, now=now
    ).votes
    return render_template(
        "votes/landing.html",
        hero=votes.showcase(now),
        votes=open_votes,
        open_count=counts.get(Stage.ONGOING, 0),
        settled_count=counts.get(Stage.OVER, 0),
        accuracy=points.platform_accuracy(now),
        now=now,
    )


def _some(kind: str, number: int, user_id: int, now: datetime) -> tuple[votes.VoteView, ...]:
    """The open votes of a kind that close first."""
    wanted = VoteFilter(mine=kind, sort="closing", limit=number)
    return votes.list_votes(wanted=wanted, user_id=user_id, now=now).votes
