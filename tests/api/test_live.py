"""The live board over JSON: exact, public, sent once, written once per change."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.api import live
from app.clock import utcnow
from app.domain.market import Ticker
from app.models import User
from app.services import market
from tests import factories as make
from tests.api.conftest import Client, code_of
from tests.conftest import MakeApp, Visitor
from tests.fakes import FakeMarket

TRADED = datetime(2026, 3, 2, 3, 4, 29, tzinfo=UTC)


@pytest.fixture
def board(stranger: Client) -> Client:
    """BTC and a coin far below one won, both traded just now."""
    make.make_coin("BTC", price=None)
    make.make_coin("PEPE", price=None)
    tell()
    return stranger


def tell(btc: str = "146918000.5", pepe: str = "0.00012345") -> None:
    """What the exchange says now."""
    rows = (
        Ticker(
            "KRW-BTC", Decimal(btc), TRADED, utcnow(), Decimal("144000000"),
            Decimal("147000000"), Decimal("143000000"), 0.0202, 4.128e11,
        ),
        Ticker("KRW-PEPE", Decimal(pepe), TRADED, utcnow()),
    )  # fmt: skip
    market.store_tickers(market=FakeMarket(*rows), now=utcnow())


def codes(response: TestResponse) -> list[str]:
    return [row[0] for row in response.get_json()["coins"]]


def test_row_tells_prices_with_their_exact_digits(board: Client) -> None:
    response = board.get("/live")

    assert (
        b'["BTC",146918000.5,144000000,0.0202,412800000000.0,143000000,147000000,1772420669,'
        in response.data
    )
    assert b'["PEPE",0.00012345,null,null,null,null,null,1772420669,' in response.data


def test_row_tells_when_the_exchange_was_last_heard_of_its_coin(board: Client) -> None:
    told = board.get("/live").get_json()

    heard = datetime.fromisoformat(told["as_of"]).timestamp()
    assert [row[8] for row in told["coins"]] == [int(heard)] * len(told["coins"])


def test_age_and_source_are_told(board: Client) -> None:
    told = board.get("/live").get_json()

    assert 0 <= told["age_s"] < 5
    assert told["as_of"].endswith("Z")
    assert told["source"] == "none"


def test_before_the_first_price_the_board_is_empty(stranger: Client) -> None:
    assert stranger.get("/live").get_json() == {
        "as_of": None, "age_s": None, "source": "none", "coins": [],
    }  # fmt: skip


def test_named_coins_alone_are_told_and_unknown_ones_are_absent(board: Client) -> None:
    assert codes(board.get("/live?codes=PEPE,NONE")) == ["PEPE"]
    assert codes(board.get("/live?board=top20")) == ["BTC", "PEPE"]
    assert codes(board.get("/live")) == ["BTC", "PEPE"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("board=top21", "board_unknown"),
        ("codes=", "codes_invalid"),
        ("codes=btc", "codes_invalid"),
        ("codes=BTC%00", "codes_invalid"),
        ("codes=" + ",".join(["BTC"] * 101), "codes_invalid"),
    ],
)
def test_selection_that_cant_be_is_refused(stranger: Client, query: str, code: str) -> None:
    response = stranger.get(f"/live?{query}")

    assert (response.status_code, code_of(response)) == (400, code)


def test_a_hundred_codes_are_taken(board: Client) -> None:
    assert codes(board.get("/live?codes=" + ",".join(["BTC"] * 100))) == ["BTC"]


def test_what_is_known_already_isnt_sent_again(board: Client) -> None:
    etag = board.get("/live").headers["ETag"]

    same = board.get("/live", headers={"If-None-Match": etag})
    other = board.get("/live?codes=BTC", headers={"If-None-Match": etag})

    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


def test_change_is_sent_at_once(board: Client) -> None:
    etag = board.get("/live?codes=PEPE").headers["ETag"]

    tell(pepe="0.00012346")

    changed = board.get("/live?codes=PEPE", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert b"0.00012346" in changed.data


def test_viewers_cost_one_serialisation_per_change(
    board: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, written = utcnow(), []
    exact = live.exact
    monkeypatch.setattr(live, "utcnow", lambda: now)

    def counted(value: Any) -> str:
        written.append(value)
        return exact(value)

    monkeypatch.setattr(live, "exact", counted)

    def look() -> int:
        written.clear()
        for _ in range(50):
            assert board.get("/live?board=top20").status_code == 200
        return sum(isinstance(one, list) for one in written)

    assert look() == 1
    assert look() == 0
    tell(btc="146918001")
    assert look() == 1


def test_selections_nobody_shares_dont_pile_up(board: Client) -> None:
    for number in range(300):
        board.get(f"/live?codes=BTC&n={number}")

    kept = live._written[market.live_board(utcnow())]
    assert len(kept) <= 200


def test_address_of_kilobytes_is_answered_and_not_remembered(board: Client) -> None:
    assert board.get(f"/live?codes=BTC&n={'x' * 5_000}").status_code == 200

    kept = live._written[market.live_board(utcnow())]
    assert max(map(len, kept), default=0) < 5_000


def test_age_is_that_of_the_moment_of_asking(
    board: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = board.get("/live").get_json()["age_s"]
    now = utcnow()
    monkeypatch.setattr(live, "utcnow", lambda: now + timedelta(seconds=100))

    assert board.get("/live").get_json()["age_s"] > first + 99


def test_another_process_tells_what_the_leader_wrote(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, standby = make_app(), make_app()
    now = utcnow()
    with leader.app_context():
        make.make_coin(price="100", observed_at=now)
    assert b'["BTC",100,' in standby.test_client().get("/api/v1/live").data

    with leader.app_context():
        make.set_price("BTC", "101", at=now)
    monkeypatch.setattr(live, "utcnow", lambda: now + timedelta(seconds=2))

    assert b'["BTC",101,' in standby.test_client().get("/api/v1/live").data


def test_answer_says_nothing_of_who_asks(board: Client) -> None:
    response = board.get("/live")

    assert response.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in response.headers
    assert "RateLimit-Limit" not in response.headers


def test_cookies_of_a_person_are_never_looked_at(app: Flask, alice: User) -> None:
    browser = cast(Visitor, app.test_client()).sign_in(alice)

    assert "Cookie" not in browser.get("/api/v1/live").headers["Vary"]
    assert "Cookie" in browser.get("/api/v1/coins").headers["Vary"]


def test_asking_every_second_never_meets_a_limit(make_app: MakeApp) -> None:
    app: Flask = make_app(rate_limits=True)
    client = app.test_client()

    assert {client.get("/api/v1/live").status_code for _ in range(300)} == {200}


def test_board_is_only_read(stranger: Client) -> None:
    assert stranger.post("/live").status_code == 405
