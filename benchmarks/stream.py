"""`stream`: frames of 250 coins read, folded and written, a second of a busy market at a time."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from app.domain.market import FeedSource
from app.exchanges.upbit_stream import UpbitStream
from app.extensions import db
from app.models import Coin
from app.services.market import FeedNote, followed_markets, refresh_listings, store_ticks
from app.simulator import Simulator
from app.simulator.stream.rows import StreamRows
from app.simulator.wire import to_json
from app.simulator.world import to_ms
from benchmarks import stage, stream_peer
from benchmarks.minute import make_app
from benchmarks.serve import MARKETS
from benchmarks.table import Row, middle, must_equal

#: Each second every coin is traded so often; Upbit in a frenzy comes near that.
TRADES = 20
SECONDS, RUNS = 10, 5
#: The peer's share of the first second, in trades per coin: more would take minutes.
PEER_TRADES = 2
_EVERYTHING = (
    "SELECT coin_id, price, prev_close, open, high, low, change_rate, turnover_24h, turnover_today,"
    " high_52w, low_52w, traded_at, observed_at FROM quotes ORDER BY coin_id"
)


@dataclass
class Tape:
    """A line on which everything has arrived already."""

    frames: Iterator[bytes] = field(default_factory=lambda: iter(()))
    sent: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Nothing to connect to."""

    def send(self, text: str) -> None:
        """Keep what was asked."""
        self.sent.append(text)

    def receive(self, timeout: float) -> bytes | None:
        """The next frame; None at the end."""
        del timeout
        return next(self.frames, None)

    def close(self) -> None:
        """Nothing to hang up."""


def run() -> list[Row]:
    """Ours and the limit over the same seconds, the peer over a part of the first one."""
    taken: dict[str, list[float]] = {"ours": [], "limit": []}
    with stage.folder() as folder:
        seconds = prepare(folder / "base.db")
        for turn in range(RUNS + 1):
            stage.copy(folder / "base.db", folder / "ours.db")
            figures = ours(folder / "ours.db", seconds), limit(seconds)
            for name, figure in zip(taken, figures, strict=True):
                taken[name] += [figure] if turn else []
        peer = _peer(folder, seconds[0][: PEER_TRADES * MARKETS])
    return [
        Row(
            "stream",
            middle(taken["ours"]),
            "frames/s",
            peer=peer,
            limit=middle(taken["limit"]),
            target_vs_peer=100,
            target_vs_limit=0.4,
            notes=(
                f"{RUNS} runs of {SECONDS} s of {TRADES * MARKETS} frames, written once a second,"
                " no socket; peer: json with exact numbers and one ORM save per tick,"
                f" {PEER_TRADES * MARKETS} frames; limit: json.loads alone, inexact",
            ),
        )
    ]


def prepare(path: Path) -> list[list[bytes]]:
    """250 coins without a price, and the frames of some seconds, in the order of time."""
    stage.migrated(path)
    with Simulator(markets=MARKETS, rate_limit=None, start=stage.NOW, speed=0) as exchange:
        app = make_app(path, exchange.url)
        with app.app_context():
            refresh_listings(market=app.extensions["whaling_market"], now=stage.NOW)
            markets = sorted(followed_markets())
        stage.close_app(app)
        rows = StreamRows(exchange.world, exchange.quotation)
        first = [rows.row("ticker", code, to_ms(stage.NOW)) for code in markets]
    return [
        [
            _frame(row, second * 1000 + trade * 1000 // TRADES)
            for trade in range(TRADES)
            for row in first
            if row is not None
        ]
        for second in range(SECONDS)
    ]


def _frame(row: dict[str, object], after_ms: int) -> bytes:
    """A trade so long after the beginning, at the edges of the day's range in turn."""
    low, high = Decimal(str(row["low_price"])), Decimal(str(row["high_price"]))
    ms = to_ms(stage.NOW) + after_ms
    changed = {
        "trade_price": low if after_ms // (1000 // TRADES) % 2 else high,
        "trade_timestamp": ms,
        "timestamp": ms,
    }
    return to_json(row | changed).encode()  # type: ignore[arg-type]


def ours(path: Path, seconds: list[list[bytes]]) -> float:
    """Frames per second through the client's reading and the service's writing."""
    app = stage.make_app(path)
    with app.app_context():
        store([[]])
        began = time.perf_counter()
        store(seconds)
        spent = time.perf_counter() - began
    stage.close_app(app)
    return sum(map(len, seconds)) / spent


def store(seconds: list[list[bytes]]) -> None:
    """Hear each second's frames and write what is new, as the leader's thread does."""
    tape = Tape()
    stream = UpbitStream(tape)  # type: ignore[arg-type]
    stream.open(followed_markets())
    for number, frames in enumerate(seconds):
        now = _after(number)
        tape.frames = iter(frames)
        stream.listen(60, now)
        note = FeedNote(FeedSource.STREAM, since=stage.NOW, heard_at=now)
        store_ticks(ticks=stream.take().ticks, note=note, now=now)
        db.session.remove()


def limit(seconds: list[list[bytes]]) -> float:
    """Frames per second when each is read by the fastest reader of the library, and thrown away."""
    began = time.perf_counter()
    for frames in seconds:
        for frame in frames:
            json.loads(frame)
    return sum(map(len, seconds)) / (time.perf_counter() - began)


def _peer(folder: Path, frames: list[bytes]) -> float:
    """The peer's frames per second; DifferentResult unless the quotes become the same."""
    for name in ("peer", "ours"):
        stage.copy(folder / "base.db", folder / f"{name}.db")
    spent = stream_peer.run(folder / "peer.db", frames, _after(0))
    app = stage.make_app(folder / "ours.db")
    with app.app_context():
        store([frames])
        assert db.session.query(Coin).count() == MARKETS
    stage.close_app(app)
    must_equal("quotes", _quotes(folder / "ours.db"), _quotes(folder / "peer.db"))
    return len(frames) / spent


def _quotes(path: Path) -> list[tuple[object, ...]]:
    connection = stage.connect(path)
    rows = connection.execute(_EVERYTHING).fetchall()
    connection.close()
    return rows


def _after(second: int) -> datetime:
    return stage.NOW + timedelta(seconds=second + 1)
