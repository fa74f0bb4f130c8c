"""Paper: no won comes from nowhere, none goes nowhere, and no rounding favours the trader."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.exchanges import (
    Balance,
    ExchangeName,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    Side,
)
from app.domain.trading import Ticks
from app.exchanges.base import ExchangeError, OrderRefused, Rejected
from app.exchanges.paper import TERMS, PaperBroker, PaperTerms
from tests.exchanges.venues import MemoryBook

MARKET = "KRW-COIN"
NOW = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
WON, COINS = Decimal(10_000_000), Decimal(5_000)


class Paper:
    """A paper account with a price that the test moves."""

    def __init__(self, price: object = 1000, terms: PaperTerms | None = None) -> None:
        self.price: Decimal | None = Decimal(str(price))
        self.book = MemoryBook(
            {"KRW": Balance("KRW", WON, Decimal(0)), "COIN": Balance("COIN", COINS, Decimal(0))}
        )
        self.broker = PaperBroker(
            ExchangeName.UPBIT, self.book, lambda _: self.price, lambda _: [], terms, lambda: NOW
        )

    def held(self, currency: str) -> Decimal:
        return self.book.held[currency].total

    def reports(self) -> list[tuple[OrderIntent, OrderReport]]:
        return [(order.intent, order.report) for order in self.book.orders.values()]


def buy(name: str, funds: Decimal) -> OrderIntent:
    return OrderIntent(name, MARKET, Side.BUY, OrderKind.MARKET, funds=funds)


def sell(name: str, volume: Decimal) -> OrderIntent:
    return OrderIntent(name, MARKET, Side.SELL, OrderKind.MARKET, volume=volume)


def limit(name: str, side: Side, volume: Decimal, price: Decimal) -> OrderIntent:
    return OrderIntent(name, MARKET, side, OrderKind.LIMIT, volume=volume, price=price)


prices = st.decimals("0.0001", "200000000", places=4).map(
    lambda price: Ticks().down(price, NOW.date())
)
volumes = st.decimals("0.00000001", "5000", places=8)
funds = st.decimals(1, 12_000_000, places=2)
sides = st.sampled_from(Side)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("price"), prices),
        st.tuples(st.just("buy"), funds),
        st.tuples(st.just("sell"), volumes),
        st.tuples(st.just("limit"), sides, volumes, prices),
        st.tuples(st.just("cancel"), st.integers(0, 12)),
    ),
    max_size=14,
)


def do(paper: Paper, number: int, deed: tuple[object, ...]) -> None:
    kind, *about = deed
    name = f"order-{number}"
    act: dict[object, Callable[..., object]] = {
        "buy": lambda sum_: paper.broker.place(buy(name, sum_)),
        "sell": lambda volume: paper.broker.place(sell(name, volume)),
        "limit": lambda *each: paper.broker.place(limit(name, *each)),
        "cancel": lambda which: paper.broker.cancel(f"order-{which}"),
        "price": lambda price: setattr(paper, "price", price),
    }
    with suppress(Rejected):
        act[kind](*about)
    paper.broker.open_orders()


@settings(max_examples=200, deadline=None)
@given(deeds)
def test_no_won_and_no_coin_comes_or_goes(steps: list[tuple[object, ...]]) -> None:
    paper = Paper()
    for number, step in enumerate(steps):
        do(paper, number, step)

        assert all(each.free >= 0 and each.locked >= 0 for each in paper.book.held.values())

    with localcontext(prec=100):
        won, coins = WON, COINS
        for intent, report in paper.reports():
            sign = 1 if intent.side is Side.BUY else -1
            won -= sign * report.executed_funds + report.paid_fee
            coins += sign * report.executed_volume
            assert report.paid_fee == report.executed_funds * Decimal("0.0005")
        assert (paper.held("KRW"), paper.held("COIN")) == (won, coins)


@settings(max_examples=100, deadline=None)
@given(
    prices,
    st.lists(
        st.one_of(
            funds.map(lambda sum_: ("buy", sum_)), volumes.map(lambda volume: ("sell", volume))
        ),
        max_size=10,
    ),
)
def test_worth_and_fees_never_exceed_what_was_there(
    price: Decimal, steps: list[tuple[object, ...]]
) -> None:
    # At a price that stands still, what slippage and rounding cost can only lower the sum.
    paper = Paper(price)
    before = WON + COINS * price
    for number, step in enumerate(steps):
        do(paper, number, step)

        fees = sum(report.paid_fee for _, report in paper.reports())
        assert paper.held("KRW") + paper.held("COIN") * price + fees <= before


@settings(max_examples=100, deadline=None)
@given(prices, funds)
def test_without_slippage_worth_and_fees_are_conserved_to_the_digit(
    price: Decimal, sum_: Decimal
) -> None:
    paper = Paper(price, PaperTerms(Decimal("0.0005"), slippage=Decimal(0)))
    do(paper, 1, ("buy", sum_))
    fees = sum((report.paid_fee for _, report in paper.reports()), Decimal(0))

    with localcontext(prec=100):
        assert paper.held("KRW") + paper.held("COIN") * price + fees == WON + COINS * price


@settings(max_examples=100, deadline=None)
@given(prices, funds)
def test_purchase_never_spends_more_than_its_funds(price: Decimal, sum_: Decimal) -> None:
    paper = Paper(price)
    do(paper, 1, ("buy", sum_))

    for _, report in paper.reports():
        assert report.executed_funds <= sum_
        assert report.executed_volume == round(report.executed_volume, 8)
        assert sum(fill.price for fill in report.fills) >= price * len(report.fills)


def test_longest_sums_keep_their_last_digit() -> None:
    paper = Paper("0.00000777", PaperTerms(Decimal("0.000333"), slippage=Decimal(0)))
    paper.book.held["KRW"] = Balance("KRW", Decimal(2_000_000_000), Decimal(0))
    report = paper.broker.place(buy("b", Decimal("999999999.99")))

    with localcontext(prec=100):
        fee = report.executed_funds * Decimal("0.000333")
        left = 2_000_000_000 - report.executed_funds - fee
        assert len(left.as_tuple().digits) > 28
        assert report.paid_fee == fee
        assert (paper.book.held["KRW"].free, paper.book.held["KRW"].locked) == (left, 0)


def test_market_orders_trade_worse_than_the_last_price_and_on_a_tick() -> None:
    paper = Paper(12_340, PaperTerms(Decimal(0), slippage=Decimal("0.0005")))

    bought = paper.broker.place(buy("b", Decimal(123_500)))
    sold = paper.broker.place(sell("s", Decimal(10)))

    assert (bought.fills[0].price, sold.fills[0].price) == (12_350, 12_330)


def test_limit_order_is_met_only_when_slippage_is_paid_for() -> None:
    paper = Paper(10_000)
    paper.broker.place(limit("bid", Side.BUY, Decimal(1), Decimal(9_990)))
    paper.price = Decimal(9_990)
    assert [each.state for each in paper.broker.open_orders()] == [OrderState.OPEN]

    paper.price = Decimal(9_980)
    report = paper.broker.order("bid")

    assert report is not None
    assert (report.state, report.fills[0].price) == (OrderState.FILLED, 9_990)


def test_without_a_price_nothing_is_taken_and_nothing_is_lost() -> None:
    paper = Paper(10_000)
    paper.broker.place(limit("bid", Side.BUY, Decimal(1), Decimal(9_990)))
    paper.price = None

    with pytest.raises(OrderRefused) as caught:
        paper.broker.place(buy("b", Decimal(5_000)))
    assert caught.value.code == "market_offline"
    assert not paper.broker.rules(MARKET).is_open
    paper.broker.cancel("bid")
    assert paper.book.held["KRW"] == Balance("KRW", WON, Decimal(0))


def test_price_beyond_all_reach_buys_nothing_and_costs_nothing() -> None:
    paper = Paper("900000000000000")
    report = paper.broker.place(buy("b", Decimal(5_000)))

    assert (report.state, report.executed_volume, report.fills) == (OrderState.CANCELLED, 0, ())
    assert paper.book.held["KRW"] == Balance("KRW", WON, Decimal(0))


def test_average_price_is_what_the_coins_cost() -> None:
    paper = Paper(1000, PaperTerms(Decimal(0), slippage=Decimal(0)))
    paper.book.held["COIN"] = Balance("COIN", Decimal(0), Decimal(0))
    paper.broker.place(buy("a", Decimal(10_000)))
    paper.price = Decimal(2000)
    paper.broker.place(buy("b", Decimal(20_000)))

    assert paper.book.held["COIN"].avg_buy_price == 1500


def test_what_fails_in_the_books_leaves_them_as_they_were() -> None:
    paper = Paper()
    before = dict(paper.book.held)

    def fail(_: str) -> Decimal:
        raise RuntimeError

    paper.broker._price = fail
    with pytest.raises(RuntimeError):
        paper.broker.place(buy("b", Decimal(5_000)))

    assert (paper.book.held, paper.book.orders) == (before, {})


def test_same_name_by_many_threads_makes_one_order() -> None:
    paper = Paper()

    def place(_: int) -> bool:
        try:
            paper.broker.place(buy("one", Decimal(5_000)))
        except ExchangeError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(place, range(32)))

    assert (taken.count(True), len(paper.book.orders)) == (1, 1)


@pytest.mark.parametrize("exchange", ExchangeName)
def test_terms_are_those_of_the_exchange(exchange: ExchangeName) -> None:
    broker = PaperBroker(exchange, MemoryBook(), lambda _: Decimal(1), lambda _: [])

    assert broker.exchange is exchange
    assert broker.rules(MARKET).bid_fee == TERMS[exchange].fee
    assert broker.check_key().can_withdraw is False
