"""One market: sums over any range, and prices set by hand."""

from app.simulator.market import Market
from app.simulator.ticks import to_units
from app.simulator.tree import Character, Tree

NOON = 20_777 * 86_400_000 + 43_200_000
MINUTE = 60_000


def market(activity: float = 1.0, listed_ms: int = 0) -> Market:
    tree = Tree(b"KRW-ABC", Character(swing=0.5, activity=activity, volume=10**12))
    return Market("KRW-ABC", "가나", "Abc", 1_000.0, tree, listed_ms)


def test_close_of_a_range_is_the_last_trade_in_it() -> None:
    one = market()
    tally, deal = one.tally(NOON, NOON + 77_777), one.last(NOON + 77_777)

    assert tally is not None
    assert deal is not None
    assert tally.close == deal.units


def test_nothing_is_traded_before_listing() -> None:
    one = market(listed_ms=NOON)

    assert one.last(NOON) is None
    assert one.tally(NOON - 86_400_000, NOON) is None
    assert one.tally(NOON - 86_400_000, NOON + MINUTE) == one.tally(NOON, NOON + MINUTE)


def test_pinned_price_holds_from_its_moment_until_released() -> None:
    one, pin = market(), to_units("1234")
    one.at_price(pin, NOON, pinned=True)
    one.release(NOON + 10 * MINUTE)

    pinned = one.tally(NOON, NOON + 10 * MINUTE)

    assert pinned is not None
    assert (pinned.open, pinned.high, pinned.low, pinned.close) == (pin, pin, pin, pin)
    assert one.tally(NOON - MINUTE, NOON) == market().tally(NOON - MINUTE, NOON)
    after = one.tally(NOON + 10 * MINUTE, NOON + 12 * MINUTE)
    assert after == market().tally(NOON + 10 * MINUTE, NOON + 12 * MINUTE)


def test_last_price_stays_pinned_until_first_trade_after_release() -> None:
    one, pin = market(activity=0.001), to_units("1234")
    one.at_price(pin, NOON, pinned=True)
    one.release(NOON + 1)

    last = one.last(NOON + 2)

    assert last is not None
    assert (last.ms, last.units) == (NOON, pin)


def test_price_set_once_is_one_trade_that_later_ones_ignore() -> None:
    one, price = market(), to_units("5000")
    one.at_price(price, NOON + 1, pinned=False)

    tally, after = one.tally(NOON, NOON + 5 * MINUTE), one.last(NOON + 5 * MINUTE)

    assert tally is not None
    assert after is not None
    assert tally.high == price
    assert after.units != price


def test_candle_made_by_hand_alone_is_found() -> None:
    one = market(activity=0.001)
    minute = NOON // MINUTE
    while one.tree.trades(minute):
        minute += 1
    one.at_price(to_units("1234"), minute * MINUTE + 5, pinned=False)

    starts = one.starts_back(8, (minute + 1) * MINUTE)

    assert next(starts) == minute * MINUTE


def test_handmade_events_are_bounded() -> None:
    one = market()
    for place in range(1_200):
        one.at_price(to_units("1234"), NOON + place, pinned=True)

    assert len(one.events) == 1_000
