"""Who may use which route: a matrix made from the routes themselves, none left out."""

import re
from datetime import datetime

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.api.openapi import api_rules, method_of
from app.api.told import needs_token
from app.clock import utcnow
from app.models import User
from app.services import accounts, leaving, tokens
from app.wiring import token_key
from tests import factories as make
from tests.api.conftest import BY_SESSION, Client, SignIn

OPEN = {
    "/api/v1/auth", "/api/v1/auth/kakao", "/api/v1/auth/local", "/api/v1/auth/local/signup",
    "/api/v1/auth/token/refresh", "/api/v1/auth/token/verify", "/api/v1/coins",
    "/api/v1/coins/<code>", "/api/v1/coins/<code>/candles", "/api/v1/base-rates", "/api/v1/live",
    "/api/v1/openapi.json", "/coin/tickers_20", "/coin/tickers_db", "/tracker/coins",
}  # fmt: skip

#: The session is nobody's, or the test would sign its own client out.
ARGUMENTS = {
    "mode": "paper",
    "code": "BTC",
    "vote_id": "1",
    "session_id": "999",
    "account_id": "1",
    "backtest_id": "1",
}


def send(client: Client, rule: Rule) -> int:
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ARGUMENTS[found[1]], rule.rule)
    return client.send(method_of(rule), path, {}).status_code


@pytest.fixture
def rules(app: Flask) -> list[Rule]:
    """Signing out comes last, or nothing after it would be allowed."""
    by_token = [rule for rule in api_rules(app) if rule.rule not in BY_SESSION]
    return sorted(by_token, key=lambda rule: "logout" in rule.rule)


def test_open_routes_are_these_and_no_others(app: Flask, rules: list[Rule]) -> None:
    found = {rule.rule for rule in rules if not needs_token(app.view_functions[rule.endpoint])}

    assert found == OPEN


@pytest.mark.parametrize(
    "who", ["nobody", "revoked", "signed out everywhere", "expired", "foreign", "left"]
)
def test_who_is_not_signed_in_uses_open_routes_alone(
    app: Flask, sign_in: SignIn, alice: User, coin: str, rules: list[Rule], who: str
) -> None:
    client = sign_in(alice)
    _spoil(client, alice, who)

    refused = {rule.rule for rule in rules if send(client, rule) == 401}

    assert refused >= {rule.rule for rule in rules} - OPEN
    assert refused - ({rule.rule for rule in rules} - OPEN) <= {"/api/v1/auth/token/verify"}


def _spoil(client: Client, user: User, who: str) -> None:
    if who == "nobody":
        client.access = ""
    if who == "revoked":
        client.post("/auth/logout")
    if who == "signed out everywhere":
        accounts.sign_out_everywhere(user_id=user.id)
    if who == "left":
        leaving.leave(user_id=user.id, confirmation="alice", kakao=None, now=utcnow())
    if who == "expired":
        client.access = _issued(user, token_key(), utcnow() - tokens.ACCESS_FOR)
    if who == "foreign":
        client.access = _issued(user, b"k" * 32, utcnow())


def _issued(user: User, key: bytes, now: datetime) -> str:
    return tokens.issue(user_id=user.id, device="", key=key, now=now).access


@pytest.mark.parametrize("who", ["owner", "other", "staff"])
def test_signed_in_people_are_refused_nowhere_for_who_they_are(
    sign_in: SignIn, alice: User, bob: User, admin: User, rules: list[Rule], who: str
) -> None:
    make.make_vote(alice, now=utcnow())
    client = sign_in({"owner": alice, "other": bob, "staff": admin}[who])

    statuses = {rule.rule: send(client, rule) for rule in rules if "logout-all" not in rule.rule}

    assert {rule for rule, status in statuses.items() if status in (401, 403, 405, 500)} == set()


def test_what_is_ones_own_is_told_to_nobody_else(sign_in: SignIn, alice: User, bob: User) -> None:
    vote = make.make_vote(alice, now=utcnow())
    make.answer(alice, vote, now=utcnow())
    as_bob = sign_in(bob)

    assert as_bob.get(f"/votes/{vote.id}").get_json()["user"]["choice"] is None
    assert as_bob.get("/user/participated-votes").get_json()["votes"] == []
    assert as_bob.get("/user/created-votes").get_json()["votes"] == []
    assert as_bob.get("/points/ledger").get_json()["entry_count"] == 1
