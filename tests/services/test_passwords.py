"""The list of passwords that are too common."""

import pytest
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput
from app.models import User
from app.services import accounts
from app.services.passwords import common_passwords
from tests import factories as make


def test_list_holds_three_thousand_and_more_that_our_rules_would_take() -> None:
    found = common_passwords()

    assert len(found) >= 3_000
    assert {"password", "12345678", "qwertyuiop", "sunshine"} <= found
    assert min(map(len, found)) >= 8
    assert all(word == word.casefold() for word in found)


def test_each_way_to_choose_a_password_refuses_a_common_one(session: Session) -> None:
    carol = make.make_user("carol", password="a-quiet-harbour")
    minji = make.make_user("minji")

    for choose in (
        lambda: accounts.sign_up(name="neo", password="Sunshine", now=make.NOW),
        lambda: accounts.change_password(user_id=carol.id, old="a-quiet-harbour", new="12345678"),
        lambda: accounts.set_first_password(user_id=minji.id, new="qwertyuiop"),
    ):
        with pytest.raises(InvalidInput, match="password_common"):
            choose()

    assert accounts.find_user("neo") is None
    assert accounts.check_credentials(name="carol", password="a-quiet-harbour").id == carol.id
    assert not _has_password(session, minji.id)


def test_common_password_of_old_still_signs_in(session: Session) -> None:
    carol = make.make_user("carol", password="sunshine")

    assert accounts.check_credentials(name="carol", password="sunshine").id == carol.id


def _has_password(session: Session, user_id: int) -> bool:
    return session.get_one(User, user_id, populate_existing=True).password_hash is not None
