"""One log line per request, where the operator asked for it (`ACCESS_LOG=on`)."""

import logging

from flask import Flask, Response, g, request

from app.clock import monotonic
from app.web.security import request_id

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Log each answer: number, method, path without its query, status, milliseconds."""
    if app.config["WHALING_ACCESS_LOG"]:
        app.before_request(_begin)
        app.after_request(_end)


def _begin() -> None:
    g.began = monotonic()


def _end(response: Response) -> Response:
    took_ms = 1000 * (monotonic() - g.began) if "began" in g else 0.0
    # Paths are written as the client sent them: quoted, so that no line break gets into the log.
    log.info(
        "request=%s %s %r %d %.1fms",
        request_id(),
        request.method,
        request.path,
        response.status_code,
        took_ms,
    )
    return response
