"""Text on its way to the browser: smaller where it may be, and the same in the end."""

from gzip import decompress

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.wrappers import Response

from tests import factories as make
from tests.web.visitors import newcomer

TAKES_IT = {"Accept-Encoding": "gzip, deflate, br"}
FROM_ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
STYLES = "/static/css/pages.css"


@pytest.fixture
def coins(app: Flask) -> None:
    with app.app_context():
        for number in range(60):
            make.make_coin(f"C{number}")


def is_smaller(answer: Response) -> bool:
    return answer.headers.get("Content-Encoding") == "gzip"


def test_page_says_the_same_in_a_tenth(client: FlaskClient, coins: None) -> None:
    usual = client.get("/login")  # nothing of it but the nonces is new each time

    smaller = client.get("/login", headers=TAKES_IT)
    market = client.get("/coins", headers=TAKES_IT)

    told = decompress(smaller.data).decode()
    assert told.split("nonce")[0] == usual.text.split("nonce")[0]
    assert int(market.headers["Content-Length"]) == len(market.data)
    assert len(market.data) * 7 < len(decompress(market.data))
    assert smaller.headers["Content-Type"] == usual.headers["Content-Type"]


@pytest.mark.parametrize("takes", [None, "identity", "br", "gzip;q=0", "*;q=0"])
def test_browser_that_takes_no_gzip_gets_plain_text(client: FlaskClient, takes: str | None) -> None:
    answer = client.get("/login", headers={"Accept-Encoding": takes} if takes else {})

    assert not is_smaller(answer)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "</html>" in answer.text


@pytest.mark.parametrize(
    ("asked_from", "smaller"),
    [
        ("same-origin", True),
        ("none", True),
        ("cross-site", False),
        ("same-site", False),
        ("", False),
    ],
)
def test_persons_page_is_smaller_only_for_who_asks_from_here(
    app: Flask, asked_from: str, smaller: bool
) -> None:
    alice = newcomer(app, "alice")
    headers = TAKES_IT | ({"Sec-Fetch-Site": asked_from} if asked_from else {})

    assert is_smaller(alice.get("/coins", headers=headers)) is smaller


def test_nobodys_page_is_smaller_from_everywhere(client: FlaskClient) -> None:
    assert is_smaller(client.get("/coins", headers=TAKES_IT | FROM_ELSEWHERE))


def test_remembered_person_counts_as_one(client: FlaskClient) -> None:
    client.set_cookie("whaling_remember", "1|abc")

    assert not is_smaller(client.get("/coins", headers=TAKES_IT | FROM_ELSEWHERE))


def test_file_known_already_isnt_sent_again(client: FlaskClient) -> None:
    with client.get(STYLES, headers=TAKES_IT) as first:
        etag, styles = first.headers["ETag"], decompress(first.data)
    with client.get(STYLES) as plain:
        assert plain.data == styles

    with client.get(STYLES, headers={**TAKES_IT, "If-None-Match": etag}) as again:
        assert (again.status_code, again.data) == (304, b"")
    assert etag.startswith('W/"')


@pytest.mark.parametrize("path", ["/health", "/api/v1/live", "/static/art/icon-32.png", "/nowhere"])
def test_what_is_short_dense_or_an_error_stays_as_it_is(
    client: FlaskClient, coins: None, path: str
) -> None:
    with client.get(path, headers=TAKES_IT) as answer:
        assert not is_smaller(answer)
