"""A Kakao to talk to, and our client of it."""

from collections.abc import Iterator

import pytest

from app.kakao.client import Kakao, KakaoApp
from tests import fake_kakao
from tests.fake_kakao import FakeKakao


@pytest.fixture
def fake() -> Iterator[FakeKakao]:
    with FakeKakao() as server:
        yield server


@pytest.fixture
def kakao(fake: FakeKakao) -> Kakao:
    app = KakaoApp(
        client_id=fake_kakao.CLIENT_ID,
        client_secret=fake_kakao.CLIENT_SECRET,
        native_key=fake_kakao.NATIVE_KEY,
        app_id=fake_kakao.APP_ID,
        admin_key=fake_kakao.ADMIN_KEY,
        auth_url=fake.url,
        api_url=fake.url,
    )
    return Kakao(app, patience_s=0.5)
