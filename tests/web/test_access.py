"""The access log: asked for, complete, and silent about secrets."""

import logging

import pytest

from tests.conftest import MakeApp


def test_a_request_is_logged_without_its_query(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(access_log=True).test_client()

    with caplog.at_level(logging.INFO, logger="app.web.access"):
        client.get("/health?code=secret")

    assert "GET '/health' 503" in caplog.text
    assert "secret" not in caplog.text


def test_nothing_is_logged_unless_asked_for(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app().test_client()

    with caplog.at_level(logging.INFO, logger="app.web.access"):
        client.get("/health")

    assert "GET" not in caplog.text


def test_a_line_break_in_the_path_stays_in_its_line(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(access_log=True).test_client()

    with caplog.at_level(logging.INFO, logger="app.web.access"):
        client.get("/x%0Arequest=1 GET '/admin' 200")

    assert len([line for line in caplog.text.splitlines() if "app.web.access" in line]) == 1
    assert "\\nrequest" in caplog.text
