"""The staff's page about candles: for staff alone, true figures, reasons in words."""

import pytest
from flask import Flask

from app.clock import utcnow
from app.services import jobs as records
from app.services import market
from app.services.market import FILLING_JOB
from tests import factories as make
from tests.web.visitors import coin, newcomer

PAGE = "/staff/candles"


def failed(app: Flask, *problems: str) -> None:
    """Candles of a coin each that could not be had."""
    for number, problem in enumerate(problems):
        coin(app, f"C{number}")
        with app.app_context():
            target = market.candle_targets(now=utcnow(), codes=[f"C{number}"])[0]
            market.push_back(target=target, problem=problem, now=utcnow())


def test_page_is_for_staff_alone(app: Flask) -> None:
    assert newcomer(app, "staff", is_staff=True).get(PAGE).status_code == 200
    assert newcomer(app, "bob").get(PAGE).status_code == 403
    assert app.test_client().get(PAGE).location.startswith("/login")


def test_page_tells_what_is_known_and_what_is_missing(app: Flask) -> None:
    coin(app)
    with app.app_context():
        found = market.get_coin("BTC")
        assert found is not None
        make.make_candles(found, *["1"] * 400, until=utcnow())

    page = newcomer(app, is_staff=True).get(PAGE).text

    assert "1 / 1" in page
    assert "0 / 1" in page
    assert "다 알고 있어요" not in page
    assert "쉬는 중" in page
    assert "못 받은 캔들이 없어요." in page


def test_page_tells_the_pace_and_how_long_it_takes(app: Flask) -> None:
    coin(app)
    with app.app_context():
        records.record_run(
            job=FILLING_JOB,
            holder="",
            started_at=utcnow(),
            finished_at=utcnow(),
            ok=True,
            report={"calls": 48, "seconds": 10.0},
        )

    page = newcomer(app, is_staff=True).get(PAGE).text

    assert "초당 4.8번" in page
    assert "0초" in page


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("UnknownMarket: HTTP 404", "거래소에 시장이 없어요"),
        ("Implausible: went from 1 to 10", "아는 값과 어긋나요"),
        ("Unavailable: HTTP 500", "쓸 수 있는 답이 없어요"),
        ("ValueError: <b>", "쓸 수 있는 답이 없어요"),
    ],
)
def test_reasons_are_told_in_words_with_the_raw_text_beside(
    app: Flask, problem: str, words: str
) -> None:
    failed(app, problem)

    page = newcomer(app, is_staff=True).get(PAGE).text

    assert words in page
    assert problem.replace("<b>", "&lt;b&gt;") in page
    assert "1번" in page


def test_long_list_of_failures_is_cut(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.market.filling.MOST_FAILING", 2)
    failed(app, *["Unavailable: no"] * 3)

    assert newcomer(app, is_staff=True).get(PAGE).text.count("Unavailable: no") == 2


def test_empty_database_has_a_page_too(app: Flask) -> None:
    assert "아직 코인이 없어요" in newcomer(app, is_staff=True).get(PAGE).text


def test_staff_finds_the_page_from_their_own(app: Flask) -> None:
    assert f'href="{PAGE}"' in newcomer(app, "staff", is_staff=True).get("/me").text
    assert f'href="{PAGE}"' not in newcomer(app, "bob").get("/me").text
