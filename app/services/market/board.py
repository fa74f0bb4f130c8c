"""The live board: what is traded, at which prices, and where these come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from app.domain.market import FeedSource
from app.extensions import db
from app.services.market.catalogue import CatalogueCoin, catalogue
from app.services.market.feed import feed_state

TOP_COINS = 20


@dataclass(frozen=True, eq=False)
class LiveBoard:
    """Active coins that have a price, by turnover, largest first.

    `as_of` is when the exchange was last heard of any of them. The same board stays the same object
    until something is read anew, so that what is made from it can be kept beside it.
    """

    coins: tuple[CatalogueCoin, ...]
    as_of: datetime | None
    source: FeedSource

    def age_s(self, now: datetime) -> float | None:
        """How old the newest price is, in seconds; None before the first one came."""
        return None if self.as_of is None else max(0.0, (now - self.as_of).total_seconds())

    @property
    def top(self) -> tuple[CatalogueCoin, ...]:
        """The twenty with the largest turnover of the last 24 hours."""
        return self.coins[:TOP_COINS]

    def pick(self, codes: Iterable[str]) -> tuple[CatalogueCoin, ...]:
        """Those of the named coins that are on the board."""
        wanted = frozenset(codes)
        return tuple(coin for coin in self.coins if coin.code in wanted)


def live_board(now: datetime) -> LiveBoard:
    """The board as it is now; up to a second old."""
    listed, source = catalogue(now), feed_state(now).source
    kept = _boards.get(db.engine)
    if kept is None or kept[0] is not listed or kept[1].source is not source:
        kept = _boards[db.engine] = (listed, _board(listed, source))
    return kept[1]


def _board(listed: list[CatalogueCoin], source: FeedSource) -> LiveBoard:
    coins = tuple(coin for coin in listed if coin.is_active and coin.price is not None)
    seen = [coin.observed_at for coin in coins if coin.observed_at is not None]
    return LiveBoard(coins, max(seen, default=None), source)


_boards: WeakKeyDictionary[Engine, tuple[list[CatalogueCoin], LiveBoard]] = WeakKeyDictionary()
