"""How often it happened before, on the way to a question."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.services import market
from tests import factories
from tests.web.visitors import coin, newcomer, said

SO_FAR = {"coin": "BTC", "duration": "day"}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """Somebody who may ask about Bitcoin, which nobody knows anything of yet."""
    coin(app)
    return newcomer(app)


@pytest.fixture
def history(app: Flask, browser: FlaskClient) -> None:
    """Eleven finished days: up by a tenth, and back again by a little less."""
    with app.app_context():
        found = market.get_coin("BTC")
        assert found is not None
        factories.make_candles(found, *["100", "110"] * 5, "100", until=utcnow())


def step(browser: FlaskClient, number: int, **choices: str) -> TestResponse:
    return browser.get("/create", query_string=SO_FAR | choices | {"step": str(number)})


def typed(browser: FlaskClient, value: str) -> TestResponse:
    """What the script gets while this is typed."""
    return browser.get("/create/rates", query_string=SO_FAR | {"range": value})


def test_the_third_step_tells_of_5_pct_before_anything_is_chosen(
    browser: FlaskClient, history: None
) -> None:
    shown = said(step(browser, 3))

    assert "5% 이상 오름 50.0% 5일" in shown
    assert "5% 이상 내림 50.0% 5일" in shown
    assert "10일을 세었어요." in shown


def test_the_third_step_tells_of_the_range_that_was_chosen(
    browser: FlaskClient, history: None
) -> None:
    shown = said(step(browser, 3, range="10"))

    assert "10% 이상 오름 50.0% 5일" in shown
    assert "10% 이상 내림 0.0% 0일" in shown


def test_a_range_that_is_no_fall_tells_of_rises_alone(browser: FlaskClient, history: None) -> None:
    shown = said(step(browser, 3, range="120"))

    assert "120% 이상 오름 0.0% 0일" in shown
    assert "120% 이상 내림" not in shown


def test_the_fourth_step_tells_it_per_direction(browser: FlaskClient, history: None) -> None:
    shown = said(step(browser, 4, range="10"))

    assert "예전에는 10일 중 5일이 그랬어요 (50.0%)." in shown
    assert "예전에는 10일 중 0일이 그랬어요 (0.0%)." in shown


def test_the_summary_tells_it_before_paying(browser: FlaskClient, history: None) -> None:
    shown = said(step(browser, 5, range="10", direction="up"))

    assert "예전에는 50.0% 10일 중 5일" in shown
    assert "이 코인은 10일만 알아서" in shown


def test_nothing_known_is_said_in_each_step(browser: FlaskClient) -> None:
    assert "아직 몰라요. 일봉을 모으는 중이에요." in said(step(browser, 3))
    assert "예전에는" not in said(step(browser, 4, range="10"))
    assert "예전에는 아직 몰라요" in said(step(browser, 5, range="10", direction="up"))


def test_what_is_typed_is_told_at_once(browser: FlaskClient, history: None) -> None:
    answer = typed(browser, "7%")

    assert "7% 이상 오름 50.0% 5일" in said(answer)
    assert "<html" not in answer.text


@pytest.mark.parametrize("value", ["abc", "0", "301", "9" * 40])
def test_what_cant_be_a_range_is_told_nothing(
    browser: FlaskClient, history: None, value: str
) -> None:
    answer = typed(browser, value)

    assert (answer.status_code, said(answer)) == (200, "")


def test_rates_known_already_arent_sent_again(browser: FlaskClient, history: None) -> None:
    tag = typed(browser, "7").headers["ETag"]

    again = browser.get(
        "/create/rates",
        query_string=SO_FAR | {"range": "7"},
        headers={"If-None-Match": tag},
    )

    assert again.status_code == 304


@pytest.mark.parametrize("choices", [{}, {"coin": "BTC"}, {"coin": "NOPE", "duration": "day"}])
def test_without_coin_and_period_there_is_nothing(
    browser: FlaskClient, choices: dict[str, str]
) -> None:
    assert browser.get("/create/rates", query_string=choices).status_code == 404


def test_strangers_are_led_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/create/rates", query_string=SO_FAR).location.startswith("/login")
