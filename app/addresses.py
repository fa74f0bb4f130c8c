"""What may stand in an address: the number of a row, the mode of a bot."""

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

from app.domain.runs import BotMode

LARGEST_ID = 2**63 - 1


class RowNumber(BaseConverter):
    """A number that a row can have, in the one way of writing it: `12`; any other isn't there.

    Werkzeug's own takes `007`, `１２` and numbers that no database holds.
    """

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        """The number; ValidationError for one beyond the 63 bits of a key."""
        number = int(value)
        if number > LARGEST_ID:
            raise ValidationError
        return number


class Mode(BaseConverter):
    """`paper` or `live`."""

    regex = "(?:" + "|".join(BotMode) + ")"

    def to_python(self, value: str) -> BotMode:
        """The mode of this name."""
        return BotMode(value)


def init_app(app: Flask) -> None:
    """Let routes say `<int:…>` and `<mode:…>`."""
    app.url_map.converters |= {"int": RowNumber, "mode": Mode}
