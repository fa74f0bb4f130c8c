"""The first desk's client, by its own requests: the way in by keys, one's coins, list D by row."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.db import transaction
from app.domain.exchanges import ExchangeName, Keys, OrderKind, OrderState, Side
from app.domain.runs import BotMode, BotState, OrderReason
from app.extensions import db
from app.models import Bot, BotRun, Holding, LinkedAccount, Order, Position, User
from app.services import exchanges, market
from app.simulator import Simulator
from app.web.desk.samples import SAMPLES
from tests import factories as make
from tests.conftest import MakeApp, Visitor
from tests.web.desk.conftest import fetch, linked
from tests.web.visitors import PASSWORD, person, visitor

HOME = "http://localhost"
ELSEWHERE = "https://desk.example"
GOOD = {"status": "200", "validation": True}
EMPTY_DAY = {"open": 0, "high": 0, "low": 0, "close": 0, "volume": 0}
TEXT = "text/plain;charset=UTF-8"


def browser_of(app: Flask) -> Visitor:
    return cast(Visitor, app.test_client())


def log_in(
    browser: FlaskClient,
    sample: int = 0,
    *,
    kind: str | None = TEXT,
    origin: str | None = HOME,
    **other: str,
) -> TestResponse:
    """What the client's `fetch("/login", {method: "POST", body: JSON.stringify(…)})` sends."""
    keys = {"publicKey": SAMPLES[sample].access, "privateKey": SAMPLES[sample].secret} | other
    headers = {"Origin": origin} if origin else {}
    return browser.post("/login", data=json.dumps(keys), content_type=kind, headers=headers)


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


@pytest.fixture
def inside(app: Flask) -> Visitor:
    """A browser that came in by Upbit's keys, with the balances there."""
    browser = browser_of(app)
    assert log_in(browser).get_json() == GOOD
    fetch(app)
    return browser


@pytest.mark.parametrize(
    "kind", [TEXT, "application/json", "application/x-www-form-urlencoded", None, "image/png"]
)
def test_b2_keys_come_as_json_whatever_the_content_type_says(app: Flask, kind: str | None) -> None:
    answer = log_in(browser_of(app), kind=kind)

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json() == GOOD


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_b2_keys_come_as_a_form_too(app: Flask, kind: str) -> None:
    form = {"publicKey": SAMPLES[1].access, "privateKey": SAMPLES[1].secret}

    answer = browser_of(app).post("/login", data=form, content_type=kind)

    assert answer.get_json() == GOOD
    assert [one.exchange for one in linked(app)] == [ExchangeName.BITHUMB]


def test_both_slash_forms_are_answered_directly(app: Flask, inside: Visitor) -> None:
    form = {"publicKey": SAMPLES[0].access, "privateKey": SAMPLES[0].secret}

    statuses = [browser_of(app).post("/login/", data=form).status_code]
    statuses += [
        inside.get(path).status_code for path in ("/coin", "/coin/", "/coin/clientassets/")
    ]

    assert statuses == [200] * 4


@pytest.mark.parametrize(
    "body",
    [
        "{", "{}", '{"publicKey": 5, "privateKey": null}', '{"publicKey": "short"}',
        '{"publicKey": "NOBODYS-ACCESS-KEY", "privateKey": "nobodys-secret-key"}',
        '{"publicKey": "with a blank in it", "privateKey": "nobodys-secret-key"}',
        '{"a": ' * 5000,
    ],
)  # fmt: skip
def test_b2_refused_keys_are_http_200_with_a_real_boolean(app: Flask, body: str) -> None:
    answer = browser_of(app).post("/login", data=body, content_type=TEXT)

    told = answer.get_json()
    assert (answer.status_code, told["status"], told["validation"]) == (200, "200", False)
    assert (told["reason"], bool(told["message"])) == ("refused", True)
    assert (people(app), linked(app)) == (0, [])


def test_json_that_is_no_object_is_refused_too(app: Flask) -> None:
    answer = browser_of(app).post("/login", json=["a", "b"])

    assert (answer.status_code, answer.get_json()["validation"]) == (200, False)


def test_the_pages_own_form_is_untouched_by_it(make_app: MakeApp) -> None:
    app = make_app(csrf=True)
    person(app, password=PASSWORD)
    browser = browser_of(app)
    form = {"nickname": "alice", "password": PASSWORD}

    assert browser.post("/login", data=form).status_code == 400
    token = browser.get("/login").text.split('name="csrf_token" type="hidden" value="')[1]
    form["csrf_token"] = token.partition('"')[0]
    assert browser.post("/login", data=form).status_code == 303


def test_keys_need_no_form_token(make_app: MakeApp, venue: Simulator) -> None:
    app = make_app(csrf=True, upbit_url=venue.url, bithumb_url=venue.bithumb_url)

    assert log_in(browser_of(app)).get_json() == GOOD


@pytest.mark.parametrize("origin", [ELSEWHERE, "null", "http://localhost.evil.example"])
def test_d4_pages_of_others_can_not_sign_anybody_in(app: Flask, origin: str) -> None:
    answer = log_in(browser_of(app), origin=origin)

    assert (answer.status_code, answer.get_json()["validation"]) == (403, False)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert linked(app) == []


def test_d4_browser_that_says_cross_site_is_believed(app: Flask) -> None:
    keys = {"publicKey": SAMPLES[0].access, "privateKey": SAMPLES[0].secret}

    answer = browser_of(app).post(
        "/login", data=json.dumps(keys), headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403


def test_origin_that_is_allowed_may_read_the_answer(make_app: MakeApp, venue: Simulator) -> None:
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url, cors_origins=(ELSEWHERE,))
    asked = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"}

    first = app.test_client().options("/login", headers=asked)
    answer = log_in(browser_of(app), origin=ELSEWHERE)

    assert (first.status_code, answer.get_json()) == (204, GOOD)
    for told in (first, answer):
        assert told.headers["Access-Control-Allow-Origin"] == ELSEWHERE


def test_pages_are_not_told_to_other_origins(make_app: MakeApp) -> None:
    client = make_app(cors_origins=(ELSEWHERE,)).test_client()

    page = client.get("/login", headers={"Origin": ELSEWHERE})

    assert "Access-Control-Allow-Origin" not in page.headers


def test_holding_has_the_fields_and_types_of_the_contract(app: Flask, inside: Visitor) -> None:
    rows = {row["ticker"]: row for row in inside.get("/coin").get_json()}

    assert "KRW" not in rows
    row = rows["BTC"]
    assert set(row) == {"name", "ticker", "buy_price", "buy_time", "quantity", "fee"} | set(
        EMPTY_DAY
    )
    assert (row["name"], row["quantity"], row["fee"]) == ("비트코인", 0.05, 0)
    assert all(isinstance(row[name], (int, float)) for name in {*EMPTY_DAY, "buy_price"})
    assert row["buy_price"] > 0


def test_coin_that_no_market_knows_is_a_row_without_figures(inside: Visitor) -> None:
    rows = {row["ticker"]: row for row in inside.get("/coin").get_json()}

    assert rows["OLDCOIN"]["name"] == "OLDCOIN"
    assert rows["OLDCOIN"]["quantity"] == 321.5
    assert {name: rows["OLDCOIN"][name] for name in EMPTY_DAY} == EMPTY_DAY
    assert "OLDCOIN" not in inside.get("/coin/clientassets").get_json()


def test_live_rows_are_those_of_ones_own_coins(inside: Visitor) -> None:
    rows = inside.get("/coin/clientassets").get_json()

    assert set(rows) == {"BTC", "ETH", "XRP", "DOGE"}
    assert {"ticker", "cur_price", "chgAmt", "chgRate", "value"} <= set(rows["BTC"])


def test_b3_b4_strangers_get_empty_shapes_with_the_status(app: Flask) -> None:
    stranger = app.test_client()

    answers = [stranger.get(path) for path in ("/coin", "/coin/", "/coin/clientassets")]

    assert [(one.status_code, one.get_json()) for one in answers] == [
        (401, []), (401, []), (401, {}),
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), [("/coin", []), ("/coin/clientassets", {})])
def test_b3_b4_shapes_hold_when_the_server_fails(
    app: Flask, inside: Visitor, monkeypatch: pytest.MonkeyPatch, path: str, body: object
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("app.api.desk.exchanges.owned_coins", lambda **_: 1 / 0)

    answer = inside.get(path)

    assert (answer.status_code, answer.get_json()) == (500, body)


def test_b5_time_is_a_text_that_is_true_to_its_zone(app: Flask, inside: Visitor) -> None:
    times = [row["buy_time"] for row in inside.get("/coin").get_json()]

    [account] = linked(app)
    for text in times:
        moment = datetime.fromisoformat(text)
        assert moment.utcoffset() == timedelta(hours=9)
        assert moment == account.linked_at


def test_d1_two_browsers_see_two_people(app: Flask) -> None:
    one, other = browser_of(app), browser_of(app)
    log_in(one, 0)
    log_in(other, 1)
    fetch(app)

    tickers = [
        {row["ticker"] for row in browser.get("/coin").get_json()} for browser in (one, other)
    ]

    assert tickers == [{"BTC", "ETH", "XRP", "DOGE", "OLDCOIN"}, {"BTC", "SOL"}]
    assert people(app) == 2
    assert app.test_client().get("/coin").get_json() == []


def test_d2_refused_login_leaves_the_session_as_it_was(app: Flask, inside: Visitor) -> None:
    before = inside.get("/coin").get_json()

    answer = log_in(inside, publicKey="NOBODYS-ACCESS-KEY")

    assert answer.get_json()["validation"] is False
    assert inside.get("/coin").get_json() == before
    assert len(linked(app)) == 1


def test_d3_keys_are_not_kept_in_clear(app: Flask, inside: Visitor) -> None:
    [account] = linked(app)

    kept = " ".join(str(getattr(account, column.key)) for column in LinkedAccount.__table__.columns)
    assert SAMPLES[0].access not in kept
    assert SAMPLES[0].secret not in kept
    assert account.user_id == 1


@pytest.mark.parametrize("mode", ["maintenance", "429", "5xx", "html", "dead"])
def test_d8_outage_is_neither_a_yes_nor_a_wrong_key(
    app: Flask, venue: Simulator, mode: str
) -> None:
    venue.fault(mode, for_s=60, group="account")

    answer = log_in(browser_of(app))

    told = answer.get_json()
    assert (answer.status_code, told["validation"], told["reason"]) == (200, False, "unknown")
    assert people(app) == 0


def test_d9_one_call_brings_all_balances(app: Flask, venue: Simulator) -> None:
    log_in(browser_of(app))
    before = venue.requests["/v1/accounts"]

    fetch(app)

    assert venue.requests["/v1/accounts"] == before + 1


def test_d10_holdings_change_when_the_account_does(
    app: Flask, inside: Visitor, venue: Simulator
) -> None:
    with app.app_context(), transaction() as session:
        session.get_one(LinkedAccount, 1).balances_at = utcnow() - timedelta(seconds=15)
        session.execute(delete(Holding))
    assert inside.get("/coin").get_json() == []

    fetch(app)

    assert len(inside.get("/coin").get_json()) == 5


def test_d11_nothing_fails_before_a_login(app: Flask) -> None:
    stranger = app.test_client()

    statuses = [
        stranger.get(path).status_code for path in ("/login", "/coin", "/coin/clientassets")
    ]

    assert statuses == [200, 401, 401]


def test_d17_purchase_of_our_bot_has_its_own_time_and_fee(app: Flask, inside: Visitor) -> None:
    bought_at = utcnow().replace(microsecond=0) - timedelta(hours=3)
    with app.app_context():
        trade(1, bought_at, "137.5")

    rows = {row["ticker"]: row for row in inside.get("/coin").get_json()}

    assert datetime.fromisoformat(rows["BTC"]["buy_time"]) == bought_at
    assert (rows["BTC"]["fee"], rows["ETH"]["fee"]) == (137.5, 0)


def test_d18_and_d38_no_request_asks_the_exchange(
    app: Flask, inside: Visitor, venue: Simulator
) -> None:
    before = dict(venue.requests)

    for path in ("/coin", "/coin/clientassets", "/coin/tickers_20", "/coin/tickers_db", "/desk"):
        assert inside.get(path).status_code == 200

    assert dict(venue.requests) == before


def test_d19_account_without_coins_is_an_empty_list(app: Flask, venue: Simulator) -> None:
    venue.add_account("bithumb", "EMPTY-ACCESS-KEY", "an-empty-secret", {"KRW": "100"})
    browser = browser_of(app)
    log_in(browser, publicKey="EMPTY-ACCESS-KEY", privateKey="an-empty-secret")
    fetch(app)

    answers = [browser.get(path) for path in ("/coin", "/coin/clientassets")]

    assert [(one.status_code, one.get_json()) for one in answers] == [(200, []), (200, {})]


def test_d38_yesterdays_candle_is_the_stored_one(app: Flask, inside: Visitor) -> None:
    with app.app_context():
        coin = market.get_coin("BTC")
        assert coin
        make.make_candles(coin, "100", "120", until=utcnow())
        market.catalogue(utcnow())

    row = next(row for row in inside.get("/coin").get_json() if row["ticker"] == "BTC")

    assert [row[name] for name in ("open", "high", "low", "close", "volume")] == [
        100, 120, 100, 120, 1,
    ]  # fmt: skip


def test_same_keys_in_another_browser_are_the_same_person(app: Flask, inside: Visitor) -> None:
    other = browser_of(app)
    log_in(other)

    assert other.get("/coin").get_json() == inside.get("/coin").get_json()
    assert people(app) == 1


def test_keys_of_the_signed_in_are_linked_to_them(app: Flask) -> None:
    browser = visitor(app, person(app))

    assert log_in(browser).get_json() == GOOD

    assert [one.user_id for one in linked(app)] == [1]
    assert people(app) == 1


def test_keys_of_somebody_else_change_nobodys_session(app: Flask, inside: Visitor) -> None:
    browser = visitor(app, person(app, "bob"))

    assert log_in(browser).get_json()["validation"] is False
    assert browser.get("/coin").get_json() == []


def test_same_coin_at_two_exchanges_is_one_row(app: Flask, inside: Visitor) -> None:
    log_in(inside, 1)
    fetch(app)

    [row] = [row for row in inside.get("/coin").get_json() if row["ticker"] == "BTC"]

    with app.app_context():
        [owned] = [
            one for one in exchanges.owned_coins(user_id=1, now=utcnow()) if one.code == "BTC"
        ]
        accounts = exchanges.list_accounts(user_id=1, now=utcnow())
    prices = [
        one.avg_buy_price for acc in accounts for one in acc.holdings if one.currency == "BTC"
    ]
    assert row["quantity"] == 0.07
    assert owned.avg_price == (
        (Decimal("0.05") * (prices[0] or 0) + Decimal("0.02") * (prices[1] or 0)) / Decimal("0.07")
    ).quantize(Decimal("1e-8"))


def test_coin_of_which_no_exchange_tells_a_price_cost_nothing_known(app: Flask) -> None:
    browser = browser_of(app)
    log_in(browser)
    fetch(app)
    with app.app_context(), transaction() as session:
        for holding in session.query(Holding):
            holding.avg_buy_price = None

    assert {row["buy_price"] for row in browser.get("/coin").get_json()} == {0}


def test_tries_are_limited_with_an_answer_the_client_reads(
    make_app: MakeApp, venue: Simulator
) -> None:
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url, rate_limits=True)
    browser = browser_of(app)

    answers = [log_in(browser, publicKey="short") for _ in range(7)]

    assert [one.status_code for one in answers] == [200] * 6 + [429]
    assert answers[-1].get_json()["validation"] is False
    assert answers[-1].headers["Retry-After"]


def trade(account_id: int, at: datetime, fee: str) -> None:
    """A live bot of ours that bought bitcoin."""
    amounts = {
        "signal_price": Decimal(1), "executed_volume": Decimal("0.01"),
        "executed_funds": Decimal(1), "paid_fee": Decimal(fee),
    }  # fmt: skip
    with transaction() as session:
        bot = Bot(
            user_id=1, mode=BotMode.LIVE, exchange=ExchangeName.UPBIT, account_id=account_id,
            state=BotState.RUNNING, settings="{}", created_at=at, updated_at=at,
        )  # fmt: skip
        session.add(bot)
        session.flush()
        run = BotRun(bot_id=bot.id, started_at=at, start_value=Decimal(1))
        session.add(run)
        session.flush()
        session.add(
            Order(
                bot_id=bot.id, run_id=run.id, client_id="ours-1", market="KRW-BTC",
                day=date(2026, 11, 20), side=Side.BUY, reason=OrderReason.ENTRY,
                kind=OrderKind.MARKET, funds=Decimal(1), state=OrderState.FILLED, created_at=at,
                **amounts,
            )
        )  # fmt: skip
        session.add(
            Position(
                bot_id=bot.id, market="KRW-BTC", volume=Decimal("0.01"), cost=Decimal(1),
                day=date(2026, 11, 20), opened_at=at,
            )
        )  # fmt: skip


def test_keys_read_as_nothing_in_a_text() -> None:
    assert "secret" not in repr(Keys("an-access-key", "a-secret-key"))
