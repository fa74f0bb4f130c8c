"""What the faults make of one connection's rows and frames."""

from itertools import count

from app.simulator.faults import Fault
from app.simulator.lies import bend
from app.simulator.stream.wording import error
from app.simulator.wire import Row

STRANGER = "KRW-NOBODY"
_TICKER = '{"type":"ticker","code":"%s","trade_price":%s,"timestamp":%s,"stream_type":"REALTIME"}'
#: kind -> what comes instead of a frame; `%s` is the market it would have been about
GARBAGE: dict[str, tuple[str, ...]] = {
    "text": ("upstream connect error", "", "{'type': 'ticker', 'code': '%s'}", '{"type":"ticker",'),
    "shape": (
        "null", "5", '"%s"', "[]", "{}", '[["%s"]]', '{"type":["ticker"],"code":"%s"}',
        '{"type":"ticker","code":{"%s":1}}', '{"type":"ticker","code":"%s"}',
        '{"type":"orderbook","code":"%s","orderbook_units":[]}',
    ),
    "types": tuple(
        _TICKER % ("%s", price, stamp)
        for price, stamp in (
            ('"soon"', '"now"'), ("null", "null"), ("true", "false"), ("[1]", "[2]"),
            ('{"value":1}', "{}"), ('"100"', '"1"'), ("100", "1.5"), ("100", "-1"), ("100", "0"),
        )
    ),
    "numbers": tuple(
        _TICKER % ("%s", price, stamp)
        for price, stamp in (
            ("NaN", "NaN"), ("Infinity", "-Infinity"), ("1e999999999", "1e999999999"),
            ("1e-999999999", "1"), ("9" * 5_000, "9" * 5_000), ("1e400", "99999999999999999999"),
        )
    ),
    "deep": ("[" * 50_000, '{"a":' * 50_000),
}  # fmt: skip
_NOT_TEXT = b'\xff\xfe{"type":"ticker"\xc3('
_INSTEAD = frozenset({"cut", "garbage", "error", "empty", "huge"})
_HUGE = 40 * 2**20


class Spoiler:
    """Remembers what the faults of one connection hold back and what they sent last."""

    def __init__(self) -> None:
        self._held: dict[tuple[object, object], Row] = {}
        self._turns = count()
        self._huge: Fault | None = None

    def rows(self, rows: list[Row], faults: list[Fault]) -> list[Row]:
        """The rows as they go out: bent, out of order, twice, and strangers among them."""
        modes = {fault.mode for fault in faults}
        bent = bend(rows, faults)
        for fault in faults:
            if fault.mode == "unknown":
                bent += [row | {"code": fault.options.get("code", STRANGER)} for row in bent[:1]]
        ordered = self._disordered(bent) if "disorder" in modes else self._released(bent)
        return [row for row in ordered for _ in range(2 if "duplicate" in modes else 1)]

    def frame(self, frame: bytes, row: Row, faults: list[Fault]) -> bytes:
        """What goes out instead of a frame after the latest fault that replaces it."""
        fault = next((each for each in faults if each.mode in _INSTEAD), None)
        if fault is None:
            return frame
        if fault.mode == "garbage":
            return self._garbage(str(row["code"]), fault)
        if fault.mode == "huge":
            return self._blown_up(frame, fault)
        if fault.mode == "error":
            return error(str(fault.options.get("name", "TOO_MANY_REQUEST")))
        return b"[]" if fault.mode == "empty" else frame[: len(frame) // 2]

    def _released(self, rows: list[Row]) -> list[Row]:
        held, self._held = self._held, {}
        return [*held.values(), *rows]

    def _disordered(self, rows: list[Row]) -> list[Row]:
        """Each row waits for the next of its market, and comes after it."""
        told = []
        for row in rows:
            key = row["type"], row["code"]
            earlier = self._held.pop(key, None)
            if earlier is None:
                self._held[key] = row
            else:
                told += [row, earlier]
        return told

    def _garbage(self, code: str, fault: Fault) -> bytes:
        turn, kind = next(self._turns), fault.options.get("kind")
        if kind == "bytes" or (kind is None and turn % (len(GARBAGE) + 1) == 0):
            return _NOT_TEXT
        kinds = [str(kind)] if kind else list(GARBAGE)
        texts = GARBAGE[kinds[turn % len(kinds)]]
        return texts[turn // len(kinds) % len(texts)].replace("%s", code).encode()

    def _blown_up(self, frame: bytes, fault: Fault) -> bytes:
        if self._huge is fault:  # once is enough to see whether it is taken
            return frame
        self._huge = fault
        size = int(str(fault.options.get("size", _HUGE)))
        return b'{"type":"ticker","filler":"' + b"x" * size + b'"}'
