"""Who may run the jobs: the lease, and how a dead leader is followed at once."""

import os
import secrets
import socket
from datetime import timedelta

from flask import Flask

from app.clock import utcnow
from app.services import jobs as records

#: This process, for leases and records: a new one at each start.
HOLDER = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
#: Longer than a minute, so that the leader renews in time; short, so that a dead one is followed.
KEEP = timedelta(seconds=150)
NAME = "scheduler"


def is_leader(app: Flask) -> bool:
    """Take or renew the lease; `app` remembers for `/health` what came of it.

    A leader on another machine is followed when its lease runs out. One that was killed on this
    machine is seen to be dead, so a restarted server needn't stand by for minutes.
    """
    held = take(NAME, KEEP)
    app.extensions["whaling_scheduler"] = "leader" if held else "standby"
    return held


def take(name: str, keep: timedelta) -> bool:
    """Take or renew a lease, also from a holder that was killed on this machine."""
    held = records.acquire_lease(name=name, holder=HOLDER, now=utcnow(), keep=keep)
    if not held:
        holder = records.lease_holder(name=name, now=utcnow())
        if holder is not None and is_dead(holder):
            records.release_leases(holder=holder)
            held = records.acquire_lease(name=name, holder=HOLDER, now=utcnow(), keep=keep)
    return held


def leads() -> bool:
    """Whether this process holds the lease now; takes nothing."""
    return records.lease_holder(name=NAME, now=utcnow()) == HOLDER


def is_led_elsewhere() -> bool:
    """Whether another living process runs the jobs."""
    leader = records.lease_holder(name=NAME, now=utcnow())
    return leader is not None and leader != HOLDER and not is_dead(leader)


def is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is no more.

    Its number may have been given to another process meanwhile; then it counts as alive, and the
    lease has to run out. Our own number under another token is a dead predecessor's.
    """
    host, _, rest = holder.partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return holder != HOLDER
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
