"""People before their browser: make them, let them in, read what a page says."""

import re
from datetime import datetime
from html import unescape
from typing import cast

from flask import Flask
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.models import User
from tests import factories
from tests.conftest import Visitor

PASSWORD = "correct-horse"


def person(app: Flask, name: str = "alice", **kwargs: object) -> User:
    """A person made now, outside any request; give `password=PASSWORD` to sign in by form."""
    with app.app_context():
        return factories.make_user(name, now=utcnow(), **kwargs)  # type: ignore[arg-type]


def visitor(app: Flask, user: User) -> Visitor:
    """A browser in which this person is signed in."""
    return cast(Visitor, app.test_client()).sign_in(user)


def newcomer(app: Flask, name: str = "alice", **kwargs: object) -> Visitor:
    """A browser with somebody new signed in."""
    return visitor(app, person(app, name, **kwargs))


def coin(app: Flask, code: str = "BTC", *, seen: datetime | None = None, **kwargs: object) -> None:
    """A coin at 100 won whose price was seen just now."""
    with app.app_context():
        factories.make_coin(code, observed_at=seen or utcnow(), **kwargs)  # type: ignore[arg-type]


def said(answer: TestResponse) -> str:
    """The words of a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def balance(app: Flask, user: User) -> int:
    """The stored balance now."""
    with app.app_context():
        return factories.balance(user)
