"""The exchange's patience: requests per group and second, bans, the Origin rule."""

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

STRIKES = 20
STRIKES_FORGOTTEN_S = 10.0
FIRST_BLOCK_S = 10.0
LONGEST_BLOCK_S = 3_600.0
ORIGIN_PAUSE_S = 10.0
_MINUTE_FIGURE = 600  # a dead number: the exchange always sends it
_MOST_CALLERS = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request may expect: status 200, 429 or 418, what is left, how long a block lasts."""

    status: int
    group: str
    left: int
    blocked_s: int = 0

    @property
    def remaining_req(self) -> str:
        """The value of the Remaining-Req header."""
        return f"group={self.group}; min={_MINUTE_FIGURE}; sec={self.left}"


@dataclass(slots=True)
class _Caller:
    second: dict[str, tuple[int, int]] = field(default_factory=dict)
    strikes: int = 0
    struck_at: float = -math.inf
    blocks: int = 0
    blocked_until: float = -math.inf
    origin_at: float = -math.inf


class RateLimits:
    """Counts per caller address, group and second; `per_second` 0 or None never refuses."""

    def __init__(self, per_second: int | None) -> None:
        self._limit = per_second or 0
        self._callers: OrderedDict[str, _Caller] = OrderedDict()
        self._lock = Lock()

    def check(self, caller: str, group: str, moment: float, *, origin: bool = False) -> Verdict:
        """Count one request at `moment` (seconds of a clock that never jumps) and judge it.

        Over the limit 429; after STRIKES of those, none of them STRIKES_FORGOTTEN_S apart, 418 in
        all groups, twice as long each time.
        """
        if not self._limit:
            return Verdict(200, group, 9)
        with self._lock:
            seen = self._caller(caller)
            if moment < seen.blocked_until:
                return Verdict(418, group, 0, math.ceil(seen.blocked_until - moment))
            if origin:
                return _with_origin(seen, moment)
            left = self._limit - _count(seen, group, int(moment))
            return Verdict(200, group, left) if left >= 0 else _strike(seen, group, moment)

    def _caller(self, caller: str) -> _Caller:
        seen = self._callers.setdefault(caller, _Caller())
        self._callers.move_to_end(caller)
        if len(self._callers) > _MOST_CALLERS:
            self._callers.popitem(last=False)
        return seen


def _count(seen: _Caller, group: str, second: int) -> int:
    counted, number = seen.second.get(group, (second, 0))
    number = number + 1 if counted == second else 1
    seen.second[group] = (second, number)
    return number


def _strike(seen: _Caller, group: str, moment: float) -> Verdict:
    recent = moment - seen.struck_at < STRIKES_FORGOTTEN_S
    seen.strikes = seen.strikes + 1 if recent else 1
    seen.struck_at = moment
    if seen.strikes <= STRIKES:
        return Verdict(429, group, 0)
    block = min(LONGEST_BLOCK_S, FIRST_BLOCK_S * 2**seen.blocks)
    seen.blocked_until = moment + block
    seen.blocks, seen.strikes = seen.blocks + 1, 0
    return Verdict(418, group, 0, math.ceil(block))


def _with_origin(seen: _Caller, moment: float) -> Verdict:
    if moment - seen.origin_at < ORIGIN_PAUSE_S:
        return _strike(seen, "origin", moment)
    seen.origin_at = moment
    return Verdict(200, "origin", 0)
