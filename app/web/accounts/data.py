"""What a person can do with what we hold of them: see where they are in, take it along, leave."""

from collections.abc import Iterator

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    stream_with_context,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.clock import utcnow
from app.domain.errors import InvalidInput
from app.domain.runs import BotMode
from app.extensions import limiter
from app.i18n import gettext
from app.services import browsers, export, identities, leaving
from app.services.trading import bots
from app.web.accounts.entry import SIGN_IN_LIMIT
from app.web.accounts.forms import LeaveForm
from app.web.sessions import me, person_key, require_sign_in, sign_out
from app.wiring import kakao_or_none

bp = Blueprint("data", __name__, url_prefix="/me/settings")
bp.before_request(require_sign_in)

EXPORT_LIMIT = "10/minute;60/hour"


@bp.post("/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign one device out; this one goes to the sign-in page."""
    if session_id == current_user.session_id:
        sign_out()
        flash(gettext("로그아웃했어요."), "success")
        return redirect("/login", 303)
    browsers.end(user_id=me().id, session_id=session_id, now=utcnow())
    flash(gettext("그 기기에서 로그아웃했어요."), "success")
    return redirect("/me/settings#h-devices", 303)


@bp.get("/export.json")
@limiter.limit(EXPORT_LIMIT, key_func=person_key)
def export_json() -> Response:
    """Everything as one JSON file."""
    pieces = export.as_json(user_id=me().id, now=utcnow())
    return _download(pieces, "whaling.json", "application/json")


@bp.get("/export/<kind>.csv")
@limiter.limit(EXPORT_LIMIT, key_func=person_key)
def export_csv(kind: str) -> Response:
    """One kind of data as a file for spreadsheets."""
    pieces = export.as_csv(user_id=me().id, kind=kind)
    return _download(pieces, f"whaling-{kind}.csv", "text/csv; charset=utf-8")


@bp.get("/leave")
def ask_to_leave() -> str:
    """What goes and what stays, and the field that makes it happen."""
    return _leave_page(LeaveForm(formdata=None))


@bp.post("/leave")
@limiter.limit(SIGN_IN_LIMIT, key_func=person_key)
def leave() -> ResponseReturnValue:
    """Delete the account of whom it asks, once they have proved that it is theirs."""
    form = LeaveForm()
    try:
        leaving.leave(
            user_id=me().id,
            confirmation=form.confirmation.data or "",
            kakao=kakao_or_none(),
            now=utcnow(),
        )
    except InvalidInput as error:
        form.refuse(error)
        return _leave_page(form), 422
    sign_out()
    flash(gettext("계정을 지웠어요. 그동안 함께해 주셔서 고마워요."), "success")
    return redirect("/", 303)


def _leave_page(form: LeaveForm) -> str:
    ways = identities.ways_in(user_id=me().id)
    if not ways.has_password:
        form.ask_for_nickname()
    trades_live = bots.get_bot(user_id=me().id, mode=BotMode.LIVE).is_on
    return render_template("accounts/leave.html", form=form, ways=ways, trades_live=trades_live)


def _download(pieces: Iterator[str], name: str, kind: str) -> Response:
    response = Response(stream_with_context(pieces), content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
