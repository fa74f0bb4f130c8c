"""Costs: they go against the trader, whichever way."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.exchanges import MarketRules
from app.domain.trading import Costs, Ticks

ON = date(2026, 1, 1)
FEE = Decimal("0.0005")
COSTS = Costs(FEE, FEE, Decimal("0.001"))
shares = st.decimals("0", "0.05", places=4)


def test_purchase_gets_dearer_and_sale_cheaper_by_slippage_and_step() -> None:
    assert COSTS.bought_at(Decimal(145_820_000), ON) == 145_966_000
    assert COSTS.sold_at(Decimal(145_820_000), ON) == 145_674_000


def test_costs_are_those_that_the_exchange_names() -> None:
    rules = MarketRules(
        "KRW-ETC", Decimal("0.0025"), Decimal("0.002"), Decimal(5000), tick=Decimal(5)
    )

    assert Costs.of(rules) == Costs(
        Decimal("0.0025"), Decimal("0.002"), Decimal(0), Ticks(Decimal(5))
    )


@pytest.mark.parametrize(
    ("fee", "slippage", "field", "code"),
    [
        ("0.051", "0", "fee", "setting_out_of_bounds"),
        ("-0.001", "0", "fee", "setting_out_of_bounds"),
        ("NaN", "0", "fee", "setting_out_of_bounds"),
        ("0.0000005", "0", "fee", "setting_too_fine"),
        ("0", "0.21", "slippage", "setting_out_of_bounds"),
    ],
)
def test_costs_that_cannot_be_are_refused(fee: str, slippage: str, field: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Costs(Decimal(fee), Decimal(0), Decimal(slippage))

    assert (refused.value.field, refused.value.code) == (field, code)


@given(shares, shares, shares, st.decimals("0.01", "100000000", places=2))
def test_buying_and_selling_at_one_price_never_gains(
    bid: Decimal, ask: Decimal, slippage: Decimal, price: Decimal
) -> None:
    costs = Costs(bid, ask, slippage)

    assert costs.bought_at(price, ON) >= price
    assert costs.growth(costs.bought_at(price, ON), costs.sold_at(price, ON)) <= 1
