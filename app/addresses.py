"""What may stand in an address: the number of a row, the code of a coin, the mode of a bot."""

from flask import Flask
from werkzeug.routing import BaseConverter

from app.domain.runs import BotMode

_DIGITS = 18
LARGEST_ID = 10**_DIGITS - 1


class RowNumber(BaseConverter):
    """A number that a row can have, in the one way of writing it: `12`; any other isn't there.

    Werkzeug's own takes `007`, `１２` and numbers that no database holds. How many digits there may
    be is the pattern's to say: what a converter refuses later is a 405 where the address has other
    methods, too.
    """

    regex = f"[1-9][0-9]{{0,{_DIGITS - 1}}}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


class CoinCode(BaseConverter):
    """What exchanges call a coin. Anything else, a NUL say, would be asked of the database."""

    regex = "[A-Z0-9]{1,20}"


class Mode(BaseConverter):
    """`paper` or `live`."""

    regex = "(?:" + "|".join(BotMode) + ")"

    def to_python(self, value: str) -> BotMode:
        """The mode of this name."""
        return BotMode(value)


def init_app(app: Flask) -> None:
    """Let routes say `<int:…>`, `<coin:…>` and `<mode:…>`."""
    app.url_map.converters |= {"int": RowNumber, "coin": CoinCode, "mode": Mode}
