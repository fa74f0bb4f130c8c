"""Clients: who speaks JSON, with a token or without."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app.api.examples import ANY_FIELD, turned_down
from app.api.openapi import api_rules, method_of
from app.api.told import codes_of, told_by
from app.clock import utcnow
from app.models import User
from app.services import tokens
from app.wiring import token_key
from tests import factories as make

API = "/api/v1"
#: For the desk's first client, which has a browser's session and no token.
BY_SESSION = {"/coin", "/coin/clientassets", "/coin/start"}


class Client:
    """A client of the API: `get`, `post`, `put` and so on under /api/v1, JSON both ways."""

    def __init__(self, flask_client: FlaskClient, access: str = "", refresh: str = "") -> None:
        self.raw, self.access, self.refresh = flask_client, access, refresh

    def send(self, method: str, path: str, json: Any = None, **more: Any) -> TestResponse:
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        if self.access:
            headers.setdefault("Authorization", f"Bearer {self.access}")
        where = path if path.startswith(("/api", "/tracker", "/coin/")) else API + path
        if json is not None:
            more["json"] = json
        response = self.raw.open(where, method=method, headers=headers, **more)
        _see_it_was_told(self.raw.application, response)
        return response

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.send("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self.send("POST", path, json, **more)

    def put(self, path: str, **more: Any) -> TestResponse:
        return self.send("PUT", path, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self.send("PATCH", path, json, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        return self.send("DELETE", path, **more)


SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in(app: Flask, session: Session) -> SignIn:
    """A client with fresh tokens for a person."""

    def issue(user: User) -> Client:
        pair = tokens.issue(user_id=user.id, device="test", key=token_key(), now=utcnow())
        return Client(app.test_client(), pair.access, pair.refresh)

    return issue


@pytest.fixture
def stranger(app: Flask, session: Session) -> Client:
    """A client without tokens."""
    return Client(app.test_client())


@pytest.fixture
def as_alice(sign_in: SignIn, alice: User) -> Client:
    return sign_in(alice)


@pytest.fixture
def as_bob(sign_in: SignIn, bob: User) -> Client:
    return sign_in(bob)


@pytest.fixture
def coin(session: Session) -> str:
    """BTC at 100 won, observed just now by the real clock."""
    make.make_coin(observed_at=utcnow())
    return "BTC"


@pytest.fixture
def readable(app: Flask, alice: User, bob: User) -> dict[str, str]:
    """Every address that is read with a token, as it is described, and such a one of Bob's."""
    vote = make.make_vote(alice, now=utcnow())
    make.make_settled_vote(alice, now=utcnow())
    make.answer(bob, vote, now=utcnow())
    account = make.link_account(bob.id, now=utcnow())
    backtest = make.make_backtest(bob.id, now=utcnow())
    values = {"vote_id": vote.id, "code": "BTC", "account_id": account.id, "mode": "paper",
              "backtest_id": backtest}  # fmt: skip
    reads = [rule.rule for rule in api_rules(app) if method_of(rule) == "GET"]
    by_token = [rule for rule in reads if rule not in {*BY_SESSION, f"{API}/openapi.json"}]
    described = [re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule) for rule in by_token]
    return {address: address.format(**values) for address in described}


def _see_it_was_told(app: Flask, response: TestResponse) -> None:
    """Every answer in the tests is one that the endpoint says it gives."""
    place = app.url_map.bind("localhost")
    try:
        endpoint, _values = place.match(response.request.path, response.request.method)
    except HTTPException:
        return
    view = app.view_functions[endpoint]
    told = told_by(view)
    if told is None or response.request.method == "OPTIONS" or response.status_code == 304:
        return
    if response.status_code < 400:
        assert response.status_code in told.answers
        return
    body = response.get_json()
    code = body["error"]["code"]
    assert codes_of(view)[code] == response.status_code
    with app.test_request_context():
        example = turned_down(endpoint, view, code, response.status_code)
    assert _places(body) == _places(example), f"app/api/examples.py tells another {code}"


def _places(body: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Where a refusal stands: its fields, and what stands beside `error`.

    A field that is missing, of another kind or out of bounds may be any.
    """
    fields, beside = set(body["error"]["fields"]), set(body)
    if body["error"]["code"] in (*ANY_FIELD, "number_out_of_bounds"):
        return {"any"}, beside - fields
    return fields, beside


def code_of(response: TestResponse) -> str:
    """The code of a refusal, after a look at its shape."""
    error = response.get_json()["error"]
    assert set(error) == {"code", "message", "fields"}
    assert error["message"]
    return str(error["code"])


def first_field(response: TestResponse) -> str:
    """The first field that a refusal names, whose messages are a list of texts."""
    name, messages = next(iter(response.get_json().items()))
    assert all(isinstance(one, str) for one in messages), messages
    return str(name)
