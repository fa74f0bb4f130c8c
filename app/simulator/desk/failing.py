"""What faults do to a signed request: before it is heard, or only to its answer."""

from dataclasses import dataclass, replace

from app.simulator.faults import REPLIES, Fault
from app.simulator.reply import Reply, as_json, spoilt

#: Faults that only spoil the answer: what was asked for has been done.
_HEARD = frozenset({"slow", "cut", "huge", "empty"})
_OWN = frozenset({"dead", "maintenance"})


@dataclass(frozen=True, slots=True)
class Plight:
    """What one request suffers from."""

    fault: Fault | None
    heard: bool
    skew_s: float
    not_ready: bool
    as_200: bool

    @property
    def before(self) -> Fault | None:
        """The fault that keeps the request from being heard at all."""
        return None if self.heard else self.fault

    def failing(self, reply: Reply) -> Reply:
        """The answer on its way out."""
        if self.fault is None:
            return reply
        if self.fault.mode == "dead":
            return replace(reply, drop=True)
        if self.fault.mode == "maintenance":
            return _closed()
        return spoilt(reply, [self.fault])


def suffered(faults: list[Fault]) -> Plight:
    """What the faults that hit a request do to it; of several that replace the answer the latest.

    `accepted` tells that the request is heard and done, and only the answer fails to come.
    """
    fault = next((each for each in faults if each.mode in REPLIES | _OWN), None)
    modes = {each.mode: each for each in reversed(faults)}
    skew = modes.get("skew")
    return Plight(
        fault=fault,
        heard=fault is None or fault.mode in _HEARD or bool(fault.options.get("accepted")),
        skew_s=float(str(skew.options.get("seconds", 600))) if skew else 0.0,
        not_ready="not_ready" in modes,
        as_200="error_200" in modes,
    )


def _closed() -> Reply:
    message = "시스템 점검 중입니다. 점검이 완료된 후에 다시 시도해주세요."
    return as_json(403, {"error": {"name": "market_offline", "message": message}})
