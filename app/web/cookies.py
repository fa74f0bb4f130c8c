"""Cookies over TLS: names that the browser itself guards, whatever part of ours sets them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]
    Write = Callable[[bytes], object]

#: A browser takes such a cookie over TLS alone, for this host alone, and for all of it.
PREFIX = "__Host-"


def init_app(app: Flask) -> None:
    """Stand around the application; a proxy's word on TLS must be heard outside of this."""
    app.wsgi_app = Guarded(app.wsgi_app)  # type: ignore[assignment, method-assign]


class Guarded:
    """Over TLS the world sees `__Host-name; Secure` where everything inside says `name`.

    Cookies without the prefix are dropped: over TLS none of ours lacks it, so that a neighbour on
    another port or subdomain, or somebody on a line without TLS, can't plant one.
    """

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse", /) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] != "https":
            return self._inner(environ, start)
        if "HTTP_COOKIE" in environ:
            environ["HTTP_COOKIE"] = _inside(environ["HTTP_COOKIE"])

        def answer(status: str, headers: "Headers", error: "OptExcInfo | None" = None) -> "Write":
            return start(status, [(name, _outside(name, value)) for name, value in headers], error)

        return self._inner(environ, answer)


def _inside(header: str) -> str:
    pairs = (pair.strip() for pair in header.split(";"))
    return "; ".join(pair.removeprefix(PREFIX) for pair in pairs if pair.startswith(PREFIX))


def _outside(name: str, value: str) -> str:
    if name.lower() != "set-cookie":
        return value
    secure = "" if "; secure" in value.lower() else "; Secure"
    return f"{PREFIX}{value}{secure}"
