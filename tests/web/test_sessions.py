"""The session cookie: shown again and again it says the same, until it is too old."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, request
from itsdangerous import URLSafeTimedSerializer

from app.clock import utcnow
from app.web import sessions

SAID = {"_flashes": [["info", "hello"]]}


def signed(app: Flask, said: object) -> str:
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    assert isinstance(serializer, URLSafeTimedSerializer)
    return str(serializer.dumps(said))


def opened(app: Flask, cookie: str) -> dict[str, Any]:
    """What a request that shows this cookie finds in it."""
    shown = f"{app.config['SESSION_COOKIE_NAME']}={cookie}"
    with app.test_request_context("/", headers={"Cookie": shown}):
        return dict(app.session_interface.open_session(app, request) or {})


def test_what_one_request_changes_is_not_there_for_the_next(app: Flask) -> None:
    cookie = signed(app, SAID)

    first = opened(app, cookie)
    assert first == SAID
    first["_flashes"].append(["info", "once more"])

    assert opened(app, cookie) == SAID


@pytest.mark.parametrize(("late_s", "is_good"), [(0, True), (2, False), (-40 * 24 * 3600, False)])
def test_cookie_that_was_good_a_moment_ago_ends_with_its_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch, late_s: int, is_good: bool
) -> None:
    cookie, began = signed(app, SAID), utcnow()
    assert opened(app, cookie) == SAID

    ends = began + app.permanent_session_lifetime + timedelta(seconds=late_s)
    monkeypatch.setattr(sessions, "utcnow", lambda: ends)

    assert opened(app, cookie) == (SAID if is_good else {})


def test_cookie_that_we_did_not_sign_says_nothing(app: Flask) -> None:
    cookie = signed(app, SAID)

    assert [opened(app, forged) for forged in (cookie[:-1], "x", "e30.x.y")] == [{}] * 3
