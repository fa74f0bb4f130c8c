"""What may stand in an address: numbers of rows in one way of writing them, modes by name."""

import re

import pytest
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound

from app.api.openapi import api_rules, method_of
from app.domain.runs import BotMode


@pytest.mark.parametrize("text", ["1", "12", "9" * 18])
def test_number_of_a_row_is_read(app: Flask, text: str) -> None:
    _endpoint, values = app.url_map.bind("").match(f"/votes/{text}")

    assert values == {"vote_id": int(text)}


@pytest.mark.parametrize(
    "text",
    ["0", "007", "-1", "+1", "1.0", "1e3", "1_0", "１２", "٣", str(2**63), "9" * 5000, "NaN"],
)
def test_what_no_row_can_have_as_its_number_leads_nowhere(app: Flask, text: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        with pytest.raises(NotFound):
            app.url_map.bind("").match(f"/api/v1/desk/accounts/{text}", method)


@pytest.mark.parametrize("text", ["btc", "BTC\x00", "A B", "비트", "A" * 21, "%"])
def test_what_no_coin_is_called_leads_nowhere(app: Flask, text: str) -> None:
    place = app.url_map.bind("")

    assert place.match("/api/v1/user/favourites/1INCH", "PUT")[1] == {"code": "1INCH"}
    with pytest.raises(NotFound):
        place.match(f"/api/v1/user/favourites/{text}", "PUT")


def test_bot_is_named_by_its_mode(app: Flask) -> None:
    place = app.url_map.bind("")

    found = {mode: place.match(f"/api/v1/desk/bots/{mode}")[1] for mode in BotMode}

    assert found == {mode: {"mode": mode} for mode in BotMode}
    with pytest.raises(NotFound):
        place.match("/api/v1/desk/bots/real")


def test_halting_and_lifting_are_no_modes(app: Flask) -> None:
    for deed in ("halt", "lift"):
        with pytest.raises(MethodNotAllowed) as refused:
            app.url_map.bind("").match(f"/api/v1/desk/bots/{deed}")
        assert set(refused.value.valid_methods or ()) == {"POST", "OPTIONS"}


def test_every_address_for_clients_has_both_slash_forms(app: Flask) -> None:
    one_form = {"/api/v1/auth", "/api/v1/acc-percent", "/api/v1/openapi.json"}
    known = {"int": "7", "coin": "BTC", "mode": "paper", "": "BTC"}
    place = app.url_map.bind("")
    for rule in api_rules(app):
        path = re.sub(r"<(?:(\w+):)?\w+>", lambda found: known[found[1] or ""], rule.rule)
        if rule.rule not in one_form:
            slashed = place.match(f"{path}/", method_of(rule))
            assert slashed == place.match(path, method_of(rule)), rule.rule
