"""A recorded exchange: answers from a folder of JSON files, every digit as it was recorded."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from app.simulator.wire import Row, read_rows
from app.simulator.world import UnknownCode

_CANDLES = re.compile(r"candles_(minutes_\d+|days)_([A-Z]+-[A-Z0-9]+)")
_STAMP = "%Y-%m-%dT%H:%M:%S"


class Replay:
    """Serves `market_all.json`, `ticker_*.json`, `candles_minutes_<unit>_<MARKET>*.json`,
    `candles_days_<MARKET>*.json`, `ws_*.jsonl` and `logos/<CODE>.png` of a folder.

    Where two ticker files hold one market, `ticker_krw.json` wins, then the alphabet. A folder
    without any recording and a file that isn't an array of objects raise ValueError.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}")
        self._markets = _read(folder / "market_all.json")
        self._tickers: dict[str, Row] = {}
        for path in sorted(folder.glob("ticker_*.json"), key=_krw_first):
            for row in _read(path):
                self._tickers.setdefault(str(row["market"]), row)
        self._markets += _unlisted(self._markets, self._tickers)
        self._candles = _candle_files(folder)
        self._frames = _frame_files(folder)
        if not (self._markets or self._tickers or self._candles or self._frames):
            raise ValueError(f"no recording in {folder}")
        self._logos = folder / "logos"

    def markets(self, *, details: bool, now: datetime) -> list[Row]:
        """The recorded market list, and the markets that only a ticker file holds."""
        del now
        if details:
            return self._markets
        return [{k: v for k, v in row.items() if k != "market_event"} for row in self._markets]

    def tickers(self, quotes: Iterable[str], now: datetime) -> list[Row]:
        """The recorded tickers of some quote currencies."""
        del now
        wanted = frozenset(quotes)
        return [row for code, row in self._tickers.items() if code.split("-")[0] in wanted]

    def ticker(self, code: str, now: datetime) -> Row | None:
        """The recorded ticker of a market, or UnknownCode."""
        del now
        if code not in self._tickers:
            raise UnknownCode(code)
        return self._tickers[code]

    def candles(
        self, code: str, span: int | None, before: datetime, count: int, now: datetime
    ) -> list[Row]:
        """Recorded candles that start before a moment, newest first, or UnknownCode.

        A recording has no present: asked for what was before now, it gives its newest.
        """
        rows = self._candles.get((f"minutes_{span}" if span else "days", code))
        if rows is None:
            raise UnknownCode(code)
        edge = before.astimezone(UTC) if before < now else datetime.max.replace(tzinfo=UTC)
        # a candle is outside when it starts at `before` or later, also by a part of a second
        last = (edge - timedelta(microseconds=1)).strftime(_STAMP)
        return [row for row in rows if str(row["candle_date_time_utc"]) <= last][:count]

    def frames(self, kind: str, code: str) -> list[Row]:
        """The recorded frames of a type for a market, in the order of their time."""
        return self._frames.get((kind, code), [])

    def price(self, code: str, moment: datetime) -> Decimal:
        """The recorded last price of a market, whatever the moment."""
        row = self.ticker(code, moment)
        if row is None:
            raise UnknownCode(code)
        return Decimal(str(row["trade_price"]))

    def logo(self, code: str) -> bytes | None:
        """A recorded logo."""
        path = self._logos / f"{code}.png"
        return path.read_bytes() if path.is_file() else None


def _krw_first(path: Path) -> tuple[bool, str]:
    return path.name != "ticker_krw.json", path.name


def _unlisted(listed: Iterable[Row], tickers: Iterable[str]) -> list[Row]:
    """Rows for markets with a ticker but no listing, named by their code.

    List and tickers may have been recorded years apart; a market that trades is listed somewhere.
    """
    known = {row["market"] for row in listed}
    calm = {"warning": False, "caution": {}}
    return [
        {
            "market": market,
            "korean_name": market.split("-")[1],
            "english_name": market.split("-")[1],
            "market_event": calm,
        }
        for market in tickers
        if market not in known
    ]


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    rows = _parsed(path, path.read_text(encoding="utf-8"))
    if not all(isinstance(row.get("market"), str) for row in rows):
        raise ValueError(f"{path}: a row without a market")
    return rows


def _parsed(path: Path, text: str) -> list[Row]:
    try:
        return read_rows(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _candle_files(folder: Path) -> dict[tuple[str, str], list[Row]]:
    merged: dict[tuple[str, str], dict[str, Row]] = {}
    for path in sorted(folder.glob("candles_*.json")):
        name = _CANDLES.match(path.name)
        if name is None:
            continue
        rows = merged.setdefault((name[1], name[2]), {})
        for row in _read(path):
            rows[str(row["candle_date_time_utc"])] = row
    return {
        key: [rows[start] for start in sorted(rows, reverse=True)] for key, rows in merged.items()
    }


def _frame_files(folder: Path) -> dict[tuple[str, str], list[Row]]:
    """Frames of the stream, one JSON object a line, by type and code."""
    kept: dict[tuple[str, str], list[Row]] = {}
    for path in sorted(folder.glob("ws_*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for row in _parsed(path, "[" + ",".join(line for line in lines if line.strip()) + "]"):
            if not all(name in row for name in ("type", "code", "timestamp", "stream_type")):
                raise ValueError(f"{path}: a frame without type, code, timestamp or stream_type")
            kept.setdefault((str(row["type"]), str(row["code"])), []).append(row)
    for frames in kept.values():
        frames.sort(key=lambda row: int(str(row["timestamp"])))
    return kept
