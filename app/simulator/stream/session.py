"""One connection's conversation: what it asked for, and what it is told."""

from collections import deque

from app.simulator.exchange import Exchange
from app.simulator.faults import STREAM, Fault
from app.simulator.stream.feed import Feed, RecordedFeed, WorldFeed
from app.simulator.stream.request import Asked, StreamRefusal, Wish, read
from app.simulator.stream.spoil import Spoiler
from app.simulator.stream.wording import FORMATS, STATUS, error, frame
from app.simulator.wire import Row, to_json
from app.simulator.world import to_ms

PER_SECOND, PER_MINUTE = 5, 100
PING = "PING"


class Session:
    """Answers messages and tells what happened. `moment` is seconds of a clock that never jumps."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._feed: Feed = WorldFeed(exchange.world, exchange.quotation, (), 0)
        self._wishes: tuple[Wish, ...] = ()
        self._format = FORMATS[0]
        self._spoiler = Spoiler()
        self._heard: deque[float] = deque(maxlen=PER_MINUTE)
        self._status_at: float | None = None

    def hear(self, message: str | bytes, moment: float) -> list[bytes]:
        """The frames that answer a message. A new request replaces the whole set before it."""
        faults = self._faults()
        if self._is_too_much(moment):
            answers = [error("TOO_MANY_REQUEST")]
        elif message in (PING, PING.encode()):
            self._status_at = moment
            answers = self._status(moment)
        else:
            answers = self._answered(message, faults)
        return [] if _is_silent(faults) else answers

    def tell(self, moment: float) -> list[bytes]:
        """The frames that are due: what happened in the markets asked for, and the status."""
        faults, now_ms = self._faults(), to_ms(self._exchange.clock.now())
        stale = next((fault for fault in faults if fault.mode == "stale"), None)
        rows = self._feed.news(now_ms, None if stale is None else to_ms(stale.began))
        rows += self._feed.burst(self._exchange.burst_per_s, now_ms, moment)
        frames = self._framed(rows, faults) + self._status(moment)
        return [] if _is_silent(faults) else frames

    def _faults(self) -> list[Fault]:
        return [fault for fault in self._exchange.faults() if fault.hits(STREAM)]

    def _answered(self, message: str | bytes, faults: list[Fault]) -> list[bytes]:
        refused = next((fault for fault in faults if fault.mode == "error"), None)
        if refused is not None:
            return [error(str(refused.options.get("name", "TOO_MANY_REQUEST")))]
        try:
            asked = read(message)
            self._check_codes(asked)
        except StreamRefusal as refusal:
            return [error(refusal.name)]
        self._format = asked.format or (self._format if asked.listing else FORMATS[0])
        return [self._listing(asked)] if asked.listing else self._subscribed(asked, faults)

    def _is_too_much(self, moment: float) -> bool:
        """Count a message, also a refused one; whether it came too soon after those before it."""
        if not self._exchange.settings.rate_limit:
            return False
        heard = [at for at in self._heard if moment - at < 60]
        self._heard.append(moment)
        return len(heard) >= PER_MINUTE or sum(moment - at < 1 for at in heard) >= PER_SECOND

    def _status(self, moment: float) -> list[bytes]:
        if self._status_at is None or moment < self._status_at:
            return []
        self._status_at = moment + self._exchange.settings.stream_status_s
        return [STATUS]

    def _check_codes(self, asked: Asked) -> None:
        if self._exchange.settings.stream_unknown == "error":
            listed = set(self._exchange.codes())
            if any(code not in listed for wish in asked.wishes for code in wish.codes):
                raise StreamRefusal("INVALID_PARAM")

    def _subscribed(self, asked: Asked, faults: list[Fault]) -> list[bytes]:
        exchange, now_ms = self._exchange, to_ms(self._exchange.clock.now())
        self._wishes = asked.wishes
        if exchange.recording is not None:
            self._feed = RecordedFeed(exchange.recording, asked.wishes)
        else:
            self._feed = WorldFeed(
                exchange.world, exchange.quotation, asked.wishes, now_ms, exchange.settings.notation
            )
        stale = next((to_ms(fault.began) for fault in faults if fault.mode == "stale"), now_ms)
        return self._framed(self._feed.snapshots(stale), faults)

    def _listing(self, asked: Asked) -> bytes:
        held = [{"type": wish.kind, "codes": wish.codes, "level": 0} for wish in self._wishes]
        answer = {"method": "LIST_SUBSCRIPTIONS", "result": held, "ticket": asked.ticket}
        return to_json(answer).encode()

    def _framed(self, rows: list[Row], faults: list[Fault]) -> list[bytes]:
        notation = self._exchange.settings.notation
        return [
            self._spoiler.frame(frame(row, self._format, notation), row, faults)
            for row in self._spoiler.rows(rows, faults)
        ]


def _is_silent(faults: list[Fault]) -> bool:
    return any(fault.mode in {"silent", "timeout"} for fault in faults)
