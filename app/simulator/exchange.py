"""The simulated exchange without its sockets: clock, markets, limits and faults in one place."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock

from app.clock import monotonic
from app.simulator import logos as invented
from app.simulator.clock import VirtualClock
from app.simulator.desk.counters import Counters
from app.simulator.desk.floor import Floor
from app.simulator.faults import (
    ALIASES,
    DEFAULT_CODE,
    DEFAULT_NEW,
    Fault,
    FaultSwitch,
    checked,
    checked_group,
)
from app.simulator.lies import bend
from app.simulator.limits import RateLimits, Verdict
from app.simulator.replay import Replay
from app.simulator.reply import Reply, compressed, refusal, spoilt, too_many
from app.simulator.routes import BOOK, UNKNOWN, Refused, Source, answer, group_of
from app.simulator.rows import MINUTE_UNITS, Quotation
from app.simulator.server import Request
from app.simulator.wire import NOTATIONS, rows_json
from app.simulator.world import UnknownCode, World

MOST_BURST = 50_000
STREAM_UNKNOWN = ("nothing", "error")
_LOGO = re.compile(r"/logos/([A-Z0-9]{1,20})\.png")
_HEADERS = {
    "Limit-By-Ip": "Yes",
    "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
    "Pragma": "no-cache",
    "Expires": "0",
    "Vary": "origin,access-control-request-method,access-control-request-headers,accept-encoding",
}
_COUNTED = frozenset(
    {"/v1/orders", "/v2/orders", "/v1/order", "/v2/order", "/v1/accounts"}
    | {"/v1/market/all", "/v1/ticker", "/v1/ticker/all", "/v1/candles/days", "/websocket/v1"}
    | {f"/v1/candles/minutes/{unit}" for unit in MINUTE_UNITS}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an exchange is made from; see Simulator."""

    seed: int
    markets: int
    speed: float
    start: datetime | None
    replay: str | Path | None
    rate_limit: int | None
    notation: str
    unknown_code: str
    logos: bool
    stream_unknown: str = "nothing"
    stream_idle_s: float = 120.0
    stream_status_s: float = 10.0

    def __post_init__(self) -> None:
        if self.notation not in NOTATIONS:
            raise ValueError(f"notation must be one of {', '.join(NOTATIONS)}")
        if self.unknown_code not in UNKNOWN:
            raise ValueError(f"unknown_code must be one of {', '.join(UNKNOWN)}")
        if self.stream_unknown not in STREAM_UNKNOWN:
            raise ValueError(f"stream_unknown must be one of {', '.join(STREAM_UNKNOWN)}")
        if not (self.stream_idle_s > 0 and self.stream_status_s > 0):
            raise ValueError("stream_idle_s and stream_status_s must be more than 0")


class Exchange:
    """Answers requests as the exchange would at the virtual moment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = VirtualClock(settings.start, settings.speed)
        self.world = World(settings.seed, settings.markets)
        self.recording = Replay(Path(settings.replay)) if settings.replay is not None else None
        self.requests: Counter[str] = Counter()
        self.burst_per_s = 0
        self.quotation = Quotation(self.world)
        self._source: Source = self.recording or self.quotation
        self._limits = RateLimits(settings.rate_limit)
        self._switch = FaultSwitch()
        self._counting = Lock()
        floor = Floor(self.clock, self.world, self.recording, self.codes)
        self.desks = Counters(floor, self.faults, limited=bool(settings.rate_limit))

    def warm_up(self) -> None:
        """Work out once what the first answers need, so that they come as fast as later ones."""
        self._source.tickers(["KRW"], self.clock.now())

    def respond(self, request: Request) -> Reply:
        """The answer to a request, failures included. One request counts once, refused or not."""
        self.count(request.path)
        if self.desks.knows("upbit", request.path):
            return self.desks.respond("upbit", request)
        logo = _LOGO.fullmatch(request.path)
        return self._public(request, "logos" if logo else group_of(request.path))

    def _public(self, request: Request, group: str | None) -> Reply:
        if group is None:
            return refusal(404, "Not Found")
        if request.method not in {"GET", "HEAD"}:
            return replace(refusal(405, "Method Not Allowed"), headers={"Allow": "GET, HEAD"})
        faults = [fault for fault in self.faults() if fault.hits(group)]
        logo = _LOGO.fullmatch(request.path)
        if logo:
            return spoilt(self._logo(logo[1]), faults)
        verdict = self._limits.check(request.caller, group, monotonic(), origin=request.origin)
        reply = self._judged(request, verdict, faults)
        return replace(reply, headers=reply.headers | {"Remaining-Req": verdict.remaining_req})

    def respond_as_bithumb(self, request: Request) -> Reply:
        """The answer to a request to the other exchange: its signed side, and its order books."""
        self.count(request.path)
        if self.desks.knows("bithumb", request.path):
            return self.desks.respond("bithumb", request)
        return self._public(request, group_of(request.path) if request.path == BOOK else None)

    def count(self, path: str) -> None:
        """Count a request or a connection to a path; the state tells how many there were."""
        known = path if path in _COUNTED else "/logos" if path.startswith("/logos/") else "other"
        with self._counting:
            self.requests[known] += 1

    def price(self, code: str, moment: datetime) -> Decimal:
        """The last trade price of a market at a moment (inclusive), or UnknownCode."""
        return (self.recording or self.world).price(code, moment)

    def codes(self) -> list[str]:
        """The codes of all listed markets."""
        rows = self._source.markets(details=False, now=self.clock.now())
        return [str(row["market"]) for row in rows]

    def faults(self) -> list[Fault]:
        """The faults that hold now, the latest first."""
        return self._switch.active(monotonic())

    def fault(
        self, /, mode: str, for_s: float = 60, group: str | None = None, **options: object
    ) -> None:
        """Let something go wrong for `for_s` real seconds; mode "none" clears (one group or all).

        Modes and options stand in app.simulator.faults. ValueError says what would be right.
        """
        if mode == "none":
            self.clear_faults(group)
            return
        kept = checked(mode, for_s, group, options)
        options = {**ALIASES.get(mode, (mode, {}))[1], **options}
        now = self.clock.now()
        if kept == "balance_changes":
            currency, amount = options.get("currency", "KRW"), options.get("amount", -1_000)
            self.desks.change_all(str(currency), amount)
        undo = self._change_listing(kept, options, now)
        try:
            self._switch.add(Fault(kept, group, monotonic() + for_s, now, options, undo))
        except ValueError:
            if undo is not None:
                undo()
            raise

    def clear_faults(self, group: str | None = None) -> None:
        """End the faults of one group, or all; ValueError for a group that isn't there."""
        checked_group(group)
        self._switch.clear(group)

    def list_market(self, code: str, **about: object) -> None:
        """List a new market (`korean_name`, `english_name`, `price`) or bring one back."""
        self._invented().list_market(code, self.clock.now(), **about)  # type: ignore[arg-type]

    def delist(self, code: str) -> None:
        """Take a market off the list."""
        self._invented().delist(code)

    def set_price(self, code: str, price: object | None) -> None:
        """Trade at `price` now and until further notice; None lets the price follow its path."""
        self._invented().set_price(code, price, self.clock.now())

    def burst(self, per_s: int) -> None:
        """Let the stream tell so many ticks a second more, over all tickers asked for; 0 ends it.

        ValueError unless it is a whole number up to MOST_BURST.
        """
        whole = isinstance(per_s, int) and not isinstance(per_s, bool)
        if not (whole and 0 <= per_s <= MOST_BURST):
            raise ValueError(f"burst must be a whole number from 0 to {MOST_BURST}")
        self.burst_per_s = per_s

    def _invented(self) -> World:
        if self.recording is not None:
            raise ValueError("a recording can't be changed")
        return self.world

    def _change_listing(
        self, mode: str, options: dict[str, object], now: datetime
    ) -> Callable[[], None] | None:
        if mode == "delist":
            code = str(options.get("code", DEFAULT_CODE))
            self._invented().delist(code)
            return lambda: self.world.relist(code)
        if mode == "list":
            about = {"code": DEFAULT_NEW, **options}
            code = str(about["code"])
            self._invented().list_market(moment=now, **about)  # type: ignore[arg-type]
            return lambda: self.world.unlist(code)
        return None

    def _judged(self, request: Request, verdict: Verdict, faults: list[Fault]) -> Reply:
        if verdict.status != 200:
            return too_many(verdict.status, verdict.blocked_s)
        reply = self._quoted(request, faults)
        reply = replace(reply, headers=dict(_HEADERS))
        return spoilt(compressed(reply) if request.gzip else reply, faults)

    def _quoted(self, request: Request, faults: list[Fault]) -> Reply:
        stale = next((fault for fault in faults if fault.mode == "stale"), None)
        now = stale.began if stale else self.clock.now()
        unknown = self.settings.unknown_code
        try:
            rows = answer(self._source, request.path, request.query, now, unknown)
        except Refused as refused:
            return refusal(refused.status, refused.message)
        return Reply(200, rows_json(bend(rows, faults), self.settings.notation))

    def _logo(self, code: str) -> Reply:
        picture = self.recording.logo(code) if self.recording else None
        if picture is None and self.settings.logos:
            picture = self._drawn(code)
        if picture is None:
            return Reply(404, b"", "text/plain;charset=UTF-8")
        return Reply(200, picture, "image/png")

    def _drawn(self, code: str) -> bytes | None:
        try:
            self.world.market(f"KRW-{code}")
        except UnknownCode:
            return None
        return invented.logo(code)
