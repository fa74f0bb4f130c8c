"""What we ask of Waitress beyond its settings: a connection outlives an answer without a body."""

from waitress.channel import HTTPChannel
from waitress.task import WSGITask


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
