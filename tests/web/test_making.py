"""Making a question: four steps in the address, one summary, one payment."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.extensions import db
from app.models import User, Vote
from app.services.points import audit
from app.web.making.choices import COIN, DIRECTION, DURATION, RANGE, SUMMARY, Choices, judge
from tests import factories
from tests.web.visitors import balance, coin, newcomer, person, said, visitor

ALL = {"coin": "BTC", "duration": "week", "range": "5", "direction": "up"}
FULL = Choices(**ALL)


@pytest.fixture
def alice(app: Flask) -> User:
    coin(app)
    return person(app)


@pytest.fixture
def browser(app: Flask, alice: User) -> FlaskClient:
    return visitor(app, alice)


def made(app: Flask) -> int:
    """How many votes there are."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Vote)) or 0


def key_of(answer: TestResponse) -> str:
    found = re.search(r'name="request_key" value="(\w+)"', answer.text)
    assert found, said(answer)
    return found[1]


def step_of(client: FlaskClient, **choices: str) -> str:
    """Which step the page of these choices shows."""
    shown = said(client.get("/create", query_string=choices))
    return next((n for n in ("1/4", "2/4", "3/4", "4/4") if f"{n} " in shown), "summary")


def test_four_steps_lead_to_the_summary_and_the_new_question(
    app: Flask, alice: User, browser: FlaskClient
) -> None:
    choices: dict[str, str] = {}
    for number, (name, value) in enumerate(ALL.items(), 1):
        assert step_of(browser, **choices) == f"{number}/4"
        choices[name] = value
    summary = browser.get("/create", query_string=choices)
    assert "비트코인 , 1주일 뒤 5% 이상 오를까요?" in said(summary)
    assert "300 → 250" in said(summary)

    answer = browser.post("/create", data=choices | {"request_key": key_of(summary)})

    assert answer.status_code == 303
    shown = said(browser.get(answer.location))
    assert "비트코인, 1주일 뒤 5% 이상 오를까요?" in shown
    assert "고래밥이 250개 남았어요" in shown
    assert balance(app, alice) == 250


def test_summary_sent_twice_is_one_question_paid_once(
    app: Flask, alice: User, browser: FlaskClient
) -> None:
    form = ALL | {"request_key": key_of(browser.get(FULL.url()))}

    places = {browser.post("/create", data=form).location for _ in range(2)}

    assert len(places) == 1
    assert (made(app), balance(app, alice)) == (1, 250)


def test_two_tabs_ask_two_questions(app: Flask, alice: User, browser: FlaskClient) -> None:
    one = ALL | {"request_key": key_of(browser.get(FULL.url()))}
    other = ALL | {"range": "7", "request_key": key_of(browser.get(FULL.url(range="7")))}

    for form in (one, other):
        browser.post("/create", data=form)

    assert (made(app), balance(app, alice)) == (2, 200)


def test_form_sent_again_with_another_question_asks_nothing_more(
    app: Flask, alice: User, browser: FlaskClient
) -> None:
    key = key_of(browser.get(FULL.url()))
    browser.post("/create", data=ALL | {"request_key": key})

    answer = browser.post("/create", data=ALL | {"range": "7", "request_key": key})

    assert "이미 다른 질문을 만들었어요" in said(browser.get(answer.location))
    assert (made(app), balance(app, alice)) == (1, 250)


def test_reading_the_summary_again_and_again_changes_nothing(
    app: Flask, alice: User, browser: FlaskClient
) -> None:
    keys = {key_of(browser.get(FULL.url())) for _ in range(3)}

    assert len(keys) == 3
    assert (made(app), balance(app, alice)) == (0, 300)


@pytest.mark.parametrize(
    ("changes", "step", "sentence"),
    [
        ({"coin": "NOPE"}, "1/4", "그런 코인은 없어요"),
        ({"coin": "OLD"}, "1/4", "거래 지원이 끝난 코인"),
        ({"duration": "year"}, "2/4", "기간을 1일, 1주일, 1개월 중에서"),
        ({"range": "0"}, "3/4", "1부터 300까지 쓸 수 있어요."),
        ({"range": "301"}, "3/4", "1부터 300까지 쓸 수 있어요."),
        ({"range": "-5"}, "3/4", "정수로 적어 주세요"),
        ({"range": "5.5"}, "3/4", "정수로 적어 주세요"),
        ({"range": "9" * 5000}, "3/4", "정수로 적어 주세요"),
        ({"range": "🐳\x00"}, "3/4", "정수로 적어 주세요"),
        ({"direction": "sideways"}, "4/4", "오를지 내릴지"),
        ({"direction": "down", "range": "100"}, "3/4", "내리는 쪽은 99까지만"),
    ],
)
def test_wrong_choice_is_sent_back_to_its_step(
    app: Flask, browser: FlaskClient, changes: dict[str, str], step: str, sentence: str
) -> None:
    coin(app, "OLD", delisted_at=utcnow())
    form = ALL | changes | {"request_key": "0" * 32}

    answer = browser.post("/create", data=form)

    assert answer.status_code == 303
    shown = said(browser.get(answer.location))
    assert f"{step} " in shown
    assert sentence in shown
    assert made(app) == 0


def test_wrong_range_stays_in_its_field_with_the_other_choices(browser: FlaskClient) -> None:
    page = browser.get("/create", query_string=ALL | {"range": "five"}).text

    assert 'name="range"' in page
    assert 'value="five"' in page
    assert 'aria-invalid="true"' in page
    for name in ("coin", "duration", "direction"):
        assert f'<input type="hidden" name="{name}" value="{ALL[name]}">' in page


def test_range_sent_without_a_number_is_asked_for(browser: FlaskClient) -> None:
    steps = {"coin": "BTC", "duration": "week"}

    first = browser.get("/create", query_string=steps).text
    empty = browser.get("/create", query_string=steps | {"range": " "}).text

    assert 'role="alert"' not in first
    assert 'aria-invalid="true"' in empty
    assert "1부터 300까지의 정수로" in empty


def test_without_any_coin_the_list_is_waited_for(app: Flask) -> None:
    shown = said(newcomer(app).get("/create"))

    assert "거래소에서 목록을 받는 대로 보여드려요." in shown
    assert "검색어 지우기" not in shown


@pytest.mark.parametrize("typed", ["5%", " 5 ", "５", "005"])
def test_range_is_read_as_people_write_it(typed: str) -> None:
    assert judged(range=typed).range_pct == 5


def judged(**changes: str):
    """How far the full choices carry with some changed, on a market of one coin."""
    with_coin = {"BTC": FakeCoin()}
    return judge(Choices(**(ALL | changes)), with_coin)  # type: ignore[arg-type]


class FakeCoin:
    """As much of a coin as the choices look at."""

    is_active = True


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, SUMMARY),
        ({"coin": ""}, COIN),
        ({"duration": "", "direction": "sideways"}, DURATION),
        ({"range": "1"}, SUMMARY),
        ({"range": "300"}, SUMMARY),
        ({"range": "99", "direction": "down"}, SUMMARY),
        ({"range": "100", "direction": "down"}, RANGE),
        ({"direction": ""}, DIRECTION),
    ],
)
def test_first_step_missing_or_wrong_is_shown(changes: dict[str, str], step: int) -> None:
    assert judged(**changes).step == step


def test_what_is_wrong_is_no_part_of_the_sentence() -> None:
    found = judged(range="500")

    assert (found.step, found.range_pct, found.asked) == (RANGE, None, None)


def test_going_back_keeps_every_choice(browser: FlaskClient) -> None:
    page = browser.get(FULL.url(2)).text

    assert "2/4" in page
    assert "duration=day&amp;range=5&amp;direction=up" in page


@pytest.mark.parametrize("step", ["0", "-3", "x", "99", "9" * 5000])
def test_impossible_step_is_the_first_open_one(browser: FlaskClient, step: str) -> None:
    assert step_of(browser, coin="BTC", step=step) == "2/4"


def test_fall_of_a_hundred_percent_isnt_offered(browser: FlaskClient) -> None:
    page = browser.get("/create", query_string=ALL | {"range": "150", "direction": ""}).text

    assert "direction=up" in page
    assert "direction=down" not in page


@pytest.mark.parametrize("query", ["비트", "btc", "ㅂㅌ", "BITC"])
def test_coin_is_found_by_code_name_and_initials(browser: FlaskClient, query: str) -> None:
    assert "coin=BTC" in browser.get("/create", query_string={"q": query}).text


def test_search_without_a_hit_names_what_was_sought(browser: FlaskClient) -> None:
    shown = said(browser.get("/create", query_string={"q": "<b>없는</b>"}))

    assert "‘<b>없는</b>’ 코인은 없어요" in shown


def test_stale_price_refuses_with_its_age_and_charges_nothing(app: Flask) -> None:
    coin(app, seen=utcnow() - timedelta(seconds=100))
    alice = person(app)
    client = visitor(app, alice)

    summary = client.get(FULL.url())
    answer = client.post("/create", data=ALL | {"request_key": "0" * 32})

    assert "지금은 질문을 만들 수 없어요" in said(summary)
    assert "1분 전" in said(summary)
    assert "request_key" not in summary.text
    assert "시세가 오래돼서" in said(client.get(answer.location))
    assert (made(app), balance(app, alice)) == (0, 300)


def test_coin_never_priced_has_a_summary_that_says_so(app: Flask) -> None:
    coin(app, price=None)

    shown = said(newcomer(app).get(FULL.url()))

    assert "아직 시세를 받지 못했어요." in shown


def test_too_few_points_are_told_with_the_way_out(app: Flask) -> None:
    coin(app)
    alice = person(app, points=46)
    client = visitor(app, alice)

    summary = client.get(FULL.url())
    answer = client.post("/create", data=ALL | {"request_key": "0" * 32})

    assert "고래밥이 4개 모자라요" in said(summary)
    assert 'href="/me/points"' in summary.text
    assert "request_key" not in summary.text
    assert "고래밥이 4개 모자라요" in said(client.get(answer.location))
    assert (made(app), balance(app, alice)) == (0, 46)


def test_staff_ask_for_free(app: Flask) -> None:
    coin(app)
    admin = person(app, "admin", points=0, is_staff=True)
    client = visitor(app, admin)

    summary = client.get(FULL.url())
    client.post("/create", data=ALL | {"request_key": key_of(summary)})

    assert "무료로 만들기" in said(summary)
    assert (made(app), balance(app, admin)) == (1, 0)


def test_twin_is_offered_before_paying(app: Flask, alice: User, browser: FlaskClient) -> None:
    with app.app_context():
        bob = factories.make_user("bob")
        twin = factories.make_vote(bob, duration="week", range_pct=5, now=utcnow()).id

    page = browser.get(FULL.url())

    offer, anyway = (page.text.index(text) for text in ("이 질문에 답하기", "그래도 고래밥 50개로"))
    assert offer < anyway
    assert f'href="/votes/{twin}"' in page.text
    assert page.text.count("btn-primary") == 1
    browser.post("/create", data=ALL | {"request_key": key_of(page)})
    assert made(app) == 2


@pytest.mark.parametrize("key", ["", "short", "z" * 32, "0" * 5000, "0" * 31 + "\x00"])
def test_form_without_its_key_asks_nothing(app: Flask, browser: FlaskClient, key: str) -> None:
    answer = browser.post("/create", data=ALL | {"request_key": key})

    assert (answer.status_code, answer.location) == (303, FULL.url())
    assert made(app) == 0


def test_address_keeps_what_was_typed_sound_or_not(browser: FlaskClient) -> None:
    answer = browser.post("/create", data=ALL | {"range": "a&b=c", "direction": ""})

    query = parse_qs(urlsplit(answer.location).query)
    assert query == {"coin": ["BTC"], "duration": ["week"], "range": ["a&b=c"]}


def test_books_agree_after_all_that(app: Flask, alice: User, browser: FlaskClient) -> None:
    for _ in range(7):
        key = "0" * 31 + str(_)
        browser.post("/create", data=ALL | {"request_key": key})

    assert (made(app), balance(app, alice)) == (6, 0)
    with app.app_context():
        assert list(audit()) == []
