"""What an exchange must offer us, and the ladder of what can go wrong there."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.exchanges import (
    Balance,
    ExchangeName,
    KeyCheck,
    KeyProblem,
    MarketRules,
    Offer,
    OrderIntent,
    OrderReport,
    PaperOrder,
)
from app.domain.market import Candle, CandleUnit, Listing, Snapshot, Ticker


class ExchangeError(Exception):
    """Something at the exchange failed; the message is for the log, never for a page."""


class Unavailable(ExchangeError):
    """No usable answer: unreachable, too slow, 5xx, not JSON, cut off. Try again later."""


class Maintenance(Unavailable):
    """The exchange says that it is closed for maintenance: it refuses, and will take it later."""


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

    def candles(
        self, market: str, unit: CandleUnit, *, until: datetime, count: int
    ) -> list[Candle]:
        """The last `count` (at most 200) candles that opened before `until`, newest first.

        Fewer where there are no more; the one that still forms is among them only if it opened
        before `until`. Raises UnknownMarket when the exchange doesn't know the market.
        """

    def logo(self, code: str) -> bytes | None:
        """The PNG of a coin's logo, or None where the exchange has none."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stream told: the newest tick of each market, and how many frames were refused.

    `example` says why one of them was, for the log.
    """

    ticks: tuple[Ticker, ...] = ()
    refused: int = 0
    example: str = ""


class PriceStream(Protocol):
    """Tickers that the exchange pushes. `open`, `follow` and `listen` may raise ExchangeError."""

    def open(self, markets: Collection[str]) -> None:
        """Connect, and subscribe to these markets."""

    def follow(self, markets: Collection[str]) -> None:
        """Subscribe to these markets in place of the ones before, on the open line."""

    def listen(self, seconds: float, now: datetime) -> None:
        """Take in what comes within this time, `now` being the present; or the line is gone."""

    def take(self) -> Heard:
        """What was told since the last time; nothing older than that, and nothing twice."""

    def close(self) -> None:
        """Hang up; harmless when nothing is open."""


class BadCredentials(ExchangeError):
    """The exchange won't take the key for this: `problem` says why, in the domain's words."""

    def __init__(self, problem: KeyProblem, message: str = "") -> None:
        super().__init__(message or problem.value)
        self.problem = problem


class InsufficientFunds(Rejected):
    """The account hasn't got what the order would spend."""


class OrderRefused(Rejected):
    """The exchange refused the order and has nothing of it; `code` is its own short name for why.

    Money rules (minimum, maximum, tick), a closed market, a bad body: sending the same again
    changes nothing.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class DuplicateOrder(Rejected):
    """The exchange has seen this `client_id` before: the order exists, ask for it."""


class OutcomeUnknown(Unavailable):
    """An order may or may not have arrived: ask by its `client_id`, never send it again."""


class Broker(Protocol):
    """One account at one exchange; paper is one like the others.

    Every call may raise ExchangeError. Nothing but reads is ever repeated in here.
    """

    exchange: ExchangeName

    def check_key(self) -> KeyCheck:
        """What the key is good for. Never raises: who can't be reached leaves it UNKNOWN."""

    def balances(self) -> list[Balance]:
        """All currencies of the account, won (KRW) among them; coins without a market too."""

    def rules(self, market: str) -> MarketRules:
        """Fees, minimum, step of one market, as the exchange says today."""

    def asks(self, market: str) -> list[Offer]:
        """What is for sale in a market now, the cheapest first."""

    def place(self, intent: OrderIntent) -> OrderReport:
        """Send an order once.

        Raises BadCredentials, InsufficientFunds, OrderRefused or RateLimited when it surely did not
        arrive, DuplicateOrder when it did before, OutcomeUnknown when nobody can tell.
        """

    def order(self, client_id: str) -> OrderReport | None:
        """What became of an order, with its fills; None when the exchange surely never had it."""

    def cancel(self, client_id: str) -> None:
        """Ask to cancel; harmless for one that is over. What came of it is `order`'s to say."""

    def open_orders(self) -> list[OrderReport]:
        """All orders of the account that are still open, ours and others'."""


class PaperPage(Protocol):
    """A paper account while it is held alone: what is read is what is there until it is let go."""

    def balances(self) -> list[Balance]:
        """All currencies that the account ever held."""

    def put_balance(self, balance: Balance) -> None:
        """This is what the account holds of a currency now."""

    def find(self, client_id: str) -> PaperOrder | None:
        """An order, or None when the account never had it."""

    def open_orders(self) -> list[PaperOrder]:
        """The orders that are still open."""

    def keep(self, order: PaperOrder) -> None:
        """Write an order down, new or changed."""


class PaperBook(Protocol):
    """Where one paper account is kept."""

    def page(self) -> AbstractContextManager[PaperPage]:
        """The account, for one deed alone: all of it is kept at the end, or nothing on an error.

        No other deed sees or changes the account meanwhile.
        """
