"""What is chosen in one place, from the settings."""

from flask import Flask
from sqlalchemy.orm import Session

from app.wiring import fingerprint_key, token_key, whale_min_settled
from tests.conftest import SECRET, MakeApp


def test_tokens_fingerprints_and_cookies_have_a_key_each(app: Flask, session: Session) -> None:
    assert len({SECRET.encode(), token_key(), fingerprint_key()}) == 3


def test_whales_need_as_many_answers_as_the_operator_says(make_app: MakeApp) -> None:
    with make_app(whale_min_settled=7).app_context():
        assert whale_min_settled() == 7
