"""What trading costs: fees both ways, slippage, and the steps in which prices move."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from app.domain.exchanges import MarketRules
from app.domain.trading.bounds import check_bounds
from app.domain.trading.ticks import Ticks

HIGHEST_FEE = Decimal("0.05")
HIGHEST_SLIPPAGE = Decimal("0.2")
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of one market. All are shares: 0.0005 is 0.05 %.

    A fee is added to what a purchase costs and taken from what a sale brings. Slippage and rounding
    go against the trader: purchases become dearer, sales cheaper. Raises InvalidInput for costs
    that can't be: a fee of more than 5 %, slippage of more than 20 %, more than six decimals.
    """

    bid_fee: Decimal
    ask_fee: Decimal
    slippage: Decimal = Decimal(0)
    ticks: Ticks = field(default_factory=Ticks)

    def __post_init__(self) -> None:
        highest = (("fee", self.bid_fee, HIGHEST_FEE), ("fee", self.ask_fee, HIGHEST_FEE))
        for name, share, high in (*highest, ("slippage", self.slippage, HIGHEST_SLIPPAGE)):
            check_bounds(name, share, low=Decimal(0), high=high, decimals=_DECIMALS)

    @classmethod
    def of(cls, rules: MarketRules, slippage: Decimal = Decimal(0)) -> "Costs":
        """The costs that the exchange itself names for a market."""
        return cls(rules.bid_fee, rules.ask_fee, slippage, Ticks(rules.tick))

    def bought_at(self, price: Decimal, on: date) -> Decimal:
        """What a purchase really pays per coin when it was decided at `price`."""
        return self.ticks.up(price * (1 + self.slippage), on)

    def sold_at(self, price: Decimal, on: date) -> Decimal:
        """What a sale really brings per coin when it was decided at `price`."""
        return self.ticks.down(price * (1 - self.slippage), on)

    def fees(self, money: Decimal, bought: Decimal, sold: Decimal) -> Decimal:
        """Both fees, in won, of a purchase that takes all of `money` with its fee, and its sale."""
        volume = money / (bought * (1 + self.bid_fee))
        return volume * (bought * self.bid_fee + sold * self.ask_fee)

    def growth(self, bought: Decimal, sold: Decimal) -> Decimal:
        """What one won became by a purchase and a sale, both fees paid."""
        return sold * (1 - self.ask_fee) / (bought * (1 + self.bid_fee))
