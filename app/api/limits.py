"""The `RateLimit-*` headers: how much is left, and in how many seconds it is whole again."""

from datetime import UTC, datetime

from flask import Flask, Response

from app.api.errors import is_api_path
from app.clock import utcnow

_RESET = "RateLimit-Reset"


def init_app(app: Flask) -> None:
    """Tell the reset in seconds, as the standard has it; the limiter tells a moment."""
    app.after_request(_in_seconds)


def _in_seconds(response: Response) -> Response:
    moment = response.headers.get(_RESET)
    if moment is not None and is_api_path():
        # The limiter names the first whole second after the window, hence the rounding down.
        left = datetime.fromtimestamp(int(moment), UTC) - utcnow()
        response.headers[_RESET] = str(max(0, int(left.total_seconds())))
    return response
