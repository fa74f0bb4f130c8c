"""The logos that the server keeps."""

import re

from flask import Blueprint, Response, abort, send_from_directory

from app.web.security import shown_elsewhere
from app.wiring import logo_folder

bp = Blueprint("logos", __name__)

_CODE = re.compile(r"[A-Z0-9]{1,20}")
_KEEP_S = 7 * 86_400


@bp.get("/coins/<code>/logo")
def show(code: str) -> Response:
    """The coin's logo as the exchange gave it, or 404; any other name never meets the disk."""
    if not _CODE.fullmatch(code):
        abort(404)
    picture = send_from_directory(
        logo_folder(), f"{code}.png", mimetype="image/png", max_age=_KEEP_S
    )
    return shown_elsewhere(picture)
