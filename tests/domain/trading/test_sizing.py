"""How much to buy and to sell."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.exchanges import MarketRules, Offer
from app.domain.trading import (
    Allocation,
    Skip,
    Skipped,
    book_share,
    entry_funds,
    exit_volume,
    spendable,
)

FEE = Decimal("0.0005")
RULES = MarketRules("KRW-BTC", FEE, FEE, Decimal(5000), max_total=Decimal(10**9))
CLOSED = MarketRules("KRW-BTC", FEE, FEE, Decimal(5000), is_open=False)
MUCH = Decimal(10**7)
DAY = date(2026, 3, 2)


def test_budget_is_a_share_of_the_whole_in_whole_won() -> None:
    assert Allocation(Decimal("12.5")).budget(Decimal(1_000_007)) == 125_000


@pytest.mark.parametrize("share", ["0", "0.5", "100.01", "NaN"])
def test_share_that_cannot_be_is_refused(share: str) -> None:
    with pytest.raises(InvalidInput):
        Allocation(Decimal(share))


@pytest.mark.parametrize(
    ("budget", "free", "most", "in_book", "funds"),
    [
        (6000, MUCH, None, None, 6000),
        (MUCH, 7000, None, None, 6996),
        (MUCH, MUCH, 8000, None, 8000),
        (MUCH, MUCH, None, "9000.7", 9000),
        (10**10, 10**10, None, None, 10**9),
    ],
)
def test_least_of_all_limits_is_spent(
    budget: int, free: int, most: int | None, in_book: str | None, funds: int
) -> None:
    assert entry_funds(
        free=Decimal(free),
        budget=Decimal(budget),
        rules=RULES,
        most=None if most is None else Decimal(most),
        in_book=None if in_book is None else Decimal(in_book),
    ) == Decimal(funds)


@pytest.mark.parametrize(
    ("budget", "free", "in_book", "why"),
    [
        (4999, MUCH, None, Skip.TOO_SMALL),
        (MUCH, 5002, None, Skip.NO_MONEY),
        (MUCH, MUCH, 4999, Skip.THIN_BOOK),
    ],
)
def test_order_below_the_minimum_is_skipped_and_says_why(
    budget: int, free: int, in_book: int | None, why: Skip
) -> None:
    skipped = entry_funds(
        free=Decimal(free),
        budget=Decimal(budget),
        rules=RULES,
        in_book=None if in_book is None else Decimal(in_book),
    )

    assert skipped == Skipped(why, Decimal(4999), Decimal(5000))


def test_closed_market_is_left_alone() -> None:
    closed = Skipped(Skip.MARKET_CLOSED, Decimal(0), Decimal(5000))

    assert entry_funds(free=MUCH, budget=MUCH, rules=CLOSED) == closed
    assert exit_volume(bought=MUCH, free=MUCH, last=MUCH, rules=CLOSED) == closed


def test_quarter_of_what_is_for_sale_within_half_a_percent_may_be_taken() -> None:
    asks = [Offer(Decimal(price), Decimal(2)) for price in (100_600, 100_000, 100_500)]

    taken = book_share(asks, last=Decimal(100_000), rules=RULES, day=DAY)

    assert taken == (100_000 + 100_500) * 2 / Decimal(4)


def test_next_price_step_is_always_near() -> None:
    asks = [Offer(Decimal(101), Decimal(4)), Offer(Decimal(102), Decimal(4))]

    assert book_share(asks, last=Decimal(100), rules=RULES, day=DAY) == 101


def test_book_without_an_offer_near_the_price_says_that_the_price_ran_away() -> None:
    asks = [Offer(Decimal(100_600), Decimal(1000))]
    left = book_share(asks, last=Decimal(100_000), rules=RULES, day=DAY)

    skipped = entry_funds(free=MUCH, budget=MUCH, rules=RULES, in_book=left)

    assert skipped == Skipped(Skip.PRICE_RAN_AWAY, Decimal(0), Decimal(5000))


def test_sale_is_cut_to_the_decimals_of_the_market() -> None:
    volume = exit_volume(bought=Decimal("0.123456789"), free=MUCH, last=Decimal(10**6), rules=RULES)

    assert volume == Decimal("0.12345678")


def test_sale_worth_less_than_the_minimum_is_skipped() -> None:
    skipped = exit_volume(bought=Decimal(2), free=MUCH, last=Decimal("2499.5"), rules=RULES)

    assert skipped == Skipped(Skip.TOO_SMALL, Decimal(4999), Decimal(5000))


@given(st.decimals("0", "1e12", places=4), st.sampled_from(["0", "0.0005", "0.0025"]))
def test_purchase_and_its_fee_are_always_paid_by_the_free_balance(free: Decimal, fee: str) -> None:
    rules = MarketRules("KRW-BTC", Decimal(fee), Decimal(fee), Decimal(5000))

    spent = spendable(free, rules)

    assert spent * (1 + Decimal(fee)) <= free < (spent + 1) * (1 + Decimal(fee))
