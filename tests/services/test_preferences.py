"""Language and theme belong to the account."""

import pytest
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput, NotFound
from app.extensions import db
from app.models import User
from app.services import preferences

Look = tuple[str | None, str | None]


def look(user_id: int) -> Look:
    user = db.session.get_one(User, user_id, populate_existing=True)
    return user.language, user.theme


def test_nothing_is_chosen_at_first(alice: User) -> None:
    assert look(alice.id) == (None, None)


def test_what_is_named_is_kept_and_the_rest_stays(alice: User, bob: User) -> None:
    preferences.choose(user_id=alice.id, chosen={"language": "en", "theme": "dark"})
    preferences.choose(user_id=alice.id, chosen={"theme": "system"})

    assert look(alice.id) == ("en", "system")
    assert look(bob.id) == (None, None)


def test_choice_can_be_taken_back(alice: User) -> None:
    preferences.choose(user_id=alice.id, chosen={"language": "en", "theme": "dark"})

    preferences.choose(user_id=alice.id, chosen={"language": None})

    assert look(alice.id) == (None, "dark")


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ({"language": "fr"}, "language_unknown"),
        ({"language": "en", "theme": "pink"}, "theme_unknown"),
        ({"theme": ""}, "theme_unknown"),
    ],
)
def test_what_there_is_not_is_refused_and_changes_nothing(
    alice: User, chosen: dict[str, str | None], code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        preferences.choose(user_id=alice.id, chosen=chosen)

    assert caught.value.code == code
    assert look(alice.id) == (None, None)


def test_account_without_a_choice_takes_the_browsers_over(alice: User) -> None:
    preferences.choose(user_id=alice.id, chosen={"theme": "system"})

    preferences.take_over(user_id=alice.id, chosen={"language": "en", "theme": "dark"})

    assert look(alice.id) == ("en", "system")


def test_nothing_to_take_over_takes_nothing(alice: User) -> None:
    preferences.take_over(user_id=alice.id, chosen={})

    assert look(alice.id) == (None, None)


def test_nobody_chooses_nothing(session: Session) -> None:
    with pytest.raises(NotFound):
        preferences.choose(user_id=99, chosen={"theme": "dark"})
