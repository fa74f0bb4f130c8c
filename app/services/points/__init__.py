"""Points: how they move, one's own ledger, and the proof that the books are right."""

from app.services.points.ledger import LedgerPage, LedgerRow, MonthSums, ledger_page, month_sums
from app.services.points.moves import can_top_up, grant, spend, take_top_up
from app.services.points.platform import platform_accuracy, platform_counts
from app.services.points.proof import Difference, audit

__all__ = [
    "Difference",
    "LedgerPage",
    "LedgerRow",
    "MonthSums",
    "audit",
    "can_top_up",
    "grant",
    "ledger_page",
    "month_sums",
    "platform_accuracy",
    "platform_counts",
    "spend",
    "take_top_up",
]
