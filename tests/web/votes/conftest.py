"""Votes as they stand now: pages read the clock themselves."""

from datetime import datetime, timedelta

import pytest

from app.clock import utcnow
from app.models import User, Vote
from tests import factories
from tests.conftest import Visitor


@pytest.fixture
def now() -> datetime:
    return utcnow()


@pytest.fixture
def vote(alice: User, now: datetime) -> Vote:
    """Alice's open question on Bitcoin at 100 won, asked an hour ago."""
    return factories.make_vote(alice, now=now - timedelta(hours=1))


@pytest.fixture
def closed_vote(alice: User, now: datetime) -> Vote:
    """Alice's question that takes no answers any more; its result comes in some hours."""
    return factories.close(factories.make_vote(alice, now=now - timedelta(hours=9)))


@pytest.fixture
def as_bob(client: Visitor, bob: User) -> Visitor:
    """Bob's browser."""
    return client.sign_in(bob)


@pytest.fixture
def as_admin(client: Visitor, admin: User) -> Visitor:
    """The browser of somebody from staff."""
    return client.sign_in(admin)
