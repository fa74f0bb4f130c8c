"""The list of votes, and its cards for `live.js`."""

from datetime import datetime
from functools import lru_cache

from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup

from app.clock import utcnow
from app.i18n import gettext, language
from app.services import votes
from app.services.votes import VoteCounts, VotePage, VoteView
from app.web.art import drawing
from app.web.cards import votecards
from app.web.context import viewer_id
from app.web.votes.filters import Asked, asked_for, groups, pill_links, tab_links
from app.web.votes.fragments import fragment

bp = Blueprint("votes", __name__)
MAX_LIVE = 40


@bp.get("/votes")
def index() -> str:
    """A page of votes, with everything that narrows or orders it."""
    now, user_id = utcnow(), viewer_id()
    asked = asked_for(request.args, member=user_id is not None)
    page = votes.list_votes(
        wanted=asked.wanted(request.args.get("after")), user_id=user_id, now=now
    )
    tabs, choices, pills = _around(asked, user_id, now)
    return render_template(
        "votes/list.html",
        asked=asked,
        member=user_id is not None,
        cards=cards(page.votes, now),
        live=live_address(page.votes),
        more=_more(asked, page),
        tabs=tabs,
        choices=choices,
        pills=pills,
        now=now,
    )


@bp.get("/votes/live")
def live() -> Response:
    """The cards of the votes that are named, as they look now; what isn't a vote is left out."""
    now = utcnow()
    found = votes.get_votes(_ids(request.args.get("ids", "")), user_id=viewer_id(), now=now)
    return fragment(cards(tuple(found.values()), now))


def cards(found: tuple[VoteView, ...], now: datetime) -> Markup:
    """The cards of some votes, one after another."""
    return votecards(found, now)


def live_address(found: tuple[VoteView, ...]) -> str:
    """Where these cards are had anew; empty where no price of theirs moves any more."""
    running = [str(vote.id) for vote in found if vote.outcome is None and vote.state != "void"]
    return "/votes/live?ids=" + ",".join(running) if running else ""


def _ids(text: str) -> list[int]:
    parts = text[: MAX_LIVE * 20].split(",")[:MAX_LIVE]
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19]


def _more(asked: Asked, page: VotePage) -> str:
    if page.next_cursor is None:
        return ""
    address = asked.address()
    return f"{address}{'&' if '?' in address else '?'}after={page.next_cursor}"


def _around(asked: Asked, user_id: int | None, now: datetime) -> tuple[Markup, Markup, Markup]:
    """Tabs, choices and pills, each with its numbers."""
    counts, own = votes.vote_counts(now), {}
    if user_id is not None:
        own = votes.my_open_counts(user_id=user_id, stage=asked.stage, now=now)
        own["unanswered"] = max(counts.by_stage.get(asked.stage, 0) - own["answered"], 0)
    own["staff"] = counts.staff.get(asked.stage, 0)
    return _drawn(
        asked, _Frozen(counts), tuple(sorted(own.items())), user_id is not None, language()
    )


class _Frozen:
    """Counts that can be a key: equal where their numbers are."""

    def __init__(self, counts: VoteCounts) -> None:
        self.counts = counts
        self._key = (tuple(counts.by_stage.items()), tuple(counts.by_duration.items()))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and self._key == other._key


@lru_cache(maxsize=512)
def _drawn(
    asked: Asked,
    frozen: _Frozen,
    own: tuple[tuple[str, int], ...],
    member: bool,
    _language: str,
) -> tuple[Markup, Markup, Markup]:
    """Drawn once for all who see the same numbers; `_language` is part of the key."""
    templates, counts = current_app.jinja_env, frozen.counts
    parts = templates.get_template("votes/_choices.html").module
    tabs = templates.get_template("macros/parts.html").module.tabs  # type: ignore[attr-defined]
    found = list(groups(asked, counts, dict(own), member=member))
    return (
        drawing(tabs(tab_links(asked, counts), gettext("투표 상태"))),
        drawing(parts.choices(found)),  # type: ignore[attr-defined]
        drawing(parts.pills(pill_links(asked, member=member), found)),  # type: ignore[attr-defined]
    )
