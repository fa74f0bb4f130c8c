"""What every answer says to the browser about safety, and the number a request goes by."""

import secrets
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]
    Write = Callable[[bytes], object]

# Pictures inside style sheets are Bootstrap's: a browser may ask for them before our sheets, which
# replace them, are there. A picture runs nothing and tells nobody anything.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; manifest-src 'self'; frame-ancestors 'none'; "
    "script-src {scripts}"
)
_YEAR = 365 * 24 * 3600
_HEADERS = [
    ("Content-Security-Policy", _POLICY.format(scripts="'none'")),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
]
_OVER_TLS = [*_HEADERS, ("Strict-Transport-Security", f"max-age={_YEAR}")]
_NUMBER = "whaling.request_id"


class Protected:
    """Puts the headers on every answer; what an answer says for itself stands.

    Around the application and not inside it: they are the same for all, and by far the most that
    the application would have to write for a short answer.
    """

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse", /) -> Iterable[bytes]:
        number = environ[_NUMBER] = _new_number()
        wanted = _OVER_TLS if environ["wsgi.url_scheme"] == "https" else _HEADERS

        def answer(status: str, headers: "Headers", error: "OptExcInfo | None" = None) -> "Write":
            said = {name.lower() for name, _ in headers}
            missing = [pair for pair in wanted if pair[0].lower() not in said]
            return start(status, [*headers, *missing, ("X-Request-ID", number)], error)

        return self._inner(environ, answer)


def csp_nonce() -> str:
    """The word that lets this answer's own scripts run; another one for every request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def request_id() -> str:
    """The number under which this request is found in the log, `7c1f-09ab`."""
    return str(request.environ.setdefault(_NUMBER, _new_number()))


def shown_elsewhere(response: Response) -> Response:
    """For pictures whose address clients are told: their pages, on other hosts, may show them."""
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def init_app(app: Flask) -> None:
    """Put the headers on every answer and give the nonce to the templates."""
    app.wsgi_app = Protected(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.after_request(_protect_page)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, request_id=request_id)


def _protect_page(response: Response) -> Response:
    if "csp_nonce" in g:
        scripts = f"'nonce-{g.csp_nonce}' 'strict-dynamic'"
        response.headers["Content-Security-Policy"] = _POLICY.format(scripts=scripts)
    headers = response.headers
    if headers.get("Content-Type", "").startswith("text/html") and "Cache-Control" not in headers:
        # A page kept for the way back would be shown once more to whoever comes after signing out.
        headers["Cache-Control"] = "no-store" if g.get("browser") else "private, no-cache"
    return response


def _new_number() -> str:
    digits = secrets.token_hex(4)
    return f"{digits[:4]}-{digits[4:]}"
