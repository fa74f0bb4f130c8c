"""Tokens: who they prove, until when, and how sessions end."""

import base64
import json
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.accounts import BadToken
from app.domain.errors import NotFound
from app.models import ClientSession, User
from app.services import accounts, tokens
from app.services.tokens import ACCESS_FOR, REFRESH_FOR, Tokens
from tests import factories as make

NOW = make.NOW.replace(microsecond=0)
SECOND = timedelta(seconds=1)
KEY = b"k" * 32


def sign_in(user: User, *, device: str = "phone", now: object = NOW) -> Tokens:
    return tokens.issue(user_id=user.id, device=device, key=KEY, now=now)  # type: ignore[arg-type]


def bearer(token: str, *, now: object = NOW, key: bytes = KEY) -> str:
    return tokens.authenticate(token=token, key=key, now=now).person.nickname  # type: ignore[arg-type]


def refresh(token: str, *, now: object = NOW) -> Tokens:
    return tokens.refresh(token=token, key=KEY, now=now)  # type: ignore[arg-type]


def claims_of(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def forged(alg: str, claims: dict[str, object], key: bytes = KEY) -> str:
    return jwt.encode({"alg": alg}, claims, OctKey.import_key(key), algorithms=[alg])


def test_access_token_tells_who_bears_it(alice: User) -> None:
    assert bearer(sign_in(alice).access) == "alice"


def test_access_token_is_good_for_a_day_and_not_a_second_longer(alice: User) -> None:
    pair = sign_in(alice)

    assert bearer(pair.access, now=NOW + ACCESS_FOR - SECOND) == "alice"
    with pytest.raises(BadToken):
        bearer(pair.access, now=NOW + ACCESS_FOR)


def test_refresh_token_is_good_for_a_week_and_not_a_second_longer(alice: User) -> None:
    pair, other = sign_in(alice), sign_in(alice)

    assert refresh(pair.refresh, now=NOW + REFRESH_FOR - SECOND)
    with pytest.raises(BadToken):
        refresh(other.refresh, now=NOW + REFRESH_FOR)


def test_neither_kind_passes_for_the_other(alice: User) -> None:
    pair = sign_in(alice)

    with pytest.raises(BadToken):
        bearer(pair.refresh)
    with pytest.raises(BadToken):
        refresh(pair.access)


def test_token_of_another_key_is_refused(alice: User) -> None:
    pair = sign_in(alice)

    with pytest.raises(BadToken):
        bearer(pair.access, key=b"o" * 32)


def test_unsigned_token_is_refused(alice: User) -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    body = sign_in(alice).access.split(".")[1]

    for token in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.AAAA"):
        with pytest.raises(BadToken):
            bearer(token)


def test_other_algorithm_with_our_key_is_refused(alice: User) -> None:
    with pytest.raises(BadToken):
        bearer(forged("HS512", claims_of(sign_in(alice).access)))


@pytest.mark.parametrize("name", ["sub", "type", "sid", "epoch", "jti", "exp"])
def test_token_without_a_claim_is_refused(alice: User, name: str) -> None:
    claims = claims_of(sign_in(alice).access)
    del claims[name]

    with pytest.raises(BadToken):
        bearer(forged("HS256", claims))


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "é.é.é", "Bearer", "x" * 5000, "eyJhbGciOiJIUzI1NiJ9.e30.x", "\x00"],
)
def test_what_is_no_token_is_refused(alice: User, text: str) -> None:
    with pytest.raises(BadToken):
        bearer(text)


def test_refresh_gives_a_new_pair_of_the_same_session(alice: User) -> None:
    first = sign_in(alice)

    second = refresh(first.refresh, now=NOW + timedelta(hours=1))

    assert bearer(second.access) == "alice"
    assert claims_of(second.access)["sid"] == claims_of(first.access)["sid"]
    assert claims_of(second.refresh)["jti"] != claims_of(first.refresh)["jti"]
    [row] = tokens.list_sessions(user_id=alice.id, now=NOW)
    assert row.last_seen_at == NOW + timedelta(hours=1)


def test_reuse_of_a_spent_refresh_token_ends_the_whole_session(alice: User) -> None:
    first, elsewhere = sign_in(alice), sign_in(alice, device="tablet")
    second = refresh(first.refresh)

    with pytest.raises(BadToken):
        refresh(first.refresh)

    for token in (first.access, second.access):
        with pytest.raises(BadToken):
            bearer(token)
    with pytest.raises(BadToken):
        refresh(second.refresh)
    assert bearer(elsewhere.access) == "alice"


def test_two_refreshes_at_once_give_one_pair(app: Flask, alice: User) -> None:
    pair, got, barrier = sign_in(alice), [], Barrier(2)

    def run() -> None:
        with app.app_context():
            barrier.wait()
            try:
                got.append(refresh(pair.refresh))
            except BadToken:
                got.append(None)

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 2
    assert got.count(None) == 1


def test_signing_out_everywhere_ends_every_session(alice: User, bob: User) -> None:
    pairs, stranger = [sign_in(alice), sign_in(alice)], sign_in(bob)

    accounts.sign_out_everywhere(user_id=alice.id)

    for pair in pairs:
        with pytest.raises(BadToken):
            bearer(pair.access)
        with pytest.raises(BadToken):
            refresh(pair.refresh)
    assert tokens.list_sessions(user_id=alice.id, now=NOW) == []
    assert bearer(stranger.access) == "bob"


def test_ending_one_session_leaves_the_others(alice: User) -> None:
    here, there = sign_in(alice, device="here"), sign_in(alice, device="there")
    ident = int(str(claims_of(here.access)["sid"]))

    tokens.end_session(user_id=alice.id, session_id=ident, now=NOW)

    assert [row.device for row in tokens.list_sessions(user_id=alice.id, now=NOW)] == ["there"]
    with pytest.raises(BadToken):
        bearer(here.access)
    assert bearer(there.access) == "alice"
    with pytest.raises(NotFound):
        tokens.end_session(user_id=alice.id, session_id=ident, now=NOW)


@pytest.mark.parametrize("ident", [0, -1, 999])
def test_session_that_is_not_there_cannot_be_ended(alice: User, ident: int) -> None:
    with pytest.raises(NotFound):
        tokens.end_session(user_id=alice.id, session_id=ident, now=NOW)


def test_session_of_somebody_else_is_not_there(alice: User, bob: User) -> None:
    pair = sign_in(alice)

    with pytest.raises(NotFound):
        tokens.end_session(
            user_id=bob.id, session_id=int(str(claims_of(pair.access)["sid"])), now=NOW
        )

    assert bearer(pair.access) == "alice"


def test_device_is_kept_on_one_short_line(alice: User) -> None:
    sign_in(alice, device="  Whaling\r\n1.0 " + "x" * 500)

    [row] = tokens.list_sessions(user_id=alice.id, now=NOW)

    assert row.device.startswith("Whaling 1.0 xxx")
    assert len(row.device) == tokens.MAX_DEVICE


def test_nobody_gets_no_tokens(session: Session) -> None:
    with pytest.raises(NotFound):
        tokens.issue(user_id=999, device="", key=KEY, now=NOW)


def test_dead_sessions_are_forgotten_and_living_ones_kept(session: Session, alice: User) -> None:
    sign_in(alice, now=NOW - REFRESH_FOR - ACCESS_FOR - SECOND)
    sign_in(alice, now=NOW - REFRESH_FOR)

    assert tokens.forget_dead_sessions(now=NOW) == 1

    assert session.scalar(select(func.count()).select_from(ClientSession)) == 1
    assert tokens.list_sessions(user_id=alice.id, now=NOW) == []
