"""Signatures against another implementation: hmac and base64, by hand."""

import base64
import hashlib
import hmac
import json
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.exchanges import KeyProblem, Keys
from app.exchanges.base import BadCredentials
from app.exchanges.signing import HS256, HS512, Signer, pairs, query_hash

KEYS = Keys("access-of-forty-characters-0123456789abc", "secret-of-forty-characters-0123456789abc")
DIGESTS = {HS256: hashlib.sha256, HS512: hashlib.sha512}


def parts(header: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """Head and claims of a token, the text that is signed, and the signature as sent."""
    kind, _, token = header["Authorization"].partition(" ")
    assert kind == "Bearer"
    head, claims, signature = token.split(".")
    return unpacked(head), unpacked(claims), f"{head}.{claims}", signature


def unpacked(text: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))  # type: ignore[no-any-return]


def signed_by_hand(text: str, secret: str, algorithm: str) -> str:
    raw = hmac.new(secret.encode(), text.encode(), DIGESTS[algorithm]).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", [HS256, HS512])
@pytest.mark.parametrize("secret", ["x", KEYS.secret, "s" * 64, "s" * 200])
def test_token_is_what_an_independent_implementation_signs(algorithm: str, secret: str) -> None:
    header = Signer(Keys("access", secret), algorithm).headers(pairs({"market": "KRW-BTC"}))
    head, claims, text, signature = parts(header)

    assert head == {"typ": "JWT", "alg": algorithm}
    assert claims["access_key"] == "access"
    assert signature == signed_by_hand(text, secret, algorithm)


def test_signature_of_another_secret_is_another_one() -> None:
    _, _, text, signature = parts(Signer(KEYS, HS512).headers(()))

    assert signature != signed_by_hand(text, KEYS.secret + "x", HS512)
    assert signature != signed_by_hand(text, KEYS.secret, HS256)


@pytest.mark.parametrize("secret", ["x", "short-secret", KEYS.secret, "-----BEGIN PUBLIC KEY-----"])
def test_no_secret_is_refused_or_warned_about_for_its_looks(secret: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Signer(Keys("access", secret), HS512).headers(())


@pytest.mark.parametrize(
    "keys", [Keys("", "s"), Keys("a", ""), Keys("키", "s"), Keys("a", "\ud800"), Keys("a\n", "s")]
)
def test_keys_that_can_not_sign_are_invalid_keys(keys: Keys) -> None:
    with pytest.raises(BadCredentials) as caught:
        Signer(keys, HS256).headers(())

    assert caught.value.problem is KeyProblem.INVALID


def test_hash_is_taken_over_the_text_before_percent_encoding_in_its_order() -> None:
    sent = pairs({"market": "KRW-BTC", "states": ["wait", "watch"], "to": "2026-01-01T00:00:00+09"})
    text = "market=KRW-BTC&states[]=wait&states[]=watch&to=2026-01-01T00:00:00+09"

    assert query_hash(sent) == hashlib.sha512(text.encode()).hexdigest()
    assert query_hash(sent) != query_hash(sent[::-1])
    encoded = "market=KRW-BTC&states%5B%5D=wait&states%5B%5D=watch&to=2026-01-01T00%3A00%3A00%2B09"
    assert query_hash(sent) != hashlib.sha512(encoded.encode()).hexdigest()


def test_body_is_hashed_as_a_query_and_not_as_json() -> None:
    body = {"market": "KRW-BTC", "side": "bid", "volume": "0.01", "price": "100.0"}
    _, claims, _, _ = parts(Signer(KEYS, HS512).headers(pairs(body)))

    text = "market=KRW-BTC&side=bid&volume=0.01&price=100.0"
    assert claims["query_hash"] == hashlib.sha512(text.encode()).hexdigest()
    assert claims["query_hash"] != hashlib.sha512(json.dumps(body).encode()).hexdigest()
    assert claims["query_hash_alg"] == "SHA512"


def test_call_without_parameters_names_no_hash() -> None:
    _, claims, _, _ = parts(Signer(KEYS, HS512).headers(()))

    assert claims.keys() == {"access_key", "nonce"}


def test_every_token_has_a_nonce_of_its_own() -> None:
    signer = Signer(KEYS, HS512)

    nonces = {parts(signer.headers(()))[1]["nonce"] for _ in range(100)}

    assert len(nonces) == 100


def test_time_is_told_in_whole_milliseconds_and_only_where_it_is_wanted() -> None:
    moment = datetime(2026, 3, 2, 3, 4, 5, 678_999, tzinfo=UTC)
    _, claims, _, _ = parts(Signer(KEYS, HS256, lambda: moment).headers(()))

    assert claims["timestamp"] == 1772420645678
    assert type(claims["timestamp"]) is int


def test_neither_half_of_a_key_is_in_a_token_s_repr() -> None:
    assert KEYS.secret not in repr(KEYS) + repr(Signer(KEYS, HS512))
    assert KEYS.access not in repr(KEYS) + repr(Signer(KEYS, HS512))
