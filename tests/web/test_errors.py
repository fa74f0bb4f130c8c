"""Refusals and failures as pages."""

import re
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from app.domain.errors import InvalidInput, NotFound
from app.domain.points import NotEnoughPoints
from app.domain.votes import VoteClosed
from tests.web.conftest import build_app

REFUSALS = {
    "closed": VoteClosed(),
    "poor": NotEnoughPoints(cost=10, balance=6),
    "missing": NotFound(),
    "long": InvalidInput("nickname", "nickname_too_long", limit=20),
}


@pytest.fixture
def failing(tmp_path: Path, migrated: Path) -> FlaskClient:
    """A visitor of an application whose pages all fail in some way."""
    app = build_app(tmp_path, migrated)
    app.config["WTF_CSRF_ENABLED"] = False
    _add_failures(app)
    return app.test_client()


def _add_failures(app: Flask) -> None:
    @app.route("/refuse/<name>", methods=["GET", "POST"])
    def refuse(name: str) -> str:
        raise REFUSALS[name]

    @app.get("/fail/<int:status>")
    def fail(status: int) -> None:
        abort(status)

    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError("the secret is 42")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 418, 429, 500, 502, 503])
def test_failure_has_a_page_with_its_status(failing: FlaskClient, status: int) -> None:
    answer = failing.get(f"/fail/{status}")

    assert answer.status_code == status
    assert f"{status} · 요청 번호" in answer.text
    assert "whale-startled" in answer.text


def test_crash_tells_nothing_of_its_cause(failing: FlaskClient) -> None:
    answer = failing.get("/crash")

    assert answer.status_code == 500
    assert "고래밥은 그대로예요" in answer.text
    assert "the secret" not in answer.text


def test_wrong_method_names_the_right_ones(failing: FlaskClient) -> None:
    answer = failing.post("/crash")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("name", "status"), [("closed", 409), ("poor", 409), ("missing", 404), ("long", 400)]
)
def test_refused_visit_is_an_error_page(failing: FlaskClient, name: str, status: int) -> None:
    assert failing.get(f"/refuse/{name}").status_code == status


def test_refused_form_leads_back_with_the_reason(failing: FlaskClient) -> None:
    answer = failing.post("/refuse/poor", headers={"Referer": "http://localhost/crash?a=1"})

    assert (answer.status_code, answer.location) == (303, "/crash?a=1")
    assert "고래밥이 4개 모자라요" in failing.get("/nowhere").text


@pytest.mark.parametrize("origin", ["http://elsewhere.example/x", "", "http://localhost//evil/"])
def test_refused_form_never_leads_to_another_host(failing: FlaskClient, origin: str) -> None:
    answer = failing.post("/refuse/poor", headers={"Referer": origin})

    assert re.match(r"/(?!/)", answer.location)


@pytest.mark.parametrize(
    ("typed", "place"),
    [("/votes/?q=BTC", "/votes?q=BTC"), ("/tutorial/", "/tutorial")],
)
def test_a_slash_too_much_leads_to_the_page(bare_app: Flask, typed: str, place: str) -> None:
    answer = bare_app.test_client().get(typed)

    assert (answer.status_code, answer.headers.get("Location")) == (308, place)


def test_a_slash_too_much_never_leads_to_another_host(bare_app: Flask) -> None:
    visitor = bare_app.test_client()

    for typed in ("/%2Fevil.example/", "/%5Cevil.example/", "/nowhere/"):
        answer = visitor.get(typed)
        assert answer.status_code == 404, typed


def test_form_on_something_missing_is_not_found(failing: FlaskClient) -> None:
    assert failing.post("/refuse/missing").status_code == 404


def test_form_without_a_token_is_refused(tmp_path: Path, migrated: Path) -> None:
    app = build_app(tmp_path, migrated)
    _add_failures(app)

    answer = app.test_client().post("/refuse/closed")

    assert answer.status_code == 400
    assert "오래 열어 둔 페이지예요" in answer.text
