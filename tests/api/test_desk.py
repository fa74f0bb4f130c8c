"""The desk's market, row by row of its contract: shapes, sensitive spots (B), old defects (D)."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.exceptions import HTTPException

from app import wiring
from app.api import desk
from app.clock import utcnow
from app.domain.kst import KST
from app.domain.market import CandleUnit, Ticker
from app.extensions import db
from app.models import Coin
from app.services import market
from tests import factories as make
from tests.api.conftest import Client
from tests.conftest import MakeApp
from tests.fakes import FakeMarket

HOME = "https://desk.example"
LIVE, DAYS = "/coin/tickers_20", "/coin/tickers_db"
EMPTY = {
    "name": "", "ticker": "", "datetime": "",
    "open": 0, "high": 0, "low": 0, "close": 0, "volume": 0,
}  # fmt: skip


def trade(
    code: str,
    price: str = "110",
    prev: str | None = "100",
    *,
    today: float | None = 5e9,
    day: float = 9e9,
) -> None:
    """Let a coin be traded, making it where it isn't there yet."""
    if market.get_coin(code) is None:
        make.make_coin(code, price=None, korean_name=f"{code}(코인)")
    now = utcnow()
    row = Ticker(
        f"KRW-{code}", Decimal(price), now, now, prev_close=prev and Decimal(prev),
        turnover_24h=day, turnover_today=today,
    )  # fmt: skip
    market.store_tickers(market=FakeMarket(row), now=now)


def finish_days(code: str, *closes: str) -> None:
    """Give a coin finished days, the newest last."""
    coin = market.get_coin(code)
    assert coin is not None
    make.make_candles(coin, *closes, until=utcnow())


def test_a_live_row_has_the_fields_and_types_of_the_contract(stranger: Client) -> None:
    trade("BTC", "110", "100")

    assert stranger.get(LIVE).get_json() == {
        "BTC": {
            "ticker": "BTC", "cur_price": 110, "chgAmt": 10, "chgRate": 10, "value": 5e9,
            "accu_price": 5e9, "chg_rate": 10,
        }
    }  # fmt: skip


def test_a_live_row_of_a_fall_is_negative(stranger: Client) -> None:
    trade("BTC", "97.5", "100")

    row = stranger.get(LIVE).get_json()["BTC"]

    assert (row["chgAmt"], row["chgRate"]) == (-2.5, -2.5)


def test_a_live_row_of_a_price_that_stood_still_is_zero(stranger: Client) -> None:
    trade("BTC", "100", "100")

    assert b'"chgAmt":0,"chgRate":0,' in stranger.get(LIVE).data


@pytest.mark.parametrize("missing", ["prev", "today"])
def test_a_coin_without_a_whole_tick_is_missing(stranger: Client, missing: str) -> None:
    trade("BTC")
    trade("NEW", **{missing: None})  # type: ignore[arg-type]
    make.make_coin("NONE", price=None)

    assert set(stranger.get(LIVE).get_json()) == {"BTC"}


def test_a_day_row_has_the_fields_and_types_of_the_contract(stranger: Client) -> None:
    trade("BTC")
    finish_days("BTC", "100", "120")

    [row] = stranger.get(DAYS).get_json()

    assert set(row) == set(EMPTY)
    assert (row["name"], row["ticker"]) == ("BTC", "BTC")
    assert [row[name] for name in ("open", "high", "low", "close", "volume")] == [
        100, 120, 100, 120, 1.0,
    ]  # fmt: skip


def test_a_days_time_is_true_to_its_zone(stranger: Client) -> None:
    trade("BTC")
    finish_days("BTC", "100")

    began = datetime.fromisoformat(stranger.get(DAYS).get_json()[0]["datetime"])

    assert began.utcoffset() == timedelta(hours=9)
    assert (began.hour, began.minute) == (9, 0)
    assert began + timedelta(days=1) <= utcnow()


@pytest.mark.parametrize("path", [LIVE, DAYS])
@pytest.mark.parametrize("slash", ["", "/"])
def test_b6_both_slash_forms_are_answered_directly_with_cors(
    make_app: MakeApp, path: str, slash: str
) -> None:
    client = make_app(cors_origins=(HOME,)).test_client()

    answer = client.get(path + slash, headers={"Origin": HOME})

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, HOME)


def test_b1_no_identity_is_needed(client: FlaskClient) -> None:
    assert [client.get(path).status_code for path in (LIVE, DAYS)] == [200, 200]


def test_b3_days_are_an_array_when_there_is_no_data(stranger: Client) -> None:
    trade("BTC")

    assert stranger.get(DAYS).get_json() == [EMPTY]


def test_b4_live_rows_are_an_object_when_there_is_no_data(stranger: Client) -> None:
    assert stranger.get(LIVE).get_json() == {}


def test_b5_time_is_a_text_when_there_is_no_data(stranger: Client) -> None:
    assert stranger.get(DAYS).get_json()[0]["datetime"] == ""


@pytest.mark.parametrize(("path", "body"), [(LIVE, {}), (DAYS, [EMPTY])])
def test_b3_b4_shapes_hold_when_the_server_fails(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, path: str, body: object
) -> None:
    app = make_app(cors_origins=(HOME,))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(desk.market, "live_board", lambda _now: 1 / 0)

    answer = app.test_client().get(path, headers={"Origin": HOME})

    assert (answer.status_code, answer.get_json()) == (500, body)
    assert answer.headers["Access-Control-Allow-Origin"] == HOME


def test_d12_days_are_the_newest_that_are_over(stranger: Client) -> None:
    trade("BTC")
    finish_days("BTC", "100", "110", "125")

    [row] = stranger.get(DAYS).get_json()

    began = datetime.fromisoformat(row["datetime"])
    assert row["close"] == 125
    assert timedelta(days=1) <= utcnow() - began < timedelta(days=2, minutes=1)


def test_d14_the_twenty_are_ranked_by_turnover(stranger: Client) -> None:
    for number in range(22):
        trade(f"C{number:02}", day=1e9 + number)
        finish_days(f"C{number:02}", "100")

    expected = [f"C{number:02}" for number in range(21, 1, -1)]
    assert list(stranger.get(LIVE).get_json()) == expected
    assert [row["ticker"] for row in stranger.get(DAYS).get_json()] == expected


@pytest.mark.parametrize(
    ("price", "prev", "told"),
    [
        ("0.00012345", "0.00012346", b'"cur_price":0.00012345,"chgAmt":-0.00000001,'),
        ("0.5", "0.75", b'"cur_price":0.5,"chgAmt":-0.25,"chgRate":-33.33333333,'),
        ("146918000", "144264000", b'"cur_price":146918000,"chgAmt":2654000,'),
    ],
)
def test_d16_nothing_is_cut_for_coins_below_one_won(
    stranger: Client, price: str, prev: str, told: bytes
) -> None:
    trade("BTC", price, prev)

    assert told in stranger.get(LIVE).data


def test_d17_times_are_aware(stranger: Client) -> None:
    trade("BTC")
    finish_days("BTC", "100")

    began = datetime.fromisoformat(stranger.get(DAYS).get_json()[0]["datetime"])

    assert began.tzinfo is not None
    assert began.astimezone(KST).hour == 9


def test_d18_and_d38_nobodys_request_asks_the_exchange(
    app: Flask, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port of the exchange is closed in tests: a call would fail, and would be seen here."""
    trade("BTC")
    finish_days("BTC", "100")
    asked: list[str] = []
    monkeypatch.setattr(wiring, "market", lambda: asked.append("market"))

    assert stranger.get(LIVE).status_code == stranger.get(DAYS).status_code == 200
    assert asked == []


def test_d38_days_are_read_once_and_not_per_request(app: Flask, stranger: Client) -> None:
    trade("BTC")
    finish_days("BTC", "100")
    stranger.get(DAYS)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    for _ in range(5):
        stranger.get(DAYS)

    assert [one for one in statements if "candles" in one] == []


def test_delisted_coins_arent_among_them(stranger: Client) -> None:
    make.make_coin("GONE", delisted_at=utcnow())
    trade("BTC")

    assert set(stranger.get(LIVE).get_json()) == {"BTC"}
    assert db.session.query(Coin).count() == 2


def test_minutes_and_hours_are_no_days(stranger: Client) -> None:
    trade("BTC")
    coin = market.get_coin("BTC")
    assert coin is not None
    make.make_candles(coin, "100", unit=CandleUnit.HOUR, until=utcnow())

    assert stranger.get(DAYS).get_json() == [EMPTY]


def test_refusals_of_http_keep_their_headers(app: Flask) -> None:
    class Later(HTTPException):
        code = 503

        def get_headers(self, *_: object) -> list[tuple[str, str]]:
            return [("Content-Type", "text/html"), ("Retry-After", "5")]

    with app.test_request_context(LIVE):
        answer = desk._failed(Later())

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.mimetype == "application/json"
