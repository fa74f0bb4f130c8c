"""The page that shows the API: complete, readable by everybody, in the reader's language."""

import re

import pytest
from flask import Flask

from app.api.openapi import api_rules, method_of
from app.api.reference import type_words
from tests.api.conftest import Client


def test_page_shows_every_operation_and_shape(app: Flask, stranger: Client) -> None:
    spec = stranger.get("/openapi.json").get_json()

    shown = stranger.get("/docs").get_data(as_text=True)

    for rule in api_rules(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        assert f"<b>{method_of(rule)}</b> <code>{path}</code>" in shown
    for name in spec["components"]["schemas"]:
        assert f'id="shape-{name}"' in shown


def test_page_gives_an_example_of_each_body(stranger: Client) -> None:
    shown = stranger.get("/docs").get_data(as_text=True)

    assert "&#34;coin_code&#34;: &#34;BTC&#34;" in shown
    assert "&#34;choice&#34;: 1" in shown


def test_page_gives_an_example_of_each_answer(stranger: Client) -> None:
    shown = stranger.get("/docs").get_data(as_text=True)

    assert "&#34;uploader_nickname&#34;: &#34;trinity&#34;" in shown
    assert "&#34;krname&#34;: &#34;비트코인&#34;" in shown


def test_page_speaks_the_readers_language(stranger: Client) -> None:
    english = stranger.get("/docs", headers={"Accept-Language": "en"}).get_data(as_text=True)
    korean = stranger.get("/docs", headers={"Accept-Language": "ko"}).get_data(as_text=True)

    assert ("Access token" in english, "액세스 토큰" in korean) == (True, True)


def test_page_runs_no_script_but_ours(stranger: Client) -> None:
    response = stranger.get("/docs")

    assert response.mimetype == "text/html"
    assert "'nonce-" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "integer"),
        ({"$ref": "#/components/schemas/Vote"}, "Vote"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"anyOf": [{"enum": [1, 2]}, {"type": "null"}]}, "1 | 2 | null"),
        ({"enum": ["up"]}, '"up"'),
    ],
)
def test_schema_in_a_few_words(schema: dict[str, object], words: str) -> None:
    assert type_words(schema) == words
