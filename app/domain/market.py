"""What the game knows of the market: listings, tickers, candles, and which of them to believe."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """One KRW market as the exchange lists it. `code` is the base (`BTC`), `market` the pair."""

    market: str
    code: str
    korean_name: str
    english_name: str
    warning: bool = False
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last trade of one market. Times are aware UTC; `price` and its kin are exact won.

    `traded_at` is the last trade, `stamped_at` the exchange's own time of the row. Turnover and the
    rate of change decide nothing, so they may be floats. `change_rate` is against `prev_close`.
    """

    market: str
    price: Decimal
    traded_at: datetime
    stamped_at: datetime
    prev_close: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    change_rate: float | None = None
    turnover_24h: float | None = None


@dataclass(frozen=True, slots=True)
class Candle:
    """One 1-minute candle: `opened_at` is its start, `close` the last trade inside it."""

    market: str
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    raw: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of the exchange's answer that could not be believed, and why (for the log)."""

    market: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """An answer of the exchange: the rows that hold, and those left out."""

    rows: tuple[T, ...]
    bad: tuple[BadRow, ...] = ()
