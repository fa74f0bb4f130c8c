"""What an exchange must offer us, and the ladder of what can go wrong there."""

from datetime import datetime
from typing import Protocol

from app.domain.market import Candle, Listing, Snapshot, Ticker


class ExchangeError(Exception):
    """Something at the exchange failed; the message is for the log, never for a page."""


class Unavailable(ExchangeError):
    """No usable answer: unreachable, too slow, 5xx, not JSON, cut off. Try again later."""


class RateLimited(Unavailable):
    """Asked to slow down (429) or told to stay away (418).

    `retry_after_s` says for how long to be quiet.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Rejected(ExchangeError):
    """The exchange understood and refused: a fault of the request. Asking again changes nothing."""


class UnknownMarket(Rejected):
    """The exchange doesn't know the market, or no longer lists it."""


class Market(Protocol):
    """Public market data. Every call may raise ExchangeError; none ever invents a row."""

    source: str

    def listings(self) -> Snapshot[Listing]:
        """All markets that trade against KRW."""

    def tickers(self) -> Snapshot[Ticker]:
        """The last trade of every KRW market, in one answer."""

    def candle_before(self, market: str, moment: datetime) -> Candle | None:
        """The last 1-minute candle that opened before `moment`, or None where there is none.

        Raises UnknownMarket when the exchange doesn't know the market.
        """

    def logo(self, code: str) -> bytes | None:
        """The PNG of a coin's logo, or None where the exchange has none."""
