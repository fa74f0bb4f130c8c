"""Who leads: one at a time, and a leader killed on this machine is followed at once."""

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.jobs.lease import HOLDER, NAME, is_dead, is_leader
from app.services import jobs as records


def dead_number() -> int:
    """The number of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def lease_to(holder: str) -> None:
    now = utcnow()
    assert records.acquire_lease(name=NAME, holder=holder, now=now, keep=timedelta(minutes=2))


def test_a_leader_killed_on_this_machine_is_followed_at_once(app: Flask, session: Session) -> None:
    lease_to(f"{socket.gethostname()}:{dead_number()}:abcd")

    assert is_leader(app)
    assert records.lease_holder(name=NAME, now=utcnow()) == HOLDER


@pytest.mark.parametrize(
    "holder",
    [
        f"{socket.gethostname()}:{os.getppid()}:abcd",
        f"elsewhere:{2**22 - 1}:abcd",
        "something else",
    ],
    ids=["alive here", "on another machine", "unreadable"],
)
def test_a_leader_that_may_be_alive_keeps_its_lease(
    app: Flask, session: Session, holder: str
) -> None:
    lease_to(holder)

    assert not is_leader(app)
    assert records.lease_holder(name=NAME, now=utcnow()) == holder
    assert app.extensions["whaling_scheduler"] == "standby"


def test_our_own_number_under_another_token_is_a_dead_predecessor() -> None:
    assert is_dead(f"{socket.gethostname()}:{os.getpid()}:0000")
    assert not is_dead(HOLDER)
