"""Points and records: why points move, and what makes a whale."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum

from app.domain.errors import Conflict

WELCOME_POINTS = 300
TOP_UP_POINTS = 10
WHALE_PCT = 70


class Reason(StrEnum):
    """Why an entry stands in the ledger. The first three have no vote behind them."""

    WELCOME = "welcome"
    TOP_UP = "top_up"
    GRANT = "grant"
    CREATION = "creation"
    STAKE = "stake"
    REWARD = "reward"
    STAKE_REFUND = "stake_refund"
    CREATION_REFUND = "creation_refund"


class NotEnoughPoints(Conflict):
    """The balance is lower than the price; `missing` says by how much."""

    def __init__(self, *, cost: int, balance: int) -> None:
        super().__init__("not_enough_points", cost=cost, balance=balance, missing=cost - balance)


class AlreadyToppedUp(Conflict):
    """The daily points were taken today; the next come at midnight in Korea."""

    def __init__(self) -> None:
        super().__init__("already_topped_up")


def is_whale(*, right: int, settled: int, min_settled: int) -> bool:
    """Accuracy of at least 70 % over at least `min_settled` settled answers, in whole numbers."""
    return settled >= max(min_settled, 1) and 100 * right >= WHALE_PCT * settled


def accuracy_pct(*, right: int, settled: int) -> Decimal:
    """One person's right answers among settled ones in percent, two decimals; 0.00 without any.

    Cut, not rounded: what reads 70.00 is a whale's share, 69.999 isn't.
    """
    return _share_pct(right, settled).quantize(Decimal("0.01"), ROUND_DOWN)


def crowd_pct(*, right: int, settled: int) -> Decimal:
    """How often the crowd was right in percent, rounded to one decimal; 0.0 without any."""
    return _share_pct(right, settled).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _share_pct(right: int, settled: int) -> Decimal:
    return Decimal(100 * right) / settled if settled else Decimal(0)


def hits_to_whale(*, right: int, settled: int, min_settled: int) -> int:
    """How many right answers in a row make this person a whale; 0 for a whale."""
    by_share = -(-(WHALE_PCT * settled - 100 * right) // (100 - WHALE_PCT))
    return max(0, by_share, max(min_settled, 1) - settled)
