"""Browsers that are signed in: seen by their owner, ended one by one."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import User
from app.services import browsers, tokens
from app.services.browsers import Browser
from tests.factories import NOW


def begin(user: User, device: str = "Firefox") -> int:
    return browsers.begin(user_id=user.id, epoch=user.session_epoch, device=device, now=NOW)


def seen(user: User, session_id: int | None) -> Browser | None:
    return browsers.find(user_id=user.id, epoch=user.session_epoch, session_id=session_id, now=NOW)


def is_in(user: User, session_id: int) -> bool:
    return seen(user, session_id) is not None


def last_seen(user: User) -> datetime:
    [row] = tokens.list_sessions(user_id=user.id, now=NOW)
    return row.last_seen_at


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


@pytest.mark.parametrize(("later_s", "moved"), [(299, False), (300, True), (86_400, True)])
def test_last_sign_of_life_moves_every_five_minutes(alice: User, later_s: int, moved: bool) -> None:
    browser, later = seen(alice, begin(alice)), NOW + timedelta(seconds=later_s)

    assert browser
    browsers.note_seen(browser, now=later)

    assert last_seen(alice) == (later if moved else NOW)


def test_of_two_who_saw_a_browser_one_writes(alice: User) -> None:
    browser, later = seen(alice, begin(alice)), NOW + timedelta(hours=1)

    assert browser
    browsers.note_seen(browser, now=later)
    browsers.note_seen(browser, now=later + timedelta(seconds=1))

    assert last_seen(alice) == later


def test_busy_database_is_no_reason_to_fail(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    browser = seen(alice, begin(alice))
    db.session.connection().exec_driver_sql("PRAGMA busy_timeout=1")

    assert browser
    with closing(sqlite3.connect(str(db.engine.url.database))) as elsewhere:
        elsewhere.execute("BEGIN IMMEDIATE")
        browsers.note_seen(browser, now=NOW + timedelta(hours=1))

    assert "not moved" in caplog.text
    assert last_seen(alice) == NOW


def test_cookie_of_an_older_version_names_no_browser_to_note(alice: User) -> None:
    browser = seen(alice, None)

    assert browser
    browsers.note_seen(browser, now=NOW + timedelta(hours=1))

    assert tokens.list_sessions(user_id=alice.id, now=NOW) == []


def test_browser_is_forgotten_after_a_month(alice: User) -> None:
    session_id = begin(alice)

    tokens.forget_dead_sessions(now=NOW + timedelta(days=31))
    assert is_in(alice, session_id)
    tokens.forget_dead_sessions(now=NOW + timedelta(days=33))

    assert not is_in(alice, session_id)
