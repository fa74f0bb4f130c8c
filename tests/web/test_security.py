"""What every answer tells the browser."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.visitors import newcomer


@pytest.fixture
def visitor(bare_app: Flask) -> FlaskClient:
    return bare_app.test_client()


def test_page_lets_only_its_own_scripts_run(visitor: FlaskClient) -> None:
    answer = visitor.get("/nowhere")
    policy = answer.headers["Content-Security-Policy"]

    allowed = re.search(r"script-src 'nonce-([^']+)' 'strict-dynamic'$", policy)
    assert allowed
    assert set(re.findall(r'<script[^>]* nonce="([^"]+)"', answer.text)) == {allowed[1]}
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nonce_is_never_used_twice(visitor: FlaskClient) -> None:
    policies = {visitor.get("/nowhere").headers["Content-Security-Policy"] for _ in range(3)}

    assert len(policies) == 3


def test_answer_that_is_no_page_lets_no_script_run(visitor: FlaskClient) -> None:
    with visitor.get("/static/css/pages.css") as answer:
        assert answer.headers["Content-Security-Policy"].endswith("script-src 'none'")


def test_pages_are_not_framed_sniffed_or_kept_by_shared_caches(visitor: FlaskClient) -> None:
    headers = visitor.get("/nowhere").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-cache"


def test_page_of_a_signed_in_person_is_not_kept_for_the_way_back(app: Flask) -> None:
    here = newcomer(app)

    assert here.get("/votes").headers["Cache-Control"] == "no-store"
    assert here.get("/me").headers["Cache-Control"] == "no-store"
    assert app.test_client().get("/votes").headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("way_out", ["/logout", "/me/settings/sign-out-everywhere"])
def test_signing_out_clears_what_the_browser_kept(app: Flask, way_out: str) -> None:
    here = newcomer(app)

    assert "Clear-Site-Data" not in here.get("/votes").headers
    assert here.post(way_out).headers["Clear-Site-Data"] == '"cache"'


def test_tls_is_remembered_only_over_tls(visitor: FlaskClient) -> None:
    plain = visitor.get("/nowhere")
    safe = visitor.get("/nowhere", base_url="https://localhost")

    assert "Strict-Transport-Security" not in plain.headers
    assert "max-age" in safe.headers["Strict-Transport-Security"]


def test_request_number_is_on_the_error_page_and_in_the_headers(visitor: FlaskClient) -> None:
    answer = visitor.get("/nowhere")

    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] in answer.text
