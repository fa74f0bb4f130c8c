"""An answer on its way out: what it says, and what goes wrong while it is given."""

import gzip
import json
import zlib
from dataclasses import dataclass, field, replace

from app.simulator.faults import REPLIES, Fault

JSON_TYPE = "application/json;charset=UTF-8"
_TEXT_TYPE = "text/plain;charset=UTF-8"
_HTML = (
    "<!DOCTYPE html><html><head><title>Maintenance</title></head>"
    "<body><h1>We'll be back soon</h1></body></html>"
)
_HUGE = 40 * 2**20
_CHUNK = b"x" * 65_536


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body; `filler` bytes come before `tail`. The rest says how it fails."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    filler: int = 0
    tail: bytes = b""
    hang: bool = False
    drop: bool = False
    delay_s: float = 0.0
    dribble: bool = False
    cut: bool = False

    @property
    def length(self) -> int:
        """The whole body's length in bytes."""
        return len(self.body) + self.filler + len(self.tail)


def as_json(status: int, value: object) -> Reply:
    """An answer with a JSON body."""
    return Reply(status, json.dumps(value, ensure_ascii=False).encode())


def refusal(status: int, message: str) -> Reply:
    """An error as the quotation endpoints word it: its name is the status, a number."""
    return as_json(status, {"error": {"name": status, "message": message}})


def too_many(status: int, seconds: int = 0) -> Reply:
    """429, or 418 with the length of the block. Neither has a Retry-After."""
    text = "Too many API requests."
    if status == 418:
        text += f" This address is blocked for {seconds} seconds."
    return Reply(status, text.encode(), _TEXT_TYPE)


def compressed(reply: Reply) -> Reply:
    """The same answer with a gzip body."""
    headers = reply.headers | {"Content-Encoding": "gzip"}
    return replace(reply, body=gzip.compress(reply.body, 1, mtime=0), headers=headers)


def spoilt(reply: Reply, faults: list[Fault]) -> Reply:
    """The answer after the latest reply fault among `faults`, or as it was."""
    fault = next((each for each in faults if each.mode in REPLIES), None)
    if fault is None:
        return reply
    if fault.mode in {"timeout", "slow", "cut"}:
        return _delivered(reply, fault)
    other = _replaced(fault)
    return replace(other, headers=_kept(reply) | other.headers)


def _kept(reply: Reply) -> dict[str, str]:
    return {key: text for key, text in reply.headers.items() if key != "Content-Encoding"}


def _delivered(reply: Reply, fault: Fault) -> Reply:
    if fault.mode == "timeout":
        return replace(reply, hang=True)
    if fault.mode == "cut":
        return replace(reply, cut=True)
    dribble = bool(fault.options.get("dribble"))
    seconds = fault.options.get("seconds", 0 if dribble else 3)
    return replace(reply, delay_s=float(str(seconds)), dribble=dribble)


def _replaced(fault: Fault) -> Reply:
    status = int(str(fault.options.get("status", 503)))
    if fault.mode in {"429", "418"}:
        seconds = float(str(fault.options.get("seconds", 10)))
        return too_many(int(fault.mode), round(seconds))
    if fault.mode == "html":
        return Reply(status, _HTML.encode(), "text/html;charset=UTF-8")
    if fault.mode == "empty":
        return Reply(200, b"[]")
    if fault.mode == "huge":
        return _huge(int(str(fault.options.get("size", _HUGE))), bool(fault.options.get("gzip")))
    return refusal(status, "Server error.")


def _huge(size: int, zipped: bool) -> Reply:
    head, tail = b'[{"market":"KRW-BTC","filler":"', b'"}]'
    if not zipped:
        return Reply(200, head, filler=size, tail=tail)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(head)]
    parts += [packer.compress(_CHUNK[: size - at]) for at in range(0, size, len(_CHUNK))]
    parts += [packer.compress(tail), packer.flush()]
    return Reply(200, b"".join(parts), headers={"Content-Encoding": "gzip"})
