"""The ledger page and the daily top-up."""

import pytest
from flask import Flask
from sqlalchemy import text

from app.clock import utcnow
from app.extensions import db
from tests import factories
from tests.web.visitors import balance, newcomer, person, said, visitor


def test_ledger_shows_reason_change_and_running_balance(app: Flask) -> None:
    with app.app_context():
        alice = factories.make_user("alice")
        vote = factories.make_vote(alice).id
        client = visitor(app, alice)

    page = client.get("/me/points")

    shown = said(page)
    assert "질문 만들기 비트코인, 1일 뒤 10% 이상 오를까요?" in shown
    assert "−50 250" in shown
    assert "+300 300" in shown
    assert f'href="/votes/{vote}"' in page.text


def test_books_that_agree_say_so(app: Flask) -> None:
    shown = said(newcomer(app).get("/me/points"))

    assert "장부가 맞아요 기록 1개를 모두 더하면 300개예요." in shown


def test_books_that_disagree_say_so(app: Flask) -> None:
    alice = person(app)
    with app.app_context():
        db.session.execute(text("UPDATE users SET points = points + 1"))
        db.session.commit()

    assert "장부가 맞지 않아요" in said(visitor(app, alice).get("/me/points"))


def test_top_up_gives_10_once_a_day(app: Flask) -> None:
    alice = person(app)
    client = visitor(app, alice)
    assert "오늘의 고래밥 +10 받기" in said(client.get("/me/points"))

    first, second = client.post("/me/top-up"), client.post("/me/top-up")

    assert (first.status_code, first.location) == (303, "/me/points")
    assert second.status_code == 303
    assert balance(app, alice) == 310
    shown = said(client.get("/me/points"))
    assert "이제 310개예요" in shown
    assert "오늘의 고래밥은 이미 받았어요" in shown
    assert "다음은" in shown


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_top_up_leads_to_no_other_host(app: Flask, wanted: str) -> None:
    answer = newcomer(app).post("/me/top-up", data={"next": wanted})

    assert answer.location == "/me/points"


@pytest.mark.parametrize(("side", "there", "away"), [("in", "+300", "−50"), ("out", "−50", "+300")])
def test_ledger_shows_one_side_alone(app: Flask, side: str, there: str, away: str) -> None:
    with app.app_context():
        alice = factories.make_user("alice")
        factories.make_vote(alice, now=utcnow())
        client = visitor(app, alice)

    table = said(client.get(f"/me/points?side={side}")).partition("언제, 왜")[2]

    rows = table.partition("장부가")[0]
    assert there in rows
    assert away not in rows


def test_long_ledger_goes_on_page_by_page(app: Flask) -> None:
    with app.app_context():
        alice = factories.make_user("alice", points=2000)
        for pct in range(1, 33):
            factories.make_vote(alice, range_pct=pct)
        client = visitor(app, alice)

    first = client.get("/me/points").text
    after = first.split("before=")[1].partition('"')[0]
    second = client.get(f"/me/points?before={after}").text

    assert (first.count("<tr><th"), second.count("<tr><th")) == (31, 4)
    assert 'rel="next"' not in second


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=" + "9" * 30, "side=🐳", "side="]
)
def test_nonsense_in_the_address_shows_the_ledger(app: Flask, query: str) -> None:
    assert "+300" in said(newcomer(app).get(f"/me/points?{query}"))


def test_ledger_is_ones_own(app: Flask) -> None:
    with app.app_context():
        alice, bob = factories.make_user("alice"), factories.make_user("bob", points=77)
        factories.make_vote(alice)
        client = visitor(app, bob)

    shown = said(client.get("/me/points"))

    assert "+77 77" in shown
    assert "비트코인" not in shown
