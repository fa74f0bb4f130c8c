"""What a client asks of the stream, read from its message; what can't be right is refused."""

import json
import re
from dataclasses import dataclass

from app.simulator.stream.wording import FORMATS

_TYPE = re.compile(r"ticker|trade|candle\.(1|3|5|10|15|30|60|240)m")
_FLAGS = {
    "snapshot": ("is_only_snapshot", "isOnlySnapshot"),
    "realtime": ("is_only_realtime", "isOnlyRealtime"),
}
_SUBSCRIBED = "LIST_SUBSCRIPTIONS"
Part = dict[str, object]


class StreamRefusal(Exception):
    """A message that is answered with an error object of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Wish:
    """One type object: a kind of frame, the markets, and when they are told."""

    kind: str
    codes: tuple[str, ...]
    snapshot: bool = True
    realtime: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: a whole new set of wishes, or (`listing`) the question which set holds."""

    ticket: str
    wishes: tuple[Wish, ...] = ()
    format: str | None = None
    listing: bool = False


def read(message: str | bytes) -> Asked:
    """The request in a message, or StreamRefusal with the error's name."""
    parts = _parts(message)
    ticket, form = _ticket(parts), _format(parts)
    if any("method" in part for part in parts):
        if not any(part.get("method") == _SUBSCRIBED for part in parts):
            raise StreamRefusal("INVALID_PARAM")
        return Asked(ticket, format=form, listing=True)
    wishes = tuple(_wish(part) for part in parts if not _is_frame(part))
    if not wishes:
        raise StreamRefusal("NO_TYPE")
    return Asked(ticket, wishes, form)


def _parts(message: str | bytes) -> list[Part]:
    try:
        parts = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise StreamRefusal("WRONG_FORMAT") from error
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise StreamRefusal("WRONG_FORMAT")
    return parts


def _ticket(parts: list[Part]) -> str:
    ticket = next((part["ticket"] for part in parts if "ticket" in part), None)
    if not isinstance(ticket, str) or not ticket:
        raise StreamRefusal("NO_TICKET")
    return ticket


def _format(parts: list[Part]) -> str | None:
    form = next((part["format"] for part in parts if "format" in part), None)
    if form is not None and form not in FORMATS:
        raise StreamRefusal("INVALID_PARAM")
    return None if form is None else str(form)


def _is_frame(part: Part) -> bool:
    """Whether a part says nothing but ticket or format."""
    return bool(part) and part.keys() <= {"ticket", "format"}


def _wish(part: Part) -> Wish:
    if "type" not in part:
        raise StreamRefusal("NO_TYPE")
    kind = part["type"]
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise StreamRefusal("INVALID_PARAM")
    codes = _codes(part)
    only = {name: _flag(part, names) for name, names in _FLAGS.items()}
    if all(only.values()):
        raise StreamRefusal("INVALID_PARAM")
    return Wish(kind, codes, snapshot=not only["realtime"], realtime=not only["snapshot"])


def _codes(part: Part) -> tuple[str, ...]:
    codes = part.get("codes")
    if codes is None or codes == []:
        raise StreamRefusal("NO_CODES")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise StreamRefusal("WRONG_FORMAT")
    return tuple(dict.fromkeys(codes))


def _flag(part: Part, names: tuple[str, ...]) -> bool:
    values = [part[name] for name in names if name in part]
    if not all(isinstance(value, bool) for value in values):
        raise StreamRefusal("WRONG_FORMAT")
    return any(values)
