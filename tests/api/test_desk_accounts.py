"""Linked accounts over JSON: what is told, what is refused and how, whose they are."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.clock import utcnow
from app.extensions import db
from app.models import LinkedAccount, User
from app.services import exchanges, market
from app.services.exchanges import Doors, Sealer
from app.simulator import Simulator
from app.wiring import broker, fingerprint_key, sealing_keys
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of
from tests.conftest import MakeApp

ACCESS, SECRET = "json-access-key-3F9A", "json-secret-key-0001"
KEYS = {"exchange": "upbit", "access_key": ACCESS, "secret_key": SECRET}
HERE = "/desk/accounts"


@pytest.fixture(scope="module")
def venue() -> Iterator[Simulator]:
    with Simulator(markets=3, rate_limit=None) as sim:
        money = {"KRW": "1000", "BTC": "0.5", "GONE": "7"}
        sim.add_account("upbit", ACCESS, SECRET, money)
        yield sim


@pytest.fixture
def app(make_app: MakeApp, venue: Simulator) -> Iterator[Flask]:
    venue.clear_faults()
    app = make_app(upbit_url=venue.url, bithumb_url=venue.bithumb_url)
    with app.app_context():
        now = utcnow()
        market.refresh_listings(market=app.extensions["whaling_market"], now=now)
        market.store_tickers(market=app.extensions["whaling_market"], now=now)
    yield app
    venue.clear_faults()


@pytest.fixture
def owner(session: object) -> User:
    return make.make_user("owner", password="a-long-password")


@pytest.fixture
def mine(sign_in: SignIn, owner: User) -> Client:
    return sign_in(owner)


def linked() -> int:
    db.session.rollback()
    kept = select(func.count()).where(LinkedAccount.sealed_keys.is_not(None))
    return db.session.scalar(kept) or 0


def link(client: Client, **other: str) -> Any:
    return client.post(HERE, KEYS | other)


def test_good_key_is_linked_and_no_answer_holds_it(mine: Client) -> None:
    answer = link(mine)

    told = answer.get_json()
    assert answer.status_code == 201
    assert (told["exchange"], told["last_four"], told["state"]) == ("upbit", "3F9A", "good")
    assert (told["can_trade"], told["problem"], told["holdings"]) == (True, None, [])
    assert told["balances_at"] is None
    assert not any(word in answer.text for word in (ACCESS, SECRET))


def test_holdings_are_told_with_exact_digits(app: Flask, mine: Client) -> None:
    ident = link(mine).get_json()["id"]
    doors = Doors(Sealer(sealing_keys(), fingerprint_key()), broker)
    exchanges.refresh(account_id=ident, doors=doors, now=utcnow())

    answer = mine.get(f"{HERE}/{ident}")

    told = answer.get_json()
    held = {one["currency"]: one for one in told["holdings"]}
    assert held["KRW"] | {"currency": "KRW"} == {
        "currency": "KRW", "free": 1000, "locked": 0, "avg_buy_price": None, "price": None,
        "value": 1000, "profit": None,
    }  # fmt: skip
    assert held["GONE"]["value"] is None
    assert held["BTC"]["value"] == held["BTC"]["price"] / 2
    assert sum(one["percent"] for one in told["shares"]) == pytest.approx(100)
    assert b'"free":0.5,' in answer.data
    assert mine.get(HERE).get_json() == [told]


def test_share_of_the_small_ones_has_no_currency(mine: Client, owner: User) -> None:
    row = make.link_account(owner.id, now=utcnow())
    for number in range(6):
        make.make_coin(f"SML{number}", price="100")
        make.hold(row.id, f"SML{number}", "1")

    [told] = mine.get(HERE).get_json()

    assert [one["currency"] for one in told["shares"]] == ["SML0", "SML1", "SML2", None]


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"exchange": "binance"}, 400, "exchange_unknown", "exchange"),
        ({"access_key": ""}, 400, "exchange_key_shape", "access_key"),
        ({"access_key": "nobodys-access-key"}, 400, "exchange_key_invalid", "access_key"),
        ({"exchange": "bithumb"}, 400, "exchange_key_invalid", "access_key"),
    ],
)
def test_refusal_has_its_code_at_its_field(
    mine: Client, wrong: dict[str, str], status: int, code: str, field: str
) -> None:
    answer = link(mine, **wrong)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert list(answer.get_json()["error"]["fields"]) == [field]
    assert linked() == 0


def test_exchange_that_is_closed_is_503_and_changes_nothing(mine: Client, venue: Simulator) -> None:
    venue.fault("maintenance", for_s=60, group="account")

    answer = link(mine)

    assert (answer.status_code, code_of(answer)) == (503, "exchange_maintenance")
    assert linked() == 0


def test_key_of_somebody_else_is_409_and_says_not_whose(mine: Client, as_bob: Client) -> None:
    link(mine)

    answer = link(as_bob)

    assert (answer.status_code, code_of(answer)) == (409, "exchange_key_taken")
    assert "owner" not in answer.text


def test_sixth_account_is_409(mine: Client, owner: User) -> None:
    for _ in range(5):
        make.link_account(owner.id)

    assert code_of(link(mine)) == "exchange_links_full"


def test_key_is_checked_anew(mine: Client, venue: Simulator) -> None:
    ident = link(mine).get_json()["id"]
    venue.fault("maintenance", for_s=60, group="account")

    told = mine.post(f"{HERE}/{ident}/check").get_json()

    assert (told["state"], told["problem"]) == ("good", "maintenance")


def test_unlinking_wipes_the_key_and_is_gone_afterwards(mine: Client) -> None:
    ident = link(mine).get_json()["id"]

    assert mine.delete(f"{HERE}/{ident}").status_code == 204
    assert linked() == 0
    assert code_of(mine.delete(f"{HERE}/{ident}")) == "not_found"
    assert mine.get(HERE).get_json() == []


def test_last_way_in_stays(as_bob: Client) -> None:
    ident = link(as_bob).get_json()["id"]

    answer = as_bob.delete(f"{HERE}/{ident}")

    assert (answer.status_code, code_of(answer)) == (409, "last_way_in")


@pytest.mark.parametrize("number", ["1", "999", "9" * 40])
@pytest.mark.parametrize(("method", "deed"), [("GET", ""), ("DELETE", ""), ("POST", "/check")])
def test_account_of_somebody_else_is_not_there(
    mine: Client, as_bob: Client, number: str, method: str, deed: str
) -> None:
    link(mine)

    assert code_of(as_bob.send(method, f"{HERE}/{number}{deed}")) == "not_found"
    assert linked() == 1


def test_tries_are_limited(make_app: MakeApp, venue: Simulator) -> None:
    app = make_app(upbit_url=venue.url, rate_limits=True)
    client = Client(app.test_client())
    signed = client.post("/auth/local/signup", {"nickname": "x", "password": "a-long-password"})
    client.access = signed.get_json()["token"]["access_token"]

    answers = [link(client, access_key="").status_code for _ in range(11)]

    assert answers == [400] * 10 + [429]
