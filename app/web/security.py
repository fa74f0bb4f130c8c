"""What every answer says to the browser about safety, and the number a request goes by."""

import secrets

from flask import Flask, Response, g, request

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; script-src {scripts}"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_YEAR = 365 * 24 * 3600


def csp_nonce() -> str:
    """The word that lets this answer's own scripts run; another one for every request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def request_id() -> str:
    """The number under which this request is found in the log, `7c1f-09ab`."""
    if "request_id" not in g:
        digits = secrets.token_hex(4)
        g.request_id = f"{digits[:4]}-{digits[4:]}"
    return str(g.request_id)


def init_app(app: Flask) -> None:
    """Put the headers on every answer and give the nonce to the templates."""
    app.after_request(_protect)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, request_id=request_id)


def _protect(response: Response) -> Response:
    scripts = f"'nonce-{g.csp_nonce}' 'strict-dynamic'" if "csp_nonce" in g else "'none'"
    response.headers.setdefault("Content-Security-Policy", _POLICY.format(scripts=scripts))
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id()
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
