"""The star of a coin: a form of one button, with and without scripts."""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.services import market
from app.web.context import viewer_id
from app.web.errors import origin
from app.web.sessions import ask_to_sign_in

bp = Blueprint("favourites", __name__)


@bp.post("/coins/<coin:code>/favourite")
def mark(code: str) -> ResponseReturnValue:
    """Make the coin a favourite (`wanted=1`) or none (`wanted=0`), and go back to the page.

    The form says what shall be, so that sent twice it does no harm. A script that asks for JSON is
    told the outcome; who isn't signed in is led to where they can.
    """
    user_id, wanted = viewer_id(), request.form.get("wanted") == "1"
    if user_id is None:
        return _sign_in_first()
    if wanted:
        market.add_favourite(user_id=user_id, code=code, now=utcnow())
    else:
        market.drop_favourite(user_id=user_id, code=code)
    return jsonify(favourite=wanted) if _is_script() else redirect(origin(), 303)


def _is_script() -> bool:
    return request.accept_mimetypes.best_match(("text/html", "application/json")) == (
        "application/json"
    )


def _sign_in_first() -> ResponseReturnValue:
    if not _is_script():
        return ask_to_sign_in()
    told: Response = jsonify(sign_in="/login?" + urlencode({"next": origin()}))
    told.status_code = 401
    return told
