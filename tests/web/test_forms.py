"""Forms that no page of ours sends: a refusal in words, never a failure of ours."""

from io import BytesIO

import pytest
from flask import Flask

from tests.web.visitors import newcomer, said

FORMS = [
    ("/me/settings/nickname", "nickname"),
    ("/me/settings/password", "old_password"),
    ("/me/settings/leave", "confirmation"),
]


@pytest.mark.parametrize(("path", "field"), FORMS)
def test_file_in_place_of_a_text_is_nothing(app: Flask, path: str, field: str) -> None:
    answer = newcomer(app).post(path, data={field: (BytesIO(b"neo"), "neo.txt")})

    assert answer.status_code == 422
    assert "neo" not in answer.text


@pytest.mark.parametrize(("path", "field"), FORMS)
@pytest.mark.parametrize("value", [5, None, ["neo"]])
def test_json_is_no_form(app: Flask, path: str, field: str, value: object) -> None:
    browser = newcomer(app)

    statuses = {browser.post(path, json=body).status_code for body in ({field: value}, [value], 5)}

    assert statuses == {422}


def test_form_for_a_first_password_is_not_for_who_has_one(app: Flask) -> None:
    browser = newcomer(app, password="a quiet harbour")
    typed = {"password": "another harbour", "password_again": "a typo"}

    answer = browser.post("/me/settings/first-password", data=typed)

    assert answer.status_code == 303
    assert "비밀번호가 이미 있어요" in said(browser.get("/me/settings"))
