"""Points and records: why points move, and what makes a whale."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from app.domain.errors import Conflict

WELCOME_POINTS = 300
TOP_UP_POINTS = 10
WHALE_PCT = 70


class Reason(StrEnum):
    """Why an entry stands in the ledger. The first two have no vote behind them."""

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


def accuracy_pct(*, right: int, settled: int, places: int = 2) -> Decimal:
    """Right answers as a share of settled ones in percent, 0..100; 0 while nothing is settled."""
    if settled == 0:
        return Decimal(0)
    return (Decimal(100 * right) / settled).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def hits_to_whale(*, right: int, settled: int, min_settled: int) -> int:
    """How many right answers in a row make this person a whale; 0 for a whale."""
    by_share = -(-(WHALE_PCT * settled - 100 * right) // (100 - WHALE_PCT))
    return max(0, by_share, max(min_settled, 1) - settled)
