"""The fault switch: what can be made to go wrong, for how long, and for which coin.

How a reply is given: `timeout` (accepted, never answered), `slow` (`seconds` late, or with
`dribble` a byte at a time), `429`, `418`, `5xx` (`status`), `html` (`status` 200 or 503), `cut`
(half a body under its full length), `huge` (`size` bytes, with `gzip` small on the wire), `empty`
(`[]`).
What a row says: `missing`, `nan`, `zero`, `negative`, `wrong_type` (`value`), `jump` (`factor`),
`skew` (`seconds`); an order book alone: `thin` (`share`).
What the stream alone can do: `silent`, `disconnect`, `garbage` (`kind`), `duplicate`, `disorder`,
`unknown` (`code`), `error` (`name`).
What the signed side alone can do: `dead` (the line breaks), `maintenance`, `partial` (`share`),
`slow_fill` (`seconds`), `not_ready`, `error_200`, `balance_changes` (`currency`, `amount`). There
`accepted` says that a request without an answer was done all the same.
Beside them `stale` (time stands still) and `delist`/`list` (a market goes, or a new one comes).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from app.simulator.stream.wording import ERRORS

STREAM = "stream"
SIGNED = ("order", "account")
GROUPS = ("market", "ticker", "candles", "orderbook", "logos", STREAM, *SIGNED)
DEFAULT_CODE = "KRW-BTC"
DEFAULT_NEW = "KRW-NEWCOIN"
_MOST_FAULTS = 100
_LONGEST_S = 7 * 86_400.0
_LARGEST = 512 * 2**20

Option = str | int | float | bool
Check = Callable[[object], bool]


def _number(low: float, high: float) -> Check:
    def holds(value: object) -> bool:
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        return real and math.isfinite(float(str(value))) and low <= float(str(value)) <= high

    return holds


def _whole(low: int, high: int) -> Check:
    number = _number(low, high)
    return lambda value: isinstance(value, int) and number(value)


def _one_of(*known: object) -> Check:
    return lambda value: not isinstance(value, bool) and value in known


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100


def _price(value: object) -> bool:
    return _text(value) or _number(0, 1e12)(value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


_ROWS: dict[str, tuple[Check, str]] = {
    "code": (_text, "a market like KRW-BTC"),
    "all": (_flag, "true or false"),
    "field": (_text, "a field's name"),
}
_WRONG = ("string", "text", "null", "object", "array", "bool")
_GARBAGE = ("text", "bytes", "shape", "types", "numbers", "deep")

_DONE: dict[str, tuple[Check, str]] = {"accepted": (_flag, "true or false")}

#: mode -> its options, each with the check of a value and what the value must be
MODES: dict[str, dict[str, tuple[Check, str]]] = {
    "timeout": _DONE,
    "slow": {
        "seconds": (_number(0, 3_600), "0 to 3600"),
        "dribble": (_flag, "true or false"),
    },
    "429": {},
    "418": {"seconds": (_number(0, 86_400), "0 to 86400")},
    "5xx": {"status": (_one_of(500, 502, 503, 504), "500, 502, 503 or 504")} | _DONE,
    "html": {"status": (_one_of(200, 503), "200 or 503")} | _DONE,
    "cut": {},
    "huge": {
        "size": (_whole(1, _LARGEST), f"1 to {_LARGEST}"),
        "gzip": (_flag, "true or false"),
    },
    "empty": {},
    "missing": {key: _ROWS[key] for key in ("code", "all")},
    "nan": _ROWS,
    "zero": _ROWS,
    "negative": _ROWS,
    "wrong_type": _ROWS | {"value": (_one_of(*_WRONG), "one of " + ", ".join(_WRONG))},
    "jump": _ROWS | {"factor": (_number(1e-6, 1e6), "0.000001 to 1000000")},
    "skew": {"seconds": (_number(-86_400, 86_400), "-86400 to 86400")},
    "thin": {key: _ROWS[key] for key in ("code", "all")} | {"share": (_number(0, 1), "0 to 1")},
    "stale": {},
    "silent": {},
    "disconnect": {},
    "garbage": {"kind": (_one_of(*_GARBAGE), "one of " + ", ".join(_GARBAGE))},
    "duplicate": {},
    "disorder": {},
    "unknown": {"code": _ROWS["code"]},
    "error": {"name": (_one_of(*ERRORS), "one of " + ", ".join(ERRORS))},
    "dead": _DONE,
    "maintenance": {},
    "partial": {"share": (_number(0, 1), "0 to 1")},
    "slow_fill": {"seconds": (_number(0, 86_400), "0 to 86400")},
    "not_ready": {},
    "error_200": {},
    "balance_changes": {
        "currency": (_text, "a currency like KRW"),
        "amount": (_number(-1e12, 1e12), "-1e12 to 1e12"),
    },
    "delist": {"code": _ROWS["code"]},
    "list": {
        "code": _ROWS["code"],
        "korean_name": (_text, "a name"),
        "english_name": (_text, "a name"),
        "price": (_price, "a price"),
    },
}
ALIASES: dict[str, tuple[str, dict[str, Option]]] = {
    "timeout_after_accept": ("timeout", {"accepted": True}),
    **{str(status): ("5xx", {"status": status}) for status in (500, 502, 503)},
}
SIGNED_ONLY = frozenset(
    {"dead", "maintenance", "partial", "slow_fill", "not_ready", "error_200", "balance_changes"}
)
STREAM_ONLY = frozenset(
    {"silent", "disconnect", "garbage", "duplicate", "disorder", "unknown", "error"}
)
#: Faults of a reply, and those among them that a handshake suffers from as well.
REPLIES = frozenset({"timeout", "slow", "429", "418", "5xx", "html", "cut", "huge", "empty"})
HANDSHAKES = REPLIES - {"cut", "huge", "empty"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing going wrong until `until` (seconds of a clock that never jumps)."""

    mode: str
    group: str | None
    until: float
    began: datetime
    options: Mapping[str, object]
    undo: Callable[[], None] | None = field(default=None, compare=False)

    def hits(self, group: str) -> bool:
        """Whether requests of a group suffer from it."""
        return self.group is None or self.group == group

    def described(self, moment: float) -> dict[str, object]:
        """For the state page."""
        left = round(max(0.0, self.until - moment), 1)
        return {"mode": self.mode, "group": self.group, "left_s": left, **self.options}


def checked_group(group: object) -> None:
    """Raise ValueError unless it is one of GROUPS, or None for all."""
    if group is not None and group not in GROUPS:
        raise ValueError(f"group must be null or one of {', '.join(GROUPS)}")


def checked(mode: object, for_s: object, group: object, options: Mapping[str, object]) -> str:
    """The mode as it is kept (aliases resolved), or ValueError saying what would be right."""
    if isinstance(mode, str):
        mode = ALIASES.get(mode, (mode, {}))[0]
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)} or none")
    if not _number(0, _LONGEST_S)(for_s):
        raise ValueError(f"for_s must be a number of seconds from 0 to {_LONGEST_S:.0f}")
    checked_group(group)
    if mode in STREAM_ONLY and group not in {None, STREAM}:
        raise ValueError(f"mode {mode} is of the group {STREAM} alone")
    if mode in SIGNED_ONLY and group not in {None, *SIGNED}:
        raise ValueError(f"mode {mode} is of the groups {' and '.join(SIGNED)} alone")
    _check_options(mode, options)
    return mode


def _check_options(mode: str, options: Mapping[str, object]) -> None:
    known = MODES[mode]
    for name, value in options.items():
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise ValueError(f"mode {mode} has no option {name!r:.40} (it has: {allowed})")
        holds, wanted = known[name]
        if not holds(value):
            raise ValueError(f"{name} must be {wanted}")


class FaultSwitch:
    """The faults that hold now. They end by themselves; what they changed is undone then."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Switch one on; ValueError when a hundred hold already."""
        with self._lock:
            if len(self._faults) >= _MOST_FAULTS:
                raise ValueError(f"{_MOST_FAULTS} faults hold already; clear some")
            self._faults.append(fault)

    def clear(self, group: str | None = None) -> None:
        """Switch off those of one group, or all."""
        self._drop(lambda fault: group is None or fault.group == group)

    def active(self, moment: float) -> list[Fault]:
        """Those that hold at a moment, the latest first."""
        self._drop(lambda fault: fault.until <= moment)
        with self._lock:
            return self._faults[::-1]

    def _drop(self, over: Callable[[Fault], bool]) -> None:
        with self._lock:
            ended = [fault for fault in self._faults if over(fault)]
            self._faults = [fault for fault in self._faults if fault not in ended]
        for fault in ended:
            if fault.undo is not None:
                fault.undo()
