"""Which other origins may call the API, said on every answer, errors and preflights included."""

from flask import Flask, Response, current_app, g, request

from app.api.errors import is_api_path

_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS = "authorization, content-type, x-csrftoken, idempotency-key, if-none-match"
_EXPOSED = (
    "ETag, Link, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-ID"
)
_PREFLIGHT_AGE_S = "600"


def init_app(app: Flask) -> None:
    """Answer preflights without asking for a token, and mark every answer of the API."""
    app.before_request(_preflight)
    app.after_request(_allow)


def _preflight() -> Response | None:
    asked = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or asked is None or not (is_api_path() or _is_entrance()):
        return None
    return Response(status=204)


def _is_entrance() -> bool:
    """The desk's client shows its keys where people sign in, too."""
    return request.path.rstrip("/") == "/login"


def _allow(response: Response) -> Response:
    asks_first = request.method == "OPTIONS" and _is_entrance()
    if not is_api_path() and not asks_first and not g.get("is_for_clients"):
        return response
    varies = response.headers.get("Vary")
    response.headers["Vary"] = f"{varies}, Origin" if varies else "Origin"
    origin = request.headers.get("Origin")
    if origin is None or origin not in current_app.config["WHALING_CORS_ORIGINS"]:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _HEADERS
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_AGE_S
    return response
