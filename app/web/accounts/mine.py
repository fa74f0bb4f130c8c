"""One's own page and one's own lists."""

from datetime import datetime

from flask import Blueprint, render_template, request

from app.clock import utcnow
from app.domain.points import hits_to_whale
from app.services import votes
from app.services.votes import MyVotes
from app.web.forms import row_id
from app.web.sessions import me, require_sign_in
from app.wiring import whale_min_settled

bp = Blueprint("mine", __name__, url_prefix="/me")
bp.before_request(require_sign_in)

_TABS = {"ongoing": True, "done": False}
SHOWN_AT_FIRST = 7


@bp.get("")
def show() -> str:
    """How good am I: accuracy, the way to whale, counts, breakdowns, the latest votes."""
    now, person = utcnow(), me()
    kind = _kind()
    lists = {name: _list(name, None, now) for name in ("answered", "created")}
    by_coin, by_duration = votes.my_breakdown(user_id=person.id)
    return render_template(
        "accounts/me.html",
        person=person,
        to_whale=hits_to_whale(
            right=person.right_count,
            settled=person.settled_count,
            min_settled=whale_min_settled(),
        ),
        min_settled=whale_min_settled(),
        streak=votes.streak(user_id=person.id),
        waiting=votes.waiting_answers(user_id=person.id),
        by_coin=by_coin,
        by_duration=by_duration,
        kind=kind,
        lists=lists,
        rows=lists[kind].rows[:SHOWN_AT_FIRST],
    )


@bp.get("/votes")
def my_votes() -> str:
    """What I asked or answered, all of it, page by page, with my own hits and misses."""
    kind = _kind()
    tab = request.args.get("tab", "all")
    tab = tab if tab in _TABS else "all"
    found = _list(kind, _TABS.get(tab), utcnow(), row_id("before"))
    return render_template("accounts/my_votes.html", kind=kind, tab=tab, found=found)


def _kind() -> str:
    return "created" if request.args.get("kind") == "created" else "answered"


def _list(kind: str, ongoing: bool | None, now: datetime, before: int | None = None) -> MyVotes:
    return votes.my_votes(
        user_id=me().id, created=kind == "created", ongoing=ongoing, before=before, now=now
    )
