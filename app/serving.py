"""What we ask of Waitress beyond its settings: many connections, which outlive empty answers."""

import resource
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

#: Who looks at live prices keeps a connection open. Waitress would let in a hundred, and leave all
#: others waiting for one of these to go.
MOST_CONNECTIONS = 4000
#: The application refuses bodies from 64 KiB on, but has them whole by then. Waitress would put a
#: gigabyte on the disk first, for each connection.
MOST_BYTES = 1024 * 1024
#: Files that aren't connections: the database with its logs, the exchange, the log.
_OTHER_FILES = 256


class _Task(WSGITask):  # type: ignore[misc]
    """Waitress hangs up after every 204 and 304, for want of a length that these never have.

    Pages and clients that ask again and again whether something changed would dial anew each time.
    """

    def set_close_on_finish(self) -> None:
        if self.has_body or self.request.headers.get("CONNECTION", "").lower() == "close":
            super().set_close_on_finish()


def keep_connections() -> None:
    """Let every server of this process keep its connections open over answers without a body."""
    HTTPChannel.task_class = _Task


def connection_options() -> dict[str, Any]:
    """How much a server takes, as settings of Waitress: bodies of a size, connections in number.

    As many as this process may have files, at most MOST_CONNECTIONS: one more than it may have
    would be refused by the system again and again, at full speed. Its older way to wait for
    connections knows no file beyond 1023.
    """
    room = _raise_file_limit(MOST_CONNECTIONS + _OTHER_FILES) - _OTHER_FILES
    return {
        "connection_limit": max(room, 100),
        "asyncore_use_poll": True,
        "max_request_body_size": MOST_BYTES,
    }


def _raise_file_limit(wanted: int) -> int:
    """How many files this process may have open, after asking for as many as are wanted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
