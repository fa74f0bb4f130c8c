"""What is chosen in one place: here that no key does the work of another."""

from flask import Flask
from sqlalchemy.orm import Session

from app.wiring import fingerprint_key, token_key
from tests.conftest import SECRET


def test_tokens_fingerprints_and_cookies_have_a_key_each(app: Flask, session: Session) -> None:
    assert len({SECRET.encode(), token_key(), fingerprint_key()}) == 3
    assert app.config["SECRET_KEY"] == SECRET
