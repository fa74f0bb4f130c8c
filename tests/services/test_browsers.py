"""Browsers that are signed in: seen by their owner, ended one by one."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.models import User
from app.services import accounts, browsers, tokens
from tests.factories import NOW


def begin(user: User, device: str = "Firefox") -> int:
    return browsers.begin(user_id=user.id, epoch=user.session_epoch, device=device, now=NOW)


def is_in(user: User, session_id: int) -> bool:
    found = accounts.signed_in(user_id=user.id, epoch=user.session_epoch, session_id=session_id)
    return found is not None


def test_browser_is_listed_for_its_owner_alone(alice: User, bob: User) -> None:
    begin(alice, "  Firefox\n on  a boat " + "x" * 200)

    [row] = tokens.list_sessions(user_id=alice.id, now=NOW)

    assert row.is_web
    assert row.device.startswith("Firefox on a boat x")
    assert len(row.device) == 120
    assert tokens.list_sessions(user_id=bob.id, now=NOW) == []


def test_ended_session_is_over_and_others_go_on(alice: User) -> None:
    here, there = begin(alice), begin(alice)

    browsers.end(user_id=alice.id, session_id=there, now=NOW)

    assert (is_in(alice, here), is_in(alice, there)) == (True, False)


def test_session_of_somebody_else_is_not_ended(alice: User, bob: User) -> None:
    session_id = begin(alice)

    browsers.end(user_id=bob.id, session_id=session_id, now=NOW)

    assert is_in(alice, session_id)
    assert not is_in(bob, session_id)


def test_session_of_a_client_opens_no_browser(alice: User, session: Session) -> None:
    tokens.issue(user_id=alice.id, device="app", key=b"k" * 32, now=NOW)
    [row] = tokens.list_sessions(user_id=alice.id, now=NOW)

    assert not is_in(alice, row.id)


def test_browser_is_forgotten_after_a_month(alice: User) -> None:
    session_id = begin(alice)

    tokens.forget_dead_sessions(now=NOW + timedelta(days=31))
    assert is_in(alice, session_id)
    tokens.forget_dead_sessions(now=NOW + timedelta(days=33))

    assert not is_in(alice, session_id)
