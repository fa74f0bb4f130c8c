"""What a link to a page says where it is shared: title, a line about it, a picture."""

import json
import re
from datetime import timedelta

import pytest
from flask import Flask

from app.clock import utcnow
from app.models import User
from tests import factories
from tests.conftest import Visitor

pytestmark = pytest.mark.usefixtures("session")


def told(page: str, name: str) -> str:
    found = re.search(rf'<meta (?:name|property)="{name}" content="([^"]*)">', page)
    return found[1] if found else ""


def test_link_to_a_vote_tells_the_question_the_deadline_and_the_target(
    client: Visitor, alice: User
) -> None:
    vote = factories.make_vote(alice, now=utcnow())

    page = client.get(f"/votes/{vote.id}").text

    assert told(page, "og:title") in page.partition("<title>")[2].partition("</title>")[0]
    assert told(page, "og:title").endswith("오를까요?")
    assert re.search(r"^답변 마감 .*\(KST\) · 목표 \d", told(page, "og:description"))
    assert told(page, "description") == told(page, "og:description")


def test_link_to_a_decided_vote_tells_how_it_ended(client: Visitor, alice: User) -> None:
    vote = factories.make_vote(alice, now=utcnow() - timedelta(days=1, minutes=5))
    factories.settle(factories.close(vote), "110")

    assert told(client.get(f"/votes/{vote.id}").text, "description") == "결과는 ‘예’로 나왔어요"


def test_picture_stands_at_the_address_that_the_operator_named(
    app: Flask, client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.jinja_env.globals, "public_url", "https://whaling.example.org")

    picture = told(client.get("/", headers={"Host": "evil.example"}).text, "og:image")

    assert picture.startswith("https://whaling.example.org/static/art/share.png?v=")


def test_no_address_is_taken_from_whoever_asks(client: Visitor) -> None:
    page = client.get("/", headers={"Host": "evil.example"}).text

    assert told(page, "og:image") == ""
    assert "evil.example" not in page


def test_phone_can_put_us_on_its_first_screen(client: Visitor) -> None:
    address = re.search(r'<link rel="manifest" href="([^"]+)">', client.get("/").text)
    assert address
    with client.get(address[1]) as answer:
        manifest = json.loads(answer.data)

    for icon in manifest["icons"]:
        with client.get(f"/static/{icon['src']}") as picture:
            assert picture.mimetype == icon["type"]
