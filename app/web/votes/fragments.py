"""Small answers for `live.js`: nothing is sent again while nothing has changed."""

from flask import Response, make_response, request


def fragment(body: str) -> Response:
    """A piece of a page with an ETag; 304 where the browser holds the same already."""
    answer = make_response(body)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
