"""The one settled vote that visitors are shown."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.models import User
from app.services import votes
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.usefixtures("session")
LATER = NOW + timedelta(minutes=2)


def test_nothing_is_shown_while_nothing_is_settled(alice: User) -> None:
    factories.make_vote(alice)

    assert votes.showcase(NOW) is None


def test_vote_without_whales_is_not_shown(alice: User) -> None:
    factories.make_settled_vote(alice)

    assert votes.showcase(NOW) is None


def test_last_settled_vote_is_shown_with_its_whales(session: Session, alice: User) -> None:
    whale = factories.make_user("whale", record=(9, 10))
    for _ in range(2):
        vote = factories.make_vote(alice, now=NOW - timedelta(days=1))
        factories.answer(whale, vote, "yes")
        factories.settle(factories.close(vote))

    shown = votes.showcase(NOW)

    assert shown is not None
    assert (shown.id, shown.yes_whales) == (vote.id, 1)


def test_what_is_shown_is_a_minute_old_at_most(alice: User) -> None:
    assert votes.showcase(NOW) is None
    whale = factories.make_user("whale", record=(9, 10))
    vote = factories.make_vote(alice, now=NOW - timedelta(days=1))
    factories.answer(whale, vote, "yes")
    factories.settle(factories.close(vote))

    assert votes.showcase(NOW + timedelta(seconds=59)) is None
    assert votes.showcase(LATER) is not None
