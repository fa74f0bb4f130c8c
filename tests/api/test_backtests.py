"""Backtests over JSON: asked once per key, followed by ETag, one's own alone."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.jobs.backtests import BacktestWorker
from app.jobs.guard import Steps
from app.models import User
from app.services.trading import backtests, testing
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of
from tests.conftest import MakeApp

HERE = "/desk/backtests"
CLOSES = [str(50_000 + 250 * (n * n % 17 + n // 7)) for n in range(120)]


@pytest.fixture(autouse=True)
def _bitcoin(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "SHUFFLES", 3)
    make.make_candles(make.make_coin("BTC", observed_at=utcnow()), *CLOSES, until=utcnow())


@pytest.fixture
def mine(sign_in: SignIn, alice: User) -> Client:
    return sign_in(alice)


def test_what_was_asked_is_made_and_told_with_its_figures(app: Flask, mine: Client) -> None:
    made = mine.post(HERE, {"codes": "btc", "days": "120", "window": "20"})
    ident = made.get_json()["backtest_id"]
    waiting = mine.get(f"{HERE}/{ident}").get_json()

    app.extensions["whaling_scheduler"] = "leader"
    BacktestWorker(app, second=lambda: 30).work(Steps(now=utcnow()))
    told = mine.get(f"{HERE}/{ident}").get_json()

    assert made.status_code == 201
    assert (waiting["state"], waiting["result"], waiting["total"]) == ("waiting", None, 4)
    assert (told["state"], told["done"]) == ("done", 4)
    assert told["settings"]["codes"] == "BTC"
    assert told["result"]["version"] == 2
    coin = told["result"]["coins"][0]
    assert coin["data"]["known"] == 120
    assert len(coin["ks"]) == 9
    assert {type(one["bought_at"]) for one in coin["trades"]} == {int}  # numbers, as all prices
    assert {type(one["k"]) for one in coin["ks"]} == {float}
    assert coin["out_of_sample"]["trades"] == sum(one["part"] == "out" for one in coin["trades"])


def test_unchanged_answer_costs_nothing(mine: Client) -> None:
    ident = mine.post(HERE, {"codes": "BTC"}).get_json()["backtest_id"]
    first = mine.get(f"{HERE}/{ident}")

    again = mine.get(f"{HERE}/{ident}", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304


def test_same_key_asks_once(mine: Client) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = (mine.post(HERE, {"codes": "BTC"}, headers=key) for _ in range(2))

    assert first.get_json() == second.get_json()
    assert len(mine.get(HERE).get_json()) == 1


def test_list_tells_no_results(mine: Client, alice: User) -> None:
    make.make_backtest(alice.id, now=utcnow())

    rows = mine.get(HERE).get_json()

    assert [row["state"] for row in rows] == ["done"]
    assert "result" not in rows[0]


def test_cancelling_ends_it_and_again_is_harmless(mine: Client) -> None:
    ident = mine.post(HERE, {"codes": "BTC"}).get_json()["backtest_id"]

    statuses = [mine.delete(f"{HERE}/{ident}").status_code for _ in range(2)]

    assert statuses == [204, 204]
    assert mine.get(f"{HERE}/{ident}").get_json()["state"] == "cancelled"


def test_nobody_reads_or_ends_anybody_elses(mine: Client, sign_in: SignIn, bob: User) -> None:
    ident = mine.post(HERE, {"codes": "BTC"}).get_json()["backtest_id"]
    stranger = sign_in(bob)

    assert stranger.get(f"{HERE}/{ident}").status_code == 404
    assert stranger.delete(f"{HERE}/{ident}").status_code == 404
    assert stranger.get(HERE).get_json() == []
    assert mine.get(f"{HERE}/{ident}").get_json()["state"] == "waiting"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "codes", "field_missing"),
        ({"codes": 7}, "codes", "not_text"),
        ({"codes": "GONE"}, "codes", "coin_unknown"),
        ({"codes": ""}, "codes", "bot_coins_count"),
        ({"codes": "BTC,BTC"}, "codes", "bot_coins_twice"),
        ({"codes": "BTC", "plays": "luck"}, "plays", "strategy_unknown"),
        ({"codes": "BTC", "days": "x"}, "days", "not_a_number"),
        ({"codes": "BTC", "days": "1.5"}, "days", "setting_too_fine"),
        ({"codes": "BTC", "days": "9"}, "days", "setting_out_of_bounds"),
        ({"codes": "BTC", "k_first": ""}, "k_first", "field_missing"),
        ({"codes": "BTC", "k_first": "1"}, "k_first", "grid_size"),
        ({"codes": "BTC", "plays": "crossing", "short": "30"}, "short", "means_out_of_order"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    mine: Client, body: dict[str, object], field: str, code: str
) -> None:
    answer = mine.post(HERE, body)

    assert answer.status_code == 400
    assert answer.get_json()["error"]["fields"] == {field: [code]}
    assert mine.get(HERE).get_json() == []


def test_fourth_unfinished_one_is_refused(mine: Client) -> None:
    for _ in range(3):
        mine.post(HERE, {"codes": "BTC"})

    refused = mine.post(HERE, {"codes": "BTC"})

    assert (refused.status_code, code_of(refused)) == (409, "backtests_unfinished")


def test_asking_has_a_limit_of_its_own(make_app: MakeApp, alice: User, sign_in: SignIn) -> None:
    access = sign_in(alice).access
    busy = Client(make_app(rate_limits=True).test_client(), access)

    statuses = [busy.post(HERE, {"codes": ""}).status_code for _ in range(11)]

    assert statuses == [400] * 10 + [429]
    assert backtests.list_backtests(user_id=alice.id) == []
