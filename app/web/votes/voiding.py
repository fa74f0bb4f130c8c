"""Voiding a vote, for staff: a reason, the amounts spelled out, then the deed."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.domain.errors import AppError, Conflict, InvalidInput
from app.domain.votes import VoteState, void_reason
from app.i18n import gettext
from app.messages import message
from app.services import votes
from app.services.votes import VoteView
from app.web.filters import count
from app.web.sessions import me, require_sign_in
from app.web.votes.detail import found, page

bp = Blueprint("voiding", __name__)
bp.before_request(require_sign_in)


@bp.get("/votes/<int:vote_id>/void")
def confirm(vote_id: int) -> ResponseReturnValue:
    """Ask for the reason, then show what goes back to whom, before anything happens."""
    _staff_only()
    now = utcnow()
    detail = found(vote_id, now)
    if _is_over(detail.view):
        return _back(vote_id, Conflict("vote_settled"))
    typed = request.args.get("reason", "")
    try:
        reason = void_reason(typed)
    except InvalidInput as error:
        return _back(vote_id, error)
    return render_template("votes/void.html", reason=reason, **page(detail, now))


@bp.post("/votes/<int:vote_id>/void")
def void(vote_id: int) -> ResponseReturnValue:
    """Void the vote and give everything back; a second time changes nothing and says so."""
    _staff_only()
    reason = request.form.get("reason", "")
    try:
        refunded = votes.void_vote(vote_id=vote_id, reason=reason, now=utcnow())
    except (Conflict, InvalidInput) as error:
        return _back(vote_id, error)
    flash(gettext("무효로 했어요. 고래밥 %(n)s개를 돌려줬어요.", n=count(refunded)), "success")
    return _back(vote_id)


def _staff_only() -> None:
    if not me().is_staff:
        abort(403)


def _is_over(view: VoteView) -> bool:
    return view.state in (VoteState.TRACKED, VoteState.VOID)


def _back(vote_id: int, refused: AppError | None = None) -> ResponseReturnValue:
    if refused is not None:
        flash(message(refused.code, refused.params), "error")
    return redirect(f"/votes/{vote_id}", 303)
