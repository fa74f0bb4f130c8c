"""One's own points: the ledger with its running balance, and the daily top-up."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.domain.kst import next_kst_day
from app.domain.points import TOP_UP_POINTS
from app.i18n import gettext
from app.services import points
from app.web.accounts.entry import own_path
from app.web.filters import count
from app.web.forms import row_id
from app.web.sessions import me, require_sign_in

bp = Blueprint("points", __name__, url_prefix="/me")
bp.before_request(require_sign_in)

_SIDES = {"in": True, "out": False}


@bp.get("/points")
def show() -> str:
    """The balance, what it is made of, and whether the books agree."""
    now, person = utcnow(), me()
    side = request.args.get("side", "all")
    side = side if side in _SIDES else "all"
    return render_template(
        "points/ledger.html",
        now=now,
        side=side,
        ledger=points.ledger_page(
            user_id=person.id, before=row_id("before"), received=_SIDES.get(side)
        ),
        month=points.month_sums(user_id=person.id, now=now),
        can_top_up=points.can_top_up(user_id=person.id, now=now),
        next_top_up=next_kst_day(now),
    )


@bp.post("/top-up")
def top_up() -> ResponseReturnValue:
    """Today's points, once; the refusal of a second time says when the next come.

    Who wanted to answer a vote goes on there, everybody else sees where the points went.
    """
    balance = points.take_top_up(user_id=me().id, now=utcnow())
    sentence = gettext(
        "오늘의 고래밥 %(n)s개를 받았어요. 이제 %(balance)s개예요.",
        n=TOP_UP_POINTS,
        balance=count(balance),
    )
    flash(sentence, "success")
    return redirect(own_path(request.form.get("next", "")) or "/me/points", 303)
