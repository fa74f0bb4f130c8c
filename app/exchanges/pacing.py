"""How fast we may ask: one slot per call and group, and silence when the exchange wants it."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.clock import monotonic
from app.exchanges.base import RateLimited

log = logging.getLogger(__name__)

#: Upbit allows ten per second and group for the whole address; spacing keeps clear of that.
PER_SECOND = 8.0
#: Long work that gives way may go nearer to it, since it heeds what the exchange says is left.
PATIENT_PER_SECOND = 9.5
#: After a call that can't wait, patient ones keep back, so that the next of its kind goes first.
GIVES_WAY_S = 0.5
LONGEST_BACK_OFF_S = 16.0  # with the usual first pause of one second
FIRST_BAN_S = 60.0
LONGEST_BAN_S = 3600.0
_TOO_MANY, _BANNED = 429, 418
_REMAINING = re.compile(r"group\s*=\s*([\w-]+).*?\bsec\s*=\s*(\d+)", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class _Group:
    spacing: float
    next_at: float = 0.0
    hold_until: float = 0.0
    strikes: int = 0
    urgent_at: float = -GIVES_WAY_S
    left: int = -1
    second_at: float = 0.0


class Pacer:
    """Paces the calls to one exchange, for all threads together.

    Calls of a group are spaced evenly at `per_second`, or at the pace that `groups` names for it.
    After a 429 its group holds for `pause_s`, then twice as long, up to sixteen times as long, less
    again as calls succeed; after `sec=0` in `Remaining-Req` it holds until the exchange counts
    anew. After a 418, which is meant for the address, all groups keep quiet for 60 s, doubling up
    to an hour. A call that would have to wait longer than `max_wait_s` is refused with RateLimited
    at once, so that nobody is held long. Patient gates let all other calls of their group go first.
    """

    def __init__(
        self,
        groups: Iterable[str] | Mapping[str, float] = ("market", "ticker", "candles"),
        *,
        per_second: float = PER_SECOND,
        max_wait_s: float = 2.0,
        pause_s: float = 1.0,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        paces = groups if isinstance(groups, Mapping) else dict.fromkeys(groups, per_second)
        self._groups = {name: _Group(1 / pace) for name, pace in paces.items()}
        self._max_wait_s = max_wait_s
        self._pause_s = pause_s
        self._patient = 1 / PATIENT_PER_SECOND
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._banned_until = 0.0
        self._bans = 0

    def gate(self, group: str, *, patient: bool = False) -> "Gate":
        """The gate that every call of `group` goes through; KeyError for a group not paced here.

        A patient one is for long work in the background.
        """
        return Gate(self, group, self._groups[group], patient)

    def enter(self, group: _Group, *, patient: bool = False) -> None:
        """Wait for a slot and take it; raise RateLimited when that would take too long."""
        while wait := self._take_slot(group, patient):
            self._sleep(wait)

    def _take_slot(self, group: _Group, patient: bool) -> float:
        """Seconds still to wait; 0 when the slot is taken."""
        with self._lock:
            now = self._clock()
            if now < self._banned_until:
                raise RateLimited("keeping quiet after a 418", self._banned_until - now)
            wait = max(group.next_at, group.hold_until) - now
            if patient:
                wait = max(wait, group.urgent_at + GIVES_WAY_S - now)
            if wait > max(self._max_wait_s, group.spacing):
                raise RateLimited("backing off", wait)
            if wait > 0:
                return wait
            group.next_at = now + (min(group.spacing, self._patient) if patient else group.spacing)
            group.urgent_at = group.urgent_at if patient else now
            return 0.0

    def answered(self, group: _Group, status: int, headers: Mapping[str, str]) -> float:
        """Learn from an answer; return for how many seconds to be quiet now (0: go on)."""
        with self._lock:
            now = self._clock()
            self._obey_remaining(headers.get("Remaining-Req", ""), now)
            if status == _BANNED:
                return self._ban(now, _asked_for(headers))
            if status == _TOO_MANY:
                return _back_off(group, now, _asked_for(headers), self._pause_s)
            self._ease(group, now)
            return 0.0

    def _obey_remaining(self, header: str, now: float) -> None:
        found = _REMAINING.search(header)
        named = self._groups.get(found[1].lower()) if found else None
        if not found or named is None:
            return
        left = int(found[2][:9])
        if left >= named.left:  # the exchange counts anew, since this call at the latest
            named.second_at = now
        named.left = left
        if left == 0:
            named.hold_until = max(named.hold_until, named.second_at + 1)

    def _ban(self, now: float, asked_s: float) -> float:
        if now >= self._banned_until:  # calls that were under way together are one offence
            self._bans += 1
        quiet = min(max(FIRST_BAN_S * 2.0 ** min(self._bans - 1, 9), asked_s), LONGEST_BAN_S)
        self._banned_until = max(self._banned_until, now + quiet)
        log.warning("exchange_ban status=418 bans=%d quiet_s=%.0f", self._bans, quiet)
        return round(self._banned_until - now, 3)

    def _ease(self, group: _Group, now: float) -> None:
        group.strikes = max(0, group.strikes - 1)
        if now > self._banned_until + LONGEST_BAN_S:
            self._bans = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """The way to the exchange for one group of calls."""

    pacer: Pacer
    name: str
    group: _Group
    patient: bool = False

    def enter(self) -> None:
        """Wait until a call may be made; RateLimited if that is not soon."""
        self.pacer.enter(self.group, patient=self.patient)

    def answered(self, status: int, headers: Mapping[str, str]) -> float:
        """Report an answer; return the seconds of quiet it asks for, 0 for none."""
        return self.pacer.answered(self.group, status, headers)


def _back_off(group: _Group, now: float, asked_s: float, pause_s: float) -> float:
    if now >= group.hold_until or not group.strikes:
        group.strikes += 1
    pause = max(pause_s * min(2.0 ** min(group.strikes - 1, 9), LONGEST_BACK_OFF_S), asked_s)
    group.hold_until = max(group.hold_until, now + pause)
    log.warning("exchange_back_off status=429 strikes=%d pause_s=%.1f", group.strikes, pause)
    return round(group.hold_until - now, 3)


def _asked_for(headers: Mapping[str, str]) -> float:
    """Seconds in `Retry-After`, were it ever sent: Upbit sends none, a proxy before it may."""
    text = headers.get("Retry-After", "").strip()
    return min(float(text), LONGEST_BAN_S) if text.isascii() and text.isdecimal() else 0.0
