"""Text made smaller on its way to the browser: a page shrinks to a tenth, which a phone feels."""

from gzip import compress

from flask import Flask, Response, current_app, request

#: JSON isn't among these: the live board is asked for every second by everybody, and is dense.
_KINDS = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
_LEAST = 1400  # what fits into one packet comes no sooner for being smaller
#: One level more takes twice as long for a twentieth less.
_LEVEL = 4


def init_app(app: Flask) -> None:
    """Look at every answer; registered first, it is the last to."""
    app.after_request(_made_smaller)


def _made_smaller(response: Response) -> Response:
    """The same answer in gzip where it is worth it, the browser takes it and nothing is given away.

    Its ETag becomes a weak one: it stands for what is said and no longer for the bytes.
    """
    if response.status_code != 200 or response.mimetype not in _KINDS:
        return response
    if (response.content_length or 0) < _LEAST or response.content_encoding:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or _may_be_listened_in_on():
        return response
    response.direct_passthrough = False
    response.set_data(compress(response.get_data(), _LEVEL, mtime=0))
    response.content_encoding = "gzip"
    etag, _is_weak = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)
    return response


def _may_be_listened_in_on() -> bool:
    """Whether this may be a person's page that another site has their browser ask for.

    Who can put words into a page, again and again, and sees how long it is when made smaller, can
    guess what else is in it, a form's token say (BREACH). Our own pages and the address bar are
    told apart from other sites by the browser itself.
    """
    names = (current_app.config[f"{kind}_COOKIE_NAME"] for kind in ("SESSION", "REMEMBER"))
    is_somebodys = any(name in request.cookies for name in names)
    return is_somebodys and request.headers.get("Sec-Fetch-Site") not in ("same-origin", "none")
