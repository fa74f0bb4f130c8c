"""The look of one's pages, over JSON."""

from typing import Any

import pytest

from tests.api.conftest import Client, code_of, first_field


def look(client: Client) -> tuple[str | None, str | None]:
    found = client.get("/user").get_json()
    return found["language"], found["theme"]


def test_look_is_chosen_part_by_part_and_told(as_alice: Client) -> None:
    assert look(as_alice) == (None, None)

    as_alice.patch("/user", {"language": "en", "theme": "dark"})
    answer = as_alice.patch("/user/", {"theme": None})

    assert answer.status_code == 200
    assert (answer.get_json()["language"], answer.get_json()["theme"]) == ("en", None)
    assert look(as_alice) == ("en", None)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"language": "fr"}, "language", "language_unknown"),
        ({"theme": "pink"}, "theme", "theme_unknown"),
        ({"theme": 1}, "theme", "not_text"),
    ],
)
def test_what_there_is_not_is_told_by_field(
    as_alice: Client, body: dict[str, Any], field: str, code: str
) -> None:
    answer = as_alice.patch("/user", body)

    assert (answer.status_code, first_field(answer), code_of(answer)) == (400, field, code)
    assert look(as_alice) == (None, None)


def test_nothing_else_of_a_person_can_be_set(as_alice: Client) -> None:
    answer = as_alice.patch("/user", {"point": 9999, "nickname": "root", "is_admin": True})

    assert answer.status_code == 200
    assert answer.get_json()["point"] == 300
    assert answer.get_json()["nickname"] == "alice"
    assert answer.get_json()["is_admin"] is False
