"""How far a backtest can be believed: what speaks against it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import log

#: Fewer trades than this may well be luck.
FEW_TRADES = 30
#: A market without memory does as well in more than one of so many tries: that is luck.
LUCK_BELOW = 0.05


class Doubt(StrEnum):
    """What speaks against believing a result."""

    FEW_TRADES = "few_trades"
    OUT_OF_SAMPLE_DISAGREES = "out_of_sample_disagrees"
    MAY_BE_LUCK = "may_be_luck"
    WORSE_THAN_HOLDING = "worse_than_holding"
    MISSING_DAYS = "missing_days"
    TOO_LITTLE_MONEY = "too_little_money"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The figures that doubts are judged by. Growth is what one won became, over the same days.

    `growth_in` None: nothing was chosen. `least` is the lowest the capital fell out of sample, in
    won; `p_value` None: not tested.
    """

    growth_out: float
    trades_out: int
    holding: float
    missing_days: int
    least: Decimal
    min_total: Decimal
    growth_in: float | None = None
    p_value: float | None = None


def doubts(evidence: Evidence) -> tuple[Doubt, ...]:
    """What speaks against a result, the gravest first; nothing proves that it can be believed.

    Few trades: less than 30 out of sample. Disagreement: a gain in sample that is a loss, or less
    than half of it day by day, out of sample. Luck: more than one in twenty shuffled markets did as
    well. Too little money: no order could have been made any more.
    """
    found = (
        (Doubt.OUT_OF_SAMPLE_DISAGREES, _disagrees(evidence)),
        (Doubt.FEW_TRADES, evidence.trades_out < FEW_TRADES),
        (Doubt.MAY_BE_LUCK, evidence.p_value is not None and evidence.p_value > LUCK_BELOW),
        (Doubt.WORSE_THAN_HOLDING, evidence.growth_out < evidence.holding),
        (Doubt.TOO_LITTLE_MONEY, evidence.least < evidence.min_total),
        (Doubt.MISSING_DAYS, evidence.missing_days > 0),
    )
    return tuple(doubt for doubt, holds in found if holds)


def _disagrees(evidence: Evidence) -> bool:
    if evidence.growth_in is None or evidence.growth_in <= 1:
        return False
    return log(evidence.growth_out) < log(evidence.growth_in) / 2
