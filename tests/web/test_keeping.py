"""A kept piece of a page: drawn once per key, never shared between keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import DictLoader, Environment, FileSystemBytecodeCache

from app.web import keeping
from tests import factories as make


@pytest.fixture
def drawn(bare_app: Flask) -> Iterator[list[int]]:
    """What the piece below put down each time it was drawn."""
    times: list[int] = []
    bare_app.jinja_env.globals["draw"] = lambda number: times.append(number) or number
    with bare_app.test_request_context("/"):
        yield times


def test_piece_is_drawn_once_per_key(bare_app: Flask, drawn: list[int]) -> None:
    page = bare_app.jinja_env.from_string("{% keep key, 'x' %}<{{ draw(key) }}>{% endkeep %}!")

    texts = [page.render(key=key) for key in (1, 2, 1, 2)]

    assert texts == ["<1>!", "<2>!", "<1>!", "<2>!"]
    assert drawn == [1, 2]


def test_two_pieces_with_one_key_stay_apart(bare_app: Flask, drawn: list[int]) -> None:
    page = bare_app.jinja_env.from_string("{% keep 1 %}a{% endkeep %}{% keep 1 %}b{% endkeep %}")

    assert page.render() == page.render() == "ab"


def test_pieces_of_templates_compiled_by_two_processes_stay_apart(
    bare_app: Flask, tmp_path: Path
) -> None:
    def environment() -> Environment:
        return Environment(
            loader=DictLoader({name: "{% keep 1 %}" + name + "{% endkeep %}" for name in "ab"}),
            extensions=[keeping.Keep],
            bytecode_cache=FileSystemBytecodeCache(str(tmp_path)),
            autoescape=True,
        )

    with bare_app.test_request_context("/"):
        environment().get_template("a").render()
        later = environment()
        texts = [later.get_template(name).render() for name in ("b", "a")]

    assert texts == ["b", "a"]


def test_piece_is_escaped_as_elsewhere(bare_app: Flask, drawn: list[int]) -> None:
    page = bare_app.jinja_env.from_string(
        "{% autoescape true %}{% keep 1 %}{{ text }}{% endkeep %}{% endautoescape %}"
    )

    assert page.render(text="<b>") == "&lt;b&gt;"


def test_pieces_are_thrown_away_when_there_are_too_many(
    bare_app: Flask, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_PIECES", 2)
    page = bare_app.jinja_env.from_string("{% keep key %}{{ draw(key) }}{% endkeep %}")

    for key in (1, 2, 3, 1):
        page.render(key=key)

    assert drawn == [1, 2, 3, 1]


def test_shell_differs_by_language_theme_page_and_person(client: FlaskClient) -> None:
    korean = client.get("/votes", headers={"Accept-Language": "ko"}).get_data(as_text=True)
    english = client.get("/votes", headers={"Accept-Language": "en"}).get_data(as_text=True)
    coins = client.get("/coins?q=b", headers={"Accept-Language": "ko"}).get_data(as_text=True)

    assert '<html lang="ko">' in korean
    assert '<html lang="en">' in english
    assert 'href="/votes?lang=en"' in korean
    assert 'href="/coins?q=b&amp;lang=en"' in coins
    assert 'href="/login"' in korean


def test_shell_of_a_stranger_is_not_shown_to_a_member(client: FlaskClient, app: Flask) -> None:
    stranger = client.get("/votes").get_data(as_text=True)
    with app.app_context():
        make.make_user("alice", password="a long enough word")
    client.post("/login", data={"nickname": "alice", "password": "a long enough word"})

    member = client.get("/votes").get_data(as_text=True)

    assert 'href="/me/points"' not in stranger
    assert 'href="/me/points"' in member
    assert 'href="/login"' not in member
