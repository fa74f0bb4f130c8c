"""People's pictures, served from our own host under the name of their content."""

import re

from flask import Blueprint, Flask, Response, abort

from app.services import pictures
from app.web.security import shown_elsewhere

bp = Blueprint("pictures", __name__)

_DIGEST = re.compile(r"[0-9a-f]{64}")


@bp.get("/pictures/<digest>")
def show(digest: str) -> Response:
    """The picture, which never changes under its name; as a picture only, whatever it holds."""
    kept = pictures.find(digest) if _DIGEST.fullmatch(digest) else None
    if kept is None:
        abort(404)
    response = Response(kept.content, mimetype=kept.media_type)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return shown_elsewhere(response)


def init_app(app: Flask) -> None:
    """Let pages show whose picture it is, or the whale."""
    app.jinja_env.globals["picture_url"] = picture_url


def picture_url(digest: str | None) -> str | None:
    """Where a picture is shown, or None for people without one."""
    return f"/pictures/{digest}" if digest else None
