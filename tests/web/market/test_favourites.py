"""The star: set and taken back, by form and by script, by its owner alone."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import market
from tests.conftest import MakeApp, Visitor
from tests.web.visitors import coin, newcomer, person, visitor

STAR = "/coins/BTC/favourite"
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def alice_visits(app: Flask) -> Visitor:
    coin(app)
    return newcomer(app, "alice")


def stars(app: Flask) -> frozenset[str]:
    """The favourites of the first person there is."""
    with app.app_context():
        return market.favourite_codes(user_id=1)


def test_form_sets_and_takes_back_and_returns_to_its_page(
    app: Flask, alice_visits: Visitor
) -> None:
    came_from = {"Referer": "http://localhost/coins?tab=up"}

    answer = alice_visits.post(STAR, data={"wanted": "1"}, headers=came_from)

    assert (answer.status_code, answer.location) == (303, "/coins?tab=up")
    assert stars(app) == {"BTC"}
    alice_visits.post(STAR, data={"wanted": "0"})
    assert stars(app) == frozenset()


def test_sent_twice_it_does_no_harm(app: Flask, alice_visits: Visitor) -> None:
    for _ in range(2):
        assert alice_visits.post(STAR, data={"wanted": "1"}).status_code == 303

    assert stars(app) == {"BTC"}


@pytest.mark.parametrize("wanted", ["1", "0"])
def test_script_is_told_the_outcome(alice_visits: Visitor, wanted: str) -> None:
    answer = alice_visits.post(STAR, data={"wanted": wanted}, headers=SCRIPT)

    assert (answer.status_code, answer.get_json()) == (200, {"favourite": wanted == "1"})


def test_stranger_is_led_to_sign_in(app: Flask, client: FlaskClient) -> None:
    coin(app)

    by_form = client.post(STAR, data={"wanted": "1"})
    by_script = client.post(
        STAR, data={"wanted": "1"}, headers=SCRIPT | {"Referer": "http://localhost/coins?tab=up"}
    )

    assert by_form.location == "/login"
    assert by_script.status_code == 401
    assert by_script.get_json() == {"sign_in": "/login?next=%2Fcoins%3Ftab%3Dup"}


def test_unknown_coin_isnt_there(alice_visits: Visitor) -> None:
    assert alice_visits.post("/coins/NONE/favourite", data={"wanted": "1"}).status_code == 404


def test_form_of_another_site_can_do_nothing(make_app: MakeApp) -> None:
    app = make_app(csrf=True)
    coin(app)
    browser = visitor(app, person(app, "alice"))

    assert browser.post(STAR, data={"wanted": "1"}).status_code == 400
    assert stars(app) == frozenset()


def test_star_is_only_posted(alice_visits: Visitor) -> None:
    assert alice_visits.get(STAR).status_code == 405
