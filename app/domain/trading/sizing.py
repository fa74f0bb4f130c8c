"""How much to buy and to sell: what is allotted, what is free, what the book holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from app.domain.exchanges import MarketRules, Offer
from app.domain.trading.bounds import check_bounds
from app.domain.trading.ticks import Ticks

#: A purchase looks no further above the last price than this share of it …
REACH = Decimal("0.005")
#: … and takes at most this share of what is for sale up to there, so that it moves no market.
MOST_OF_BOOK = Decimal("0.25")
_WON = Decimal(1)
_HUNDRED = Decimal(100)


class Skip(StrEnum):
    """Why no order is made."""

    TOO_SMALL = "too_small"
    NO_MONEY = "no_money"
    MARKET_CLOSED = "market_closed"
    PRICE_RAN_AWAY = "price_ran_away"
    THIN_BOOK = "thin_book"


@dataclass(frozen=True, slots=True)
class Skipped:
    """No order: why, how much there was, and how much it would have taken (in won)."""

    why: Skip
    had: Decimal
    needed: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """What each coin may take of the bot's money: `share_pct` percent of what it is worth.

    A share of the whole, not of what is left: the first coin can't take the others' part.
    """

    share_pct: Decimal

    def __post_init__(self) -> None:
        check_bounds("share", self.share_pct, low=_WON, high=_HUNDRED, decimals=2)

    def budget(self, worth: Decimal) -> Decimal:
        """The coin's part of a bot that is worth so much, in whole won."""
        return _whole(worth * self.share_pct / 100)


def spendable(free: Decimal, rules: MarketRules) -> Decimal:
    """What a purchase may spend of the free balance, so that its fee can be paid as well."""
    return _whole(free / (1 + rules.bid_fee))


def entry_funds(
    *,
    free: Decimal,
    budget: Decimal,
    rules: MarketRules,
    in_book: Decimal | None = None,
    most: Decimal | None = None,
) -> Decimal | Skipped:
    """The won to spend on a purchase, without the fee; or why there is none.

    The least of the coin's budget, the free balance less the fee, the largest order (`most`, and
    the exchange's own), and what may be taken of the order book (`in_book`, from `book_share`).
    """
    if not rules.is_open:
        return Skipped(Skip.MARKET_CLOSED, Decimal(0), rules.min_total)
    affordable = spendable(free, rules)
    limits = (budget, affordable, most, rules.max_total, in_book)
    funds = _whole(min(limit for limit in limits if limit is not None))
    if funds >= rules.min_total:
        return funds
    if funds == affordable:
        return Skipped(Skip.NO_MONEY, funds, rules.min_total)
    if in_book is not None and funds == _whole(in_book):
        why = Skip.THIN_BOOK if in_book else Skip.PRICE_RAN_AWAY
        return Skipped(why, funds, rules.min_total)
    return Skipped(Skip.TOO_SMALL, funds, rules.min_total)


def book_share(asks: Iterable[Offer], *, last: Decimal, rules: MarketRules, day: date) -> Decimal:
    """The won that a purchase may take of an order book; the offers come in any order.

    A quarter of what is for sale at most half a percent above the last price, rounded up to a
    price step. Nothing where the cheapest offer is dearer: the price has run away.
    """
    highest = Ticks(rules.tick).up(last * (1 + REACH), day)
    near = sum((one.won for one in asks if one.price <= highest), Decimal(0))
    return near * MOST_OF_BOOK


def exit_volume(
    *, bought: Decimal, free: Decimal, last: Decimal, rules: MarketRules
) -> Decimal | Skipped:
    """The coins to sell: what this bot bought and is still there, never what was there before.

    Too little for the exchange at the last price: Skipped, with the figures.
    """
    if not rules.is_open:
        return Skipped(Skip.MARKET_CLOSED, Decimal(0), rules.min_total)
    volume = min(bought, free).quantize(Decimal(1).scaleb(-rules.volume_decimals), ROUND_DOWN)
    total = volume * last
    return volume if total >= rules.min_total else Skipped(Skip.TOO_SMALL, total, rules.min_total)


def _whole(won: Decimal) -> Decimal:
    return won.quantize(_WON, ROUND_DOWN)
