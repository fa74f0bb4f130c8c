"""What holds at every broker: Upbit and Bithumb (simulated, over real sockets), and paper."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.exchanges import (
    ExchangeName,
    KeyState,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    Side,
)
from app.exchanges.base import DuplicateOrder, InsufficientFunds, OrderRefused, UnknownMarket
from app.simulator import Simulator
from tests.exchanges.venues import FEE, MARKET, PRICE, Venue, paper_venue, signed_venue

START = {"KRW": "1000000", "BTC": "0.5"}
WON, COINS = Decimal(1_000_000), Decimal("0.5")
Open = Callable[..., Venue]


def buy(name: str = "buy", funds: str = "10000") -> OrderIntent:
    return OrderIntent(name, MARKET, Side.BUY, OrderKind.MARKET, funds=Decimal(funds))


def sell(name: str = "sell", volume: str = "0.1") -> OrderIntent:
    return OrderIntent(name, MARKET, Side.SELL, OrderKind.MARKET, volume=Decimal(volume))


def limit(
    name: str = "limit", side: Side = Side.BUY, volume: str = "0.001", price: str = "90000000"
) -> OrderIntent:
    return OrderIntent(
        name, MARKET, side, OrderKind.LIMIT, volume=Decimal(volume), price=Decimal(price)
    )


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(markets=5, speed=0, rate_limit=None) as running:
        yield running


@pytest.fixture(params=["upbit", "bithumb", "paper"])
def venue(request: pytest.FixtureRequest, sim: Simulator) -> Venue:
    if request.param == "paper":
        return paper_venue(START)
    return signed_venue(ExchangeName(request.param), sim, START)


def done(venue: Venue, intent: OrderIntent) -> OrderReport:
    """Place an order and ask what became of it."""
    venue.broker.place(intent)
    report = venue.broker.order(intent.client_id)
    assert report is not None
    return report


def test_good_key_may_look_and_trade(venue: Venue) -> None:
    check = venue.broker.check_key()

    assert (check.state, check.problem) == (KeyState.GOOD, None)
    assert (check.can_view, check.can_view_orders, check.can_trade) == (True, True, True)


def test_balances_are_exact_and_won_is_among_them(venue: Venue) -> None:
    assert venue.held() == {"KRW": (WON, 0), "BTC": (COINS, 0)}


def test_rules_tell_fee_and_bounds_of_the_market(venue: Venue) -> None:
    rules = venue.broker.rules(MARKET)

    assert (rules.market, rules.bid_fee, rules.ask_fee, rules.is_open) == (MARKET, FEE, FEE, True)
    assert (rules.min_total, rules.max_total, rules.volume_decimals) == (5_000, 10**9, 8)
    assert rules.tick in (None, 1_000)


@pytest.mark.parametrize("market", ["", "BTC", "krw-btc", "KRW-BTC&side=ask"])
def test_rules_of_what_is_no_market_are_unknown(venue: Venue, market: str) -> None:
    with pytest.raises(UnknownMarket):
        venue.broker.rules(market)


def test_what_is_for_sale_is_told_cheapest_first(venue: Venue) -> None:
    asks = venue.broker.asks(MARKET)

    assert [one.price for one in asks] == sorted(one.price for one in asks)
    assert asks[0].price == PRICE
    assert all(one.volume > 0 for one in asks)


def test_purchase_is_cut_to_eight_decimals_and_the_rest_comes_back(venue: Venue) -> None:
    venue.set_price(Decimal(30_000_000))
    report = done(venue, buy(funds="10000"))

    assert report.executed_volume == Decimal("0.00033333")
    assert report.executed_funds == Decimal("9999.9")
    assert report.paid_fee == Decimal("4.99995")
    assert venue.held()["KRW"] == (WON - Decimal("9999.9") - Decimal("4.99995"), 0)
    assert venue.held()["BTC"] == (COINS + Decimal("0.00033333"), 0)


def test_purchase_that_leaves_a_rest_ends_cancelled_and_one_that_fits_filled(venue: Venue) -> None:
    venue.set_price(Decimal(30_000_000))

    assert done(venue, buy("rest", "10000")).state is OrderState.CANCELLED
    assert done(venue, buy("fits", "30000")).state is OrderState.FILLED


def test_fills_add_up_to_what_the_report_says(venue: Venue) -> None:
    venue.set_price(Decimal(30_000_000))
    for intent in (buy(), sell()):
        report = done(venue, intent)

        assert sum(fill.volume for fill in report.fills) == report.executed_volume
        assert sum(fill.funds for fill in report.fills) == report.executed_funds
        assert sum(fill.fee for fill in report.fills) == report.paid_fee
        assert len({fill.ident for fill in report.fills}) == len(report.fills) > 0


def test_same_question_gets_the_same_answer(venue: Venue) -> None:
    assert done(venue, buy()) == venue.broker.order("buy")


def test_sale_pays_its_fee_out_of_what_it_brings(venue: Venue) -> None:
    report = done(venue, sell(volume="0.001"))

    assert report.state is OrderState.FILLED
    assert (report.executed_funds, report.paid_fee) == (100_000, 50)
    assert venue.held() == {
        "KRW": (WON + 100_000 - 50, 0),
        "BTC": (COINS - Decimal("0.001"), 0),
    }


def test_bid_below_the_market_waits_with_its_money_and_fee_locked(venue: Venue) -> None:
    report = done(venue, limit())

    assert (report.state, report.executed_volume, report.fills) == (OrderState.OPEN, 0, ())
    assert venue.held()["KRW"] == (WON - 90_045, 90_045)


def test_offer_above_the_market_waits_with_its_coins_locked(venue: Venue) -> None:
    report = done(venue, limit(side=Side.SELL, price="110000000"))

    assert report.state is OrderState.OPEN
    assert venue.held()["BTC"] == (COINS - Decimal("0.001"), Decimal("0.001"))


def test_waiting_bid_is_filled_when_the_price_comes_down_to_it(venue: Venue) -> None:
    venue.broker.place(limit())
    venue.set_price(Decimal(90_000_000))
    report = venue.broker.order("limit")

    assert report is not None
    assert (report.state, report.executed_funds) == (OrderState.FILLED, 90_000)
    assert venue.held() == {
        "KRW": (WON - 90_045, 0),
        "BTC": (COINS + Decimal("0.001"), 0),
    }


def test_waiting_offer_is_filled_when_the_price_rises_to_it(venue: Venue) -> None:
    venue.broker.place(limit(side=Side.SELL, price="110000000"))
    venue.set_price(Decimal(110_000_000))
    report = venue.broker.order("limit")

    assert report is not None
    assert (report.state, report.executed_funds, report.paid_fee) == (
        OrderState.FILLED,
        110_000,
        55,
    )


def test_bid_above_the_market_pays_the_market_and_gets_the_rest_back(venue: Venue) -> None:
    report = done(venue, limit(price="120000000"))

    assert (report.state, report.executed_funds) == (OrderState.FILLED, 100_000)
    assert venue.held()["KRW"] == (WON - 100_050, 0)


def test_cancelled_order_gives_back_everything(venue: Venue) -> None:
    venue.broker.place(limit())
    venue.broker.cancel("limit")
    report = venue.broker.order("limit")

    assert report is not None
    assert (report.state, report.executed_volume) == (OrderState.CANCELLED, 0)
    assert venue.held() == {"KRW": (WON, 0), "BTC": (COINS, 0)}


def test_cancelling_what_is_over_or_was_never_there_is_harmless(venue: Venue) -> None:
    venue.broker.place(limit())
    for name in ("limit", "limit", "nobody"):
        venue.broker.cancel(name)
    done(venue, sell())
    before = venue.broker.order("sell")
    venue.broker.cancel("sell")

    assert venue.broker.order("sell") == before


def test_second_order_of_the_same_name_is_refused_and_nothing_is_sent_twice(venue: Venue) -> None:
    done(venue, buy())
    held = venue.held()

    with pytest.raises(DuplicateOrder):
        venue.broker.place(buy())
    with pytest.raises(DuplicateOrder):
        venue.broker.place(replace(sell(), client_id="buy"))
    assert (venue.held(), venue.count_orders()) == (held, 1)


def test_order_that_was_never_there_is_none(venue: Venue) -> None:
    assert venue.broker.order("nobody") is None


def test_open_orders_are_those_that_wait(venue: Venue) -> None:
    venue.broker.place(limit("one"))
    venue.broker.place(limit("two", price="80000000"))
    done(venue, sell())
    venue.broker.cancel("two")

    assert [order.client_id for order in venue.broker.open_orders()] == ["one"]


@pytest.mark.parametrize(
    "intent",
    [buy(funds="1000000"), sell(volume="0.50000001"), limit(volume="1"), buy(funds="999500.25")],
)
def test_what_the_account_can_not_pay_is_refused_and_changes_nothing(
    venue: Venue, intent: OrderIntent
) -> None:
    with pytest.raises(InsufficientFunds):
        venue.broker.place(intent)

    assert venue.broker.order(intent.client_id) is None
    assert venue.held() == {"KRW": (WON, 0), "BTC": (COINS, 0)}


@pytest.mark.parametrize(
    "intent",
    [
        *(buy(funds="4999"), sell(volume="0.00004999"), limit(volume="0.00005")),
        *(buy(funds="1000000001"), limit(price="90000500")),
        *(replace(buy(), market="KRW-NOSUCH"), replace(buy(), market="BTC-ETH")),
    ],
)
def test_what_the_exchange_does_not_take_is_refused_and_changes_nothing(
    venue: Venue, intent: OrderIntent
) -> None:
    with pytest.raises(OrderRefused) as caught:
        venue.broker.place(intent)

    assert caught.value.code
    assert venue.broker.order(intent.client_id) is None
    assert venue.held() == {"KRW": (WON, 0), "BTC": (COINS, 0)}


@pytest.mark.parametrize(
    "intent",
    [
        *(replace(buy(), funds=None), replace(sell(), volume=None), replace(limit(), price=None)),
        *(buy(funds="0"), buy(funds="-5000"), buy(funds="NaN"), buy(funds="1e30")),
        *(sell(volume="0.123456789"), replace(buy(), client_id="a&b=c"), buy(name="")),
        *(buy(name="x" * 37), buy(name="이름"), replace(buy(), market="KRW-BTC&x=1")),
    ],
)
def test_order_that_can_not_be_said_is_refused_before_it_is_sent(
    venue: Venue, intent: OrderIntent
) -> None:
    with pytest.raises(OrderRefused, match=r"."):
        venue.broker.place(intent)

    assert venue.count_orders() == 0


def test_smallest_order_is_taken(venue: Venue) -> None:
    assert done(venue, buy(funds="5000")).executed_funds == 5_000
    assert done(venue, sell(volume="0.00005")).executed_funds == 5_000


def test_all_won_can_be_spent_when_the_fee_is_left_aside(venue: Venue) -> None:
    report = done(venue, buy(funds="999500"))

    assert report.executed_funds + report.paid_fee == Decimal("999999.75")
    assert venue.held()["KRW"] == (Decimal("0.25"), 0)


def test_price_is_the_one_of_the_market(venue: Venue) -> None:
    assert done(venue, buy()).fills[0].price == PRICE
