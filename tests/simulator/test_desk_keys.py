"""Who may ask: tokens as Upbit and Bithumb check them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from app.simulator import Simulator
from tests.simulator.signing import SECRET, Client, name_of, packed

_numbers = count(1)


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(markets=3, speed=0, rate_limit=None) as running:
        yield running


def client(sim: Simulator, exchange: str = "upbit", **about: object) -> Client:
    access = f"access-of-keys-{next(_numbers):06d}"
    sim.add_account(exchange, access, SECRET, {"KRW": "1000000"}, **about)  # type: ignore[arg-type]
    return Client(sim, exchange, access)


@pytest.fixture(params=["upbit", "bithumb"])
def either(request: pytest.FixtureRequest, sim: Simulator) -> Client:
    return client(sim, request.param)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_upbit_takes_both_algorithms(sim: Simulator, algorithm: str) -> None:
    assert client(sim).get("/v1/accounts", algorithm=algorithm).status == 200


def test_bithumb_takes_hs256_alone(sim: Simulator) -> None:
    one = client(sim, "bithumb")

    assert one.get("/v1/accounts").status == 200
    assert name_of(one.get("/v1/accounts", algorithm="HS512")) == (401, "jwt_verification")


@pytest.mark.parametrize("algorithm", ["none", "HS384", "RS256"])
def test_other_algorithms_are_refused(either: Client, algorithm: str) -> None:
    answer = either.get("/v1/accounts", algorithm=algorithm)

    assert name_of(answer) == (401, "jwt_verification")


@pytest.mark.parametrize("header", ["", "Basic x", "Bearer", "Bearer "])
def test_request_without_token_is_refused(either: Client, header: str) -> None:
    assert name_of(either.get("/v1/accounts", header=header)) == (401, "no_authorization_token")


@pytest.mark.parametrize(
    "token", ["x", "a.b", "a.b.c", "..", f"{packed({'alg': 'HS256'})}.W10.x", "é.é.é"]
)
def test_token_that_is_none_is_refused(either: Client, token: str) -> None:
    answer = either.get("/v1/accounts", header=f"Bearer {token}".encode().decode("latin-1"))

    assert name_of(answer) == (401, "jwt_verification")


def test_signature_of_another_secret_is_refused(either: Client) -> None:
    either.secret = "another-secret"

    assert name_of(either.get("/v1/accounts")) == (401, "jwt_verification")


def test_key_of_nobody_is_refused_in_each_exchange_s_words(sim: Simulator) -> None:
    upbit, bithumb = Client(sim, access="nobody"), Client(sim, "bithumb", access="nobody")

    assert name_of(upbit.get("/v1/accounts")) == (401, "invalid_access_key")
    assert name_of(bithumb.get("/v1/accounts")) == (401, "jwt_verification")


def test_token_is_good_once(either: Client) -> None:
    token = either.token([])

    assert either.get("/v1/accounts", header=f"Bearer {token}").status == 200
    again = either.get("/v1/accounts", header=f"Bearer {token}")
    assert name_of(again) == (401, "nonce_used")


def test_token_without_nonce_is_refused(either: Client) -> None:
    assert name_of(either.get("/v1/accounts", nonce=None)) == (401, "jwt_verification")


def test_hash_of_the_text_before_encoding_is_right_and_after_it_wrong(sim: Simulator) -> None:
    one, sent = client(sim), ("states[]", "wait")
    encoded = hashlib.sha512(b"states%5B%5D=wait").hexdigest()

    assert one.get("/v1/orders/open", sent).status == 200
    answer = one.get("/v1/orders/open", sent, query_hash=encoded)
    assert name_of(answer) == (401, "invalid_query_payload")


def test_hash_in_another_order_is_wrong(sim: Simulator) -> None:
    swapped = hashlib.sha512(b"limit=5&page=1").hexdigest()
    sent = (("page", "1"), ("limit", "5"))

    assert client(sim).get("/v1/orders/open", *sent).status == 200
    answer = client(sim).get("/v1/orders/open", *sent, query_hash=swapped)
    assert name_of(answer) == (401, "invalid_query_payload")


@pytest.mark.parametrize("spoil", [{"query_hash": None}, {"query_hash_alg": None}])
def test_parameters_without_a_hash_are_refused(either: Client, spoil: dict[str, None]) -> None:
    answer = either.get("/v1/orders/chance", ("market", "KRW-BTC"), **spoil)

    assert name_of(answer) == (401, "invalid_query_payload")


def test_body_is_hashed_as_a_query_and_its_json_text_is_wrong(sim: Simulator) -> None:
    one = client(sim)
    body = {"market": "KRW-BTC", "side": "bid", "ord_type": "price", "price": "5000"}
    text = hashlib.sha512(json.dumps(body).encode()).hexdigest()

    assert name_of(one.post("/v1/orders", body, query_hash=text)) == (401, "invalid_query_payload")
    assert one.post("/v1/orders", body).status == 201


def test_body_with_a_list_and_numbers_is_hashed_as_it_is_written(sim: Simulator) -> None:
    one = client(sim)
    text = "market=KRW-BTC&side=bid&ord_type=price&price=5000.50&tags[]=a&tags[]=b"
    body = '{"market":"KRW-BTC","side":"bid","ord_type":"price","price":5000.50,"tags":["a","b"]}'
    right = hashlib.sha512(text.encode()).hexdigest()

    answer = one.ask("POST", "/v1/orders", [("x", "y")], body=body, query_hash=right)
    assert answer.status == 201


@pytest.mark.parametrize("body", ["[]", "nothing", '"x"'])
def test_body_that_is_no_object_is_refused(sim: Simulator, body: str) -> None:
    answer = client(sim).ask("POST", "/v1/orders", [], body=body)

    assert name_of(answer) == (400, "validation_error")


def test_address_that_is_not_listed_is_refused(sim: Simulator) -> None:
    for exchange, name in (("upbit", "no_authorization_ip"), ("bithumb", "NotAllowIP")):
        outside = client(sim, exchange, allowed_ips=["203.0.113.9"])
        inside = client(sim, exchange, allowed_ips=["127.0.0.1"])

        assert name_of(outside.get("/v1/accounts")) == (401, name)
        assert inside.get("/v1/accounts").status == 200


def test_key_ends_with_its_time(sim: Simulator) -> None:
    ends = sim.now()

    assert name_of(client(sim, expires_at=ends).get("/v1/accounts")) == (401, "expired_access_key")
    later = client(sim, expires_at=ends + timedelta(seconds=1))
    assert later.get("/v1/accounts").status == 200


def test_right_that_is_missing_is_refused_in_each_exchange_s_status(sim: Simulator) -> None:
    for exchange, status in (("upbit", 403), ("bithumb", 401)):
        blind = client(sim, exchange, permissions=["orders"])

        assert name_of(blind.get("/v1/accounts")) == (status, "out_of_scope")
        assert blind.get("/v1/api_keys").status == 200
        assert blind.get("/v1/orders/chance", ("market", "KRW-BTC")).status == 200


def test_bithumb_wants_the_time_in_whole_milliseconds(sim: Simulator) -> None:
    one = client(sim, "bithumb")

    for stamp in (None, "1700000000000", 1700000000000.5, True):
        answer = one.get("/v1/accounts", timestamp=stamp)
        assert name_of(answer) == (401, "jwt_verification")
    assert name_of(one.get("/v1/accounts", timestamp=1700000000000)) == (401, "expired_jwt")


def test_clock_of_the_exchange_can_be_off(sim: Simulator) -> None:
    one = client(sim, "bithumb")
    sim.fault("skew", seconds=-90, group="account")
    refused = one.get("/v1/accounts")
    sim.clear_faults()

    assert name_of(refused) == (401, "expired_jwt")
    assert one.get("/v1/accounts").status == 200


def test_blocked_account_is_refused(sim: Simulator) -> None:
    access = "access-of-blocked-1"
    sim.add_account("bithumb", access, SECRET).blocked = True

    answer = Client(sim, "bithumb", access).get("/v1/accounts")
    assert name_of(answer) == (403, "blocked_member_id")


@pytest.mark.parametrize(
    "about",
    [
        {"exchange": "nowhere"}, {"access_key": "short"}, {"secret_key": "short"},
        {"permissions": ["all"]}, {"balances": {"KRW": "-1"}}, {"balances": {"KRW": "much"}},
    ],
)  # fmt: skip
def test_account_that_can_not_be_is_not_opened(sim: Simulator, about: dict[str, object]) -> None:
    usual = {"exchange": "upbit", "access_key": "access-of-nobody", "secret_key": SECRET}

    with pytest.raises(ValueError, match=r"."):
        sim.add_account(**usual | about)  # type: ignore[arg-type]


def test_key_belongs_to_one_account(sim: Simulator) -> None:
    taken = client(sim)

    with pytest.raises(ValueError, match="there is an account"):
        sim.add_account("upbit", taken.access, SECRET)
    with pytest.raises(ValueError, match="no account"):
        sim.balances("nobody")


def test_secret_is_in_no_repr_of_an_account(sim: Simulator) -> None:
    assert SECRET not in repr(sim.add_account("upbit", "access-of-repr", SECRET))
