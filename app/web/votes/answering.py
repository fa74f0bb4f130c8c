"""Answering a vote: the sheet that says what it costs, and the deed."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app import wiring
from app.clock import utcnow
from app.domain.errors import Conflict
from app.domain.points import NotEnoughPoints
from app.domain.votes import AlreadyAnswered, Choice, VoteClosed
from app.i18n import gettext
from app.messages import message
from app.services import points, votes
from app.services.votes import VoteView
from app.web.filters import count
from app.web.sessions import me, require_sign_in
from app.web.votes.detail import found, page

bp = Blueprint("answering", __name__)
bp.before_request(require_sign_in)


@bp.get("/votes/<int:vote_id>/answer")
def confirm(vote_id: int) -> ResponseReturnValue:
    """What the answer costs, pays and means, before it is given; too few points say what helps."""
    now, choice = utcnow(), _chosen(request.args.get("choice"))
    detail = found(vote_id, now)
    refused = _refusal(detail.view)
    if choice is None or refused is not None:
        return _back(vote_id, refused)
    missing = detail.view.spent_point - me().points
    return render_template(
        "votes/answer.html",
        choice=choice,
        missing=missing,
        may_top_up=missing > 0 and points.can_top_up(user_id=me().id, now=now),
        **page(detail, now),
    )


@bp.post("/votes/<int:vote_id>/answer")
def cast(vote_id: int) -> ResponseReturnValue:
    """Give the answer; a refusal says what happened and leaves everything as it was."""
    choice = _chosen(request.form.get("choice"))
    if choice is None:
        flash(gettext("예와 아니오 중에서 골라 주세요. 고래밥은 그대로예요."), "error")
        return _back(vote_id)
    try:
        done = votes.cast_ballot(
            user_id=me().id,
            vote_id=vote_id,
            choice=choice,
            whale_min_settled=wiring.whale_min_settled(),
            now=utcnow(),
        )
    except NotEnoughPoints:  # the sheet says by how much, and what helps
        return redirect(f"/votes/{vote_id}/answer?choice={choice}", 303)
    except AlreadyAnswered as refused:
        # Pressed twice, or in another tab: the same answer stands, and the page shows it.
        stands = found(vote_id, utcnow()).view.my_choice is choice
        return _back(vote_id, None if stands else refused)
    except Conflict as refused:
        return _back(vote_id, refused)
    flash(gettext("답했어요. 고래밥 %(n)s개 남았어요.", n=count(done.balance)), "success")
    return _back(vote_id)


def _chosen(text: str | None) -> Choice | None:
    return Choice(text) if text in set(Choice) else None


def _refusal(view: VoteView) -> Conflict | None:
    """Why this vote can't be answered by this person, as far as it can be told beforehand."""
    if view.my_choice is not None:
        return AlreadyAnswered()
    return None if view.is_open else VoteClosed()


def _back(vote_id: int, refused: Conflict | None = None) -> ResponseReturnValue:
    """To the vote's page, with the reason of a refusal."""
    if refused is not None:
        flash(message(refused.code, refused.params), "error")
    return redirect(f"/votes/{vote_id}", 303)
