"""Vote cards, drawn once per vote, minute and language instead of once per reader."""

from datetime import datetime, timedelta
from functools import lru_cache

from flask import Flask, current_app
from markupsafe import Markup

from app.domain.kst import floor_minute
from app.domain.votes import VoteState
from app.i18n import english, gettext
from app.services.votes import VoteView
from app.web.art import drawing
from app.web.filters import is_soon, span, time_left

_SITUATIONS = {
    VoteState.ONGOING: "open",
    VoteState.FINISHED: "closed",
    VoteState.TRACKED: "settled",
    VoteState.VOID: "void",
}


def stage(vote: VoteView) -> str:
    """The situation to show: `open`, `closed`, `settled` or `void`."""
    return _SITUATIONS[vote.state]


def until_result(vote: VoteView, now: datetime) -> str:
    """When a closed vote is decided: `1일 6시간 뒤 결과`."""
    if vote.tracked_at - now < timedelta(minutes=1):
        return gettext("결과를 정하고 있어요")
    return gettext("%(span)s 뒤 결과", span=span(vote.tracked_at - now))


def votecard(vote: VoteView, now: datetime) -> Markup:
    """The card of a vote in a list, as it looks at `now`."""
    left = ""
    if vote.state is VoteState.ONGOING:
        left = time_left(vote.finished_at, now)
    elif vote.state is VoteState.FINISHED:
        left = until_result(vote, now)
    return _drawn(vote, left, is_soon(vote.finished_at, now), english())


def votecards(votes: tuple[VoteView, ...], now: datetime) -> Markup:
    """The cards of a list, one after another, as they look in the minute of `now`.

    Deadlines are whole minutes, so between two minutes no card changes by itself.
    """
    return _drawn_together(_Same(votes), floor_minute(now) + timedelta(seconds=59), english())


def init_app(app: Flask) -> None:
    """Give the cards to the templates."""
    app.jinja_env.globals.update(votecard=votecard, stage=stage, until_result=until_result)


@lru_cache(maxsize=2048)
def _drawn(vote: VoteView, left: str, soon: bool, in_english: bool) -> Markup:
    """`in_english` is part of the key; the macro asks for the language itself."""
    macros = current_app.jinja_env.get_template("macros/votes.html").module
    return drawing(macros.card(vote, stage(vote), left, soon))  # type: ignore[attr-defined]


class _Same:
    """Votes as a key, equal to themselves alone: comparing twenty costs more than their cards."""

    def __init__(self, votes: tuple[VoteView, ...]) -> None:
        self.votes = votes

    def __hash__(self) -> int:
        return id(self.votes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.votes is other.votes


@lru_cache(maxsize=64)
def _drawn_together(same: _Same, moment: datetime, _in_english: bool) -> Markup:
    """`_in_english` is part of the key; each card asks for the language itself."""
    return Markup("").join(votecard(vote, moment) for vote in same.votes)
