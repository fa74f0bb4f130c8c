"""Small answers for scripts."""

from flask import Flask

from app.web.votes.fragments import fragment


def test_fragment_is_asked_for_again_every_time(app: Flask) -> None:
    with app.test_request_context():
        answer = fragment("<p>1</p>")

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.mimetype == "text/html"


def test_fragment_that_is_known_is_not_sent(app: Flask) -> None:
    with app.test_request_context():
        tag = fragment("<p>1</p>").headers["ETag"]
    with app.test_request_context(headers={"If-None-Match": tag}):
        same, other = fragment("<p>1</p>"), fragment("<p>2</p>")

    assert (same.status_code, other.status_code) == (304, 200)
