"""What Kakao's client believes, and what it makes of a Kakao that fails."""

import hmac
import time
import warnings
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt

from app.domain.identities import (
    AccessTokenProof,
    CodeProof,
    IdTokenProof,
    KakaoRefused,
    KakaoUnavailable,
    Profile,
)
from app.kakao.client import Kakao
from tests.fake_kakao import MINA, NATIVE_KEY, PNG, FakeKakao

BACK = "https://whaling.example/login/kakao/callback"


def now() -> datetime:
    return datetime.now(UTC)


def refusal(kakao: Kakao, proof: CodeProof | IdTokenProof | AccessTokenProof) -> object:
    with pytest.raises(KakaoRefused) as caught:
        kakao.prove(proof, now=now())
    return caught.value.params["reason"]


def test_sign_in_begins_with_state_nonce_and_challenge(kakao: Kakao, fake: FakeKakao) -> None:
    url = kakao.authorize_url(redirect_uri=BACK, state="s", nonce="n", verifier="v" * 48)

    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{fake.url}/oauth/authorize?")
    assert (asked["state"], asked["nonce"], asked["redirect_uri"]) == (["s"], ["n"], [BACK])
    assert asked["code_challenge_method"] == ["S256"]
    assert "v" * 48 not in url


def test_code_names_the_person(kakao: Kakao, fake: FakeKakao) -> None:
    proof = CodeProof(fake.code(BACK, nonce="n"), BACK, nonce="n")

    found = kakao.prove(proof, now=now())

    assert found == Profile(str(MINA), "미나", f"{fake.url}/picture.png", is_default_picture=False)


def test_code_is_good_once(kakao: Kakao, fake: FakeKakao) -> None:
    proof = CodeProof(fake.code(BACK), BACK)
    kakao.prove(proof, now=now())

    assert refusal(kakao, proof) == "KOE320"


def test_code_is_bound_to_the_verifier(kakao: Kakao, fake: FakeKakao) -> None:
    code = fake.code(BACK, challenge="another")

    assert refusal(kakao, CodeProof(code, BACK, verifier="v" * 48)) == "KOE320"


def test_code_is_bound_to_the_redirect_address(kakao: Kakao, fake: FakeKakao) -> None:
    assert refusal(kakao, CodeProof(fake.code(BACK), "https://else.example")) == "KOE303"


def test_nonce_of_another_sign_in_is_refused(kakao: Kakao, fake: FakeKakao) -> None:
    proof = CodeProof(fake.code(BACK, nonce="theirs"), BACK, nonce="mine")

    assert refusal(kakao, proof) == "id_token_nonce"


def test_sign_in_with_nonce_insists_on_an_id_token(kakao: Kakao, fake: FakeKakao) -> None:
    fake.openid = False

    assert refusal(kakao, CodeProof(fake.code(BACK), BACK, nonce="n")) == "id_token_missing"
    assert kakao.prove(CodeProof(fake.code(BACK), BACK), now=now()).subject == str(MINA)


def test_id_token_and_account_must_be_one_person(kakao: Kakao, fake: FakeKakao) -> None:
    fake.overrides = {"sub": "42"}

    assert refusal(kakao, CodeProof(fake.code(BACK), BACK)) == "subject_differs"


@pytest.mark.parametrize("key", ["rest-key", NATIVE_KEY])
def test_id_token_for_one_of_our_keys_is_believed(kakao: Kakao, fake: FakeKakao, key: str) -> None:
    token = fake.id_token(aud=key, nickname="미나", picture="https://k.kakaocdn.net/a.jpg")

    found = kakao.prove(IdTokenProof(token), now=now())

    assert found == Profile(str(MINA), "미나", "https://k.kakaocdn.net/a.jpg", False)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "another-app"),
        ("aud", None),
        ("aud", ""),
        ("iss", "https://kauth.example"),
        ("iss", None),
        ("exp", 1),
        ("exp", None),
        ("exp", "soon"),
        ("nonce", "theirs"),
        ("sub", "not-a-number"),
        ("sub", None),
    ],
)
def test_id_token_with_a_wrong_claim_is_refused(
    kakao: Kakao, fake: FakeKakao, claim: str, value: object
) -> None:
    token = fake.id_token(**({"nonce": "mine"} | {claim: value}))

    assert str(refusal(kakao, IdTokenProof(token, nonce="mine"))).startswith("id_token_")


def test_id_token_of_another_signer_is_refused(kakao: Kakao, fake: FakeKakao) -> None:
    kakao.prove(IdTokenProof(fake.id_token()), now=now())
    with FakeKakao() as other:
        other.url = fake.url
        other.rotate_keys()
        other.key = other.key.import_key(other.key.as_dict(private=True) | {"kid": fake.key.kid})
        forged = other.id_token()

    assert refusal(kakao, IdTokenProof(forged)) == "token_invalid"


@pytest.mark.parametrize("name", ["RS512", "PS256"])
def test_id_token_by_another_algorithm_is_refused(kakao: Kakao, fake: FakeKakao, name: str) -> None:
    genuine = jwt.decode(fake.id_token(), fake.key, ["RS256"])
    with warnings.catch_warnings(action="ignore"):
        forged = jwt.encode({**genuine.header, "alg": name}, genuine.claims, fake.key, [name])

    assert refusal(kakao, IdTokenProof(forged)) == "token_invalid"


def test_public_key_as_a_shared_secret_proves_nothing(kakao: Kakao, fake: FakeKakao) -> None:
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"%s"}' % fake.key.kid.encode()).rstrip(b"=")
    said = head + b"." + fake.id_token().split(".")[1].encode()
    signature = urlsafe_b64encode(hmac.digest(fake.key.as_pem(private=False), said, "sha256"))
    forged = (said + b"." + signature.rstrip(b"=")).decode()

    assert refusal(kakao, IdTokenProof(forged)) == "token_invalid"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "한글.한글.한글",
        "x" * 9000,
        # {"alg":"none"} . {"sub":"1234567890"} .
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
        # {"alg":"HS256","kid":[]} with a key of the sender's choice
        "eyJhbGciOiJIUzI1NiIsImtpZCI6W119.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
def test_token_that_is_none_is_refused(kakao: Kakao, token: str) -> None:
    assert refusal(kakao, IdTokenProof(token)) in (
        "token_invalid",
        "token_too_long",
        "token_key_unknown",
    )


def test_message_about_an_account_is_no_id_token(kakao: Kakao, fake: FakeKakao) -> None:
    token = fake.id_token(typ="secevent+jwt")

    assert refusal(kakao, IdTokenProof(token)) == "id_token_type"


def test_access_token_of_our_app_names_the_person(kakao: Kakao, fake: FakeKakao) -> None:
    found = kakao.prove(AccessTokenProof(fake.access_token()), now=now())

    assert found.subject == str(MINA)


def test_access_token_of_another_app_is_refused(kakao: Kakao, fake: FakeKakao) -> None:
    proof = AccessTokenProof(fake.access_token(app_id="9999"))

    assert refusal(kakao, proof) == "app_id"
    assert "GET /v2/user/me" not in fake.asked


@pytest.mark.parametrize("token", ["unknown", "line\r\nbreak", "토큰", " ", "x" * 9000])
def test_access_token_that_is_none_is_refused(kakao: Kakao, token: str) -> None:
    assert refusal(kakao, AccessTokenProof(token)) in (
        "-401",
        "token_invalid",
        "token_too_long",
    )


@pytest.mark.parametrize(
    ("profile", "nickname"),
    [
        ({}, None),
        ({"kakao_account": None, "properties": []}, None),
        ({"kakao_account": {"profile_needs_agreement": True}}, None),
        ({"kakao_account": {"profile": {"nickname": 5, "profile_image_url": 5}}}, None),
        ({"properties": {"nickname": "older"}}, "older"),
    ],
)
def test_profile_may_lack_anything_but_the_number(
    kakao: Kakao, fake: FakeKakao, profile: dict[str, object], nickname: str | None
) -> None:
    fake.profiles[MINA] = profile

    found = kakao.prove(CodeProof(fake.code(BACK), BACK), now=now())

    assert found == Profile(str(MINA), nickname)


@pytest.mark.parametrize("mode", ["html", "error", "slow", "cut", "empty"])
@pytest.mark.parametrize("path", ["/oauth/token", "/v2/user/me", "/.well-known/jwks.json"])
def test_failing_kakao_is_unavailable_in_time(
    kakao: Kakao, fake: FakeKakao, path: str, mode: str
) -> None:
    fake.broken[path] = mode
    started = time.monotonic()

    with pytest.raises(KakaoUnavailable):
        kakao.prove(CodeProof(fake.code(BACK), BACK), now=now())

    assert time.monotonic() - started < 3


def test_new_key_is_fetched_when_it_turns_up_and_not_over_and_over(
    kakao: Kakao, fake: FakeKakao, monkeypatch: pytest.MonkeyPatch
) -> None:
    kakao.prove(IdTokenProof(fake.id_token()), now=now())
    fake.rotate_keys()
    assert refusal(kakao, IdTokenProof(fake.id_token())) == "token_key_unknown"

    monkeypatch.setattr("app.kakao.tokens.ASK_AGAIN_AFTER_S", 0)
    kakao.prove(IdTokenProof(fake.id_token()), now=now())

    assert fake.asked.count("GET /.well-known/jwks.json") == 2


def test_nobody_waits_twice_for_keys_that_cannot_be_had(kakao: Kakao, fake: FakeKakao) -> None:
    fake.broken["/.well-known/jwks.json"] = "error"

    for _ in range(3):
        with pytest.raises(KakaoUnavailable):
            kakao.prove(IdTokenProof(fake.id_token()), now=now())

    assert fake.asked == ["GET /.well-known/jwks.json"]


def test_first_sign_ins_at_once_share_one_question_for_the_keys(
    kakao: Kakao, fake: FakeKakao
) -> None:
    tokens = [fake.id_token() for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda token: kakao.prove(IdTokenProof(token), now=now()), tokens))

    assert {profile.subject for profile in found} == {str(MINA)}
    assert fake.asked == ["GET /.well-known/jwks.json"]


def test_keys_are_asked_for_again_after_a_rest(
    kakao: Kakao, fake: FakeKakao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kakao.tokens.REST_AFTER_FAILURE_S", 0)
    fake.broken["/.well-known/jwks.json"] = "error"
    with pytest.raises(KakaoUnavailable):
        kakao.prove(IdTokenProof(fake.id_token()), now=now())

    fake.broken.clear()

    assert kakao.prove(IdTokenProof(fake.id_token()), now=now()).subject == str(MINA)


def test_picture_comes_from_kakao(kakao: Kakao, fake: FakeKakao) -> None:
    assert kakao.picture(f"{fake.url}/picture.png") == PNG


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/inside",
        "https://evil.example/x",
        "https://evilkakaocdn.net/x",
        "https://kakaocdn.net.evil.example/x",
        "https://k.kakaocdn.net@evil.example/x",
        "http://k.kakaocdn.net/x",
        "https://k.kakaocdn.net:8080/x",
        "https://k.kakaocdn.net:port/x",
        "https://[half/x",
        "file:///etc/passwd",
    ],
)
def test_picture_comes_from_kakao_alone(
    kakao: Kakao, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr("app.kakao.client.HttpClient", lambda *_, **__: pytest.fail("asked for it"))

    assert kakao.picture(address) is None


def test_picture_that_is_too_large_is_left_out(kakao: Kakao, fake: FakeKakao) -> None:
    fake.picture = b"\0" * (1024 * 1024 + 1)

    assert kakao.picture(f"{fake.url}/picture.png") is None


def test_leaving_is_told_to_kakao(kakao: Kakao, fake: FakeKakao) -> None:
    kakao.unlink(str(MINA))

    assert fake.unlinked == [str(MINA)]
