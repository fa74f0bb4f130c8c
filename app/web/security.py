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
    "Cross-Origin-Resource-Policy": "same-origin",
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


def shown_elsewhere(response: Response) -> Response:
    """For pictures whose address clients are told: their pages, on other hosts, may show them."""
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def init_app(app: Flask) -> None:
    """Put the headers on every answer and give the nonce to the templates."""
    app.after_request(_protect)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, request_id=request_id)


def _protect(response: Response) -> Response:
    scripts = f"'nonce-{g.csp_nonce}' 'strict-dynamic'" if "csp_nonce" in g else "'none'"
    wanted = {"Content-Security-Policy": _POLICY.format(scripts=scripts), **_HEADERS}
    if request.is_secure:
        wanted["Strict-Transport-Security"] = f"max-age={_YEAR}"
    if response.mimetype == "text/html":
        # A page kept for the way back would be shown once more to whoever comes after signing out.
        wanted["Cache-Control"] = "no-store" if g.get("knows_person") else "private, no-cache"
    # One look at what is there already: asking for each name anew walks through all of them.
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - pairs, no dict
    for name, value in wanted.items():
        if name.lower() not in present:
            response.headers.add_header(name, value)
    response.headers["X-Request-ID"] = request_id()
    return response
