"""Messages about accounts: who may send them, and what they say."""

from datetime import UTC, datetime

import pytest

from app.domain.identities import Change, KakaoRefused
from app.kakao.client import Kakao
from tests.fake_kakao import EVENT, MINA, FakeKakao

RISC = "https://schemas.openid.net/secevent/risc/event-type"
HAPPENED = datetime(2026, 3, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("event", "change"),
    [
        (EVENT, Change.UNLINKED),
        (f"{RISC}/account-disabled", Change.UNSAFE),
        (f"{RISC}/sessions-revoked", Change.UNSAFE),
        ("https://schemas.openid.net/secevent/caep/event-type/credential-change", Change.UNSAFE),
        ("https://schemas.kakao.com/events/oauth/user-linked", None),
    ],
)
def test_event_says_what_happened_to_whom(
    kakao: Kakao, fake: FakeKakao, event: str, change: Change | None
) -> None:
    token = fake.event(event=event, toe=int(HAPPENED.timestamp()))

    found = kakao.event(token, now=now())

    assert (found.subject, found.change, found.at) == (str(MINA), change, HAPPENED)


@pytest.mark.parametrize(
    "where", [{"sub": "77"}, {"sub_id": {"format": "iss_sub", "sub": "77"}}], ids=["sub", "sub_id"]
)
def test_number_of_the_account_may_stand_in_several_places(
    kakao: Kakao, fake: FakeKakao, where: dict[str, object]
) -> None:
    found = kakao.event(fake.event(events={EVENT: {}}, **where), now=now())

    assert found.subject == "77"


@pytest.mark.parametrize("toe", [None, "soon", -1, 10**12])
def test_event_never_lies_in_the_future(kakao: Kakao, fake: FakeKakao, toe: object) -> None:
    moment = now()

    assert kakao.event(fake.event(toe=toe, iat=None), now=moment).at == moment


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://else.example"}, "event_not_for_us"),
        ({"aud": "another-app"}, "event_not_for_us"),
        ({"aud": None}, "event_not_for_us"),
        ({"events": None}, "event_missing"),
        ({"events": []}, "event_missing"),
        ({"events": {EVENT: {}}}, "event_subject"),
        ({"events": {EVENT: None}}, "event_subject"),
    ],
)
def test_event_that_cannot_be_used_is_refused(
    kakao: Kakao, fake: FakeKakao, claims: dict[str, object], reason: str
) -> None:
    with pytest.raises(KakaoRefused) as caught:
        kakao.event(fake.event(**claims), now=now())

    assert caught.value.params["reason"] == reason


def test_id_token_is_no_event(kakao: Kakao, fake: FakeKakao) -> None:
    with pytest.raises(KakaoRefused) as caught:
        kakao.event(fake.id_token(events={EVENT: {}}), now=now())

    assert caught.value.params["reason"] == "event_type"
