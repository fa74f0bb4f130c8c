"""What becomes of an open order: it trades against the world's prices, which nobody can move."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from app.simulator.desk.account import (
    BID,
    CANCELLED,
    DONE,
    LIMIT,
    Account,
    Order,
    Trade,
)
from app.simulator.desk.amounts import ZERO, floor8
from app.simulator.world import to_ms


class Prices(Protocol):
    """What was traded in the world."""

    def last(self, market: str) -> Decimal | None:
        """The last price, or None where the market isn't listed."""

    def reach(self, market: str, since_ms: int, until_ms: int) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest price in [since, until), or None where nobody traded."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on the world's clock and on one that never jumps; `share` of a rest that may fill."""

    now: datetime
    ticks: float
    share: Decimal = Decimal(1)


def settle(account: Account, prices: Prices, moment: Moment) -> None:
    """Let every open order of an account meet the prices since it was last looked at."""
    for order in [each for each in account.orders if each.is_open]:
        if moment.ticks >= order.ripe_at:
            _settle_one(account, order, prices, moment)


def _settle_one(account: Account, order: Order, prices: Prices, moment: Moment) -> None:
    last = prices.last(order.market)
    now_ms = to_ms(moment.now)
    since, order.seen_ms = order.seen_ms, now_ms + 1
    if last is None:
        account.close(order, CANCELLED)
    elif order.kind == LIMIT:
        _settle_limit(account, order, last, prices.reach(order.market, since, now_ms + 1), moment)
    else:
        _trade(account, order, last, moment)
        account.close(order, CANCELLED if order.remaining else DONE)


def _settle_limit(
    account: Account,
    order: Order,
    last: Decimal,
    reach: tuple[Decimal, Decimal] | None,
    moment: Moment,
) -> None:
    price = _limit_price(order, last, reach)
    at_once = order.in_force is not None
    whole = moment.share == 1
    if order.in_force == "post_only":
        # Taken off when it would trade the moment it arrives; afterwards it rests like any other.
        order.in_force = None
        if _crosses(order, last):
            account.close(order, CANCELLED)
        return
    if price is not None and (order.in_force != "fok" or whole):
        _trade(account, order, price, moment)
    if not order.remaining:
        account.close(order, DONE)
    elif at_once:
        account.close(order, CANCELLED)


def _limit_price(
    order: Order, last: Decimal, reach: tuple[Decimal, Decimal] | None
) -> Decimal | None:
    """What it trades at: the market's price where that is better, its own where that was met."""
    assert order.price is not None  # noqa: S101 - a limit order has one
    if _crosses(order, last):
        return last
    if reach is None:
        return None
    met = reach[0] <= order.price if order.side == BID else reach[1] >= order.price
    return order.price if met else None


def _crosses(order: Order, last: Decimal) -> bool:
    assert order.price is not None  # noqa: S101 - a limit order has one
    return last <= order.price if order.side == BID else last >= order.price


def _trade(account: Account, order: Order, price: Decimal, moment: Moment) -> None:
    if order.volume is None:
        volume = floor8(((order.price or ZERO) * moment.share - order.executed_funds) / price)
    else:
        volume = floor8(order.volume * moment.share) - order.executed_volume
    if volume > 0:
        account.fill(order, Trade(str(uuid.uuid4()), price, volume, moment.now))
