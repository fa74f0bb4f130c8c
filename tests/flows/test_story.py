"""One person's story, through pages and the job: sign up, ask, answer, close, settle, my page."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from app.clock import utcnow
from app.extensions import db
from app.jobs.guard import Steps
from app.jobs.minute import run_minute
from app.models import User, Vote
from app.services import accounts, market
from app.services.points import audit
from app.simulator import Simulator
from tests import factories as make
from tests.conftest import MakeApp, Visitor

pytestmark = pytest.mark.flow
PASSWORD = "correct-horse"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(markets=12, rate_limit=None) as exchange:
        yield exchange


@pytest.fixture
def app(make_app: MakeApp, sim: Simulator) -> Flask:
    """CSRF on, as people meet it; the job has run once."""
    app = make_app(csrf=True, upbit_url=sim.url)
    minute(app)
    return app


def minute(app: Flask) -> Steps:
    """The minute job, now."""
    with app.app_context():
        steps = Steps(now=utcnow())
        run_minute(steps)
        market.coins_now.forget()
        assert steps.ok, steps.report
        return steps


def a_day_passes(app: Flask) -> None:
    """The vote is a day older: whatever it holds happened 24 hours earlier."""
    day = timedelta(days=1, minutes=1)
    with app.app_context():
        vote = db.session.scalars(select(Vote)).one()
        for name in ("created_at", "finished_at", "tracked_at", "created_price_at"):
            setattr(vote, name, getattr(vote, name) - day)
        db.session.commit()


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def send(browser: Visitor, address: str, page: str | None = None, **form: str) -> str:
    """Fill in the form of a page and send it; the address it leads to."""
    shown = browser.get(page or address)
    assert shown.status_code == 200, shown.text
    answer = browser.post(address, data=form | {"csrf_token": token(shown.text)})
    assert answer.status_code == 303, answer.text
    return answer.location


def words(browser: Visitor, address: str) -> str:
    shown = browser.get(address, headers={"Accept-Language": "ko"})
    assert shown.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown.text)).split())


def joined(app: Flask, name: str) -> Visitor:
    browser = app.test_client()
    send(browser, "/signup", nickname=name, password=PASSWORD, password_again=PASSWORD)
    return browser  # type: ignore[return-value]


def ask(browser: Visitor) -> str:
    """Through the summary, as the steps lead there; the new vote's address."""
    choices = {"coin": "BTC", "duration": "day", "range": "1", "direction": "up"}
    query = "&".join(f"{name}={value}" for name, value in choices.items())
    shown = browser.get(f"/create?{query}")
    assert shown.status_code == 200, shown.location
    key = re.search(r'name="request_key"[^>]*value="([^"]+)"', shown.text)
    assert key is not None
    form = choices | {"request_key": key[1], "csrf_token": token(shown.text)}
    first, again = browser.post("/create", data=form), browser.post("/create", data=form)
    assert first.status_code == again.status_code == 303
    assert first.location == again.location
    return first.location


def test_from_sign_up_to_settled_points(app: Flask) -> None:
    alice, bob = joined(app, "앨리스"), joined(app, "밥")
    vote = ask(alice)
    send(bob, f"{vote}/answer", f"{vote}/answer?choice=yes", choice="yes")
    send(alice, f"{vote}/answer", f"{vote}/answer?choice=no", choice="no")

    a_day_passes(app)
    settled = minute(app).report["settle"]["settled"]

    assert settled == 1
    with app.app_context():
        right = str(db.session.scalars(select(Vote.outcome)).one())
        points = {name: make_points(name) for name in ("앨리스", "밥")}
        assert points == {"앨리스": 240 + 20 * (right == "no"), "밥": 290 + 20 * (right == "yes")}
        assert list(audit()) == []
    winner = bob if right == "yes" else alice
    assert "100" in words(winner, "/me")
    assert f"{points['밥' if right == 'yes' else '앨리스']}" in words(winner, "/me/points")


def make_points(name: str) -> int:
    user = accounts.find_user(name)
    assert isinstance(user, User)
    return make.balance(user)


def test_stranger_changes_nothing(app: Flask) -> None:
    vote = ask(joined(app, "앨리스"))
    stranger = app.test_client()
    form = {"choice": "yes", "csrf_token": token(stranger.get("/login").text)}

    answer = stranger.post(f"{vote}/answer", data=form)

    assert answer.status_code == 303
    assert answer.location.startswith("/login")
    with app.app_context():
        assert db.session.scalars(select(Vote.answer_count)).one() == 0


def test_form_without_its_token_changes_nothing(app: Flask) -> None:
    bob = joined(app, "밥")
    vote = ask(joined(app, "앨리스"))

    answer = bob.post(f"{vote}/answer", data={"choice": "yes"})

    assert answer.status_code == 400
    with app.app_context():
        assert db.session.scalars(select(Vote.answer_count)).one() == 0
