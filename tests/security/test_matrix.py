"""Who may use which route: every route of pages and API, for everybody, from the URL map itself."""

import re
from collections.abc import Iterator
from typing import cast

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.clock import utcnow
from app.db import transaction
from app.extensions import db
from app.models import Picture, User
from app.services import browsers, leaving, tokens
from app.wiring import token_key
from tests import factories as make
from tests.conftest import MakeApp, Visitor
from tests.fake_kakao import FakeKakao
from tests.security.matrix import PEOPLE, STATUSES

#: Files for everybody; nothing of any person is in them.
FILES = {"static", "bootstrap.static"}
ARGUMENTS = {
    "mode": "paper",
    "code": "BTC",
    "vote_id": "1",
    "account_id": "1",
    "backtest_id": "1",
    "run_id": "1",
    "digest": "0" * 64,
    "kind": "ledger",
}


@pytest.fixture
def kakao() -> Iterator[FakeKakao]:
    with FakeKakao() as server:
        yield server


@pytest.fixture
def app(make_app: MakeApp, kakao: FakeKakao) -> Flask:
    return make_app(**kakao.settings(), kakao_redirect_uris=("https://client.example/oauth",))


@pytest.fixture
def rules(app: Flask) -> list[tuple[str, Rule]]:
    """Every route once per method."""
    return [
        (method, rule)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if rule.endpoint not in FILES
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


class Stage:
    """Alice owns vote, account, backtest, run 1, a picture; some others once were as good."""

    def __init__(self, app: Flask, owner: User, other: User, staff: User) -> None:
        self.app = app
        self._ids = {"owner": owner.id, "other": other.id, "staff": staff.id}
        make.make_vote(owner, now=utcnow())
        make.link_account(owner.id, now=utcnow())
        make.make_backtest(owner.id, now=utcnow())
        make.make_run(owner.id, now=utcnow())
        with transaction() as session:
            content = {"media_type": "image/png", "content": b"\x89PNG", "fetched_at": utcnow()}
            session.add(Picture(user_id=owner.id, digest="0" * 64, **content))
        self._over = {"stranger": ("", ""), "dead": self._dead(), "left": self._left()}

    def send(self, who: str, method: str, rule: Rule) -> str:
        """What a request gets by somebody who has just signed in, or tries what is left of that."""
        ident, access = self._over.get(who) or self._signed_in(who)
        known = ARGUMENTS | {"session_id": self._signed_in("owner")[0].rpartition(".")[2]}
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known[found[1]], rule.rule)
        browser = cast(Visitor, self.app.test_client())
        if rule.endpoint.startswith("api-"):
            headers = {"Authorization": f"Bearer {access}"} if access else {}
            return str(browser.open(path, method=method, headers=headers, json={}).status_code)
        with browser.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = ident, True
        answer = browser.open(path, method=method, query_string={"reason": "halted for good"})
        led_away = (answer.location or "").partition("?")[0] == "/login"
        return "login" if led_away else str(answer.status_code)

    def _signed_in(self, who: str) -> tuple[str, str]:
        """What a cookie holds after a sign-in of this moment, and an access token."""
        user = db.session.get(User, self._ids[who], populate_existing=True)
        assert user is not None
        user_id, epoch, now = user.id, user.session_epoch, utcnow()
        number = browsers.begin(user_id=user_id, epoch=epoch, device="", now=now)
        pair = tokens.issue(user_id=user_id, device="", key=token_key(), now=now)
        return f"{user_id}.{epoch}.{number}", pair.access

    def _dead(self) -> tuple[str, str]:
        user_id = self._ids["dead"] = make.make_user("dead").id
        over = self._signed_in("dead")
        for row in tokens.list_sessions(user_id=user_id, now=utcnow()):
            tokens.end_session(user_id=user_id, session_id=row.id, now=utcnow())
        return over

    def _left(self) -> tuple[str, str]:
        user_id = self._ids["left"] = make.make_user("left").id
        over = self._signed_in("left")
        leaving.leave(user_id=user_id, confirmation="left", kakao=None, now=utcnow())
        return over


@pytest.fixture
def stage(app: Flask, alice: User, bob: User, admin: User) -> Stage:
    return Stage(app, alice, bob, admin)


def test_every_route_has_its_row(rules: list[tuple[str, Rule]]) -> None:
    assert {f"{method} {rule.rule}" for method, rule in rules} == set(STATUSES)


@pytest.mark.parametrize("who", PEOPLE)
def test_route_answers_everybody_as_the_matrix_says(
    stage: Stage, rules: list[tuple[str, Rule]], who: str
) -> None:
    found = {f"{method} {rule.rule}": stage.send(who, method, rule) for method, rule in rules}

    assert found == {route: row[PEOPLE.index(who)] for route, row in STATUSES.items()}


@pytest.mark.parametrize("who", ["other", "staff"])
def test_session_of_somebody_else_goes_on(
    stage: Stage, alice: User, rules: list[tuple[str, Rule]], who: str
) -> None:
    for method, rule in rules:
        if "<int:session_id>" in rule.rule:
            stage.send(who, method, rule)

    assert len(tokens.list_sessions(user_id=alice.id, now=utcnow())) == 4
