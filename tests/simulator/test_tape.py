"""What happens between two moments, each trade once and in its order."""

from app.simulator.stream.tape import FOLD_MS, Happening, Tape
from app.simulator.tree import MINUTE_MS
from app.simulator.world import World, to_ms
from tests.simulator.conftest import START

NOW = to_ms(START)
CODES = ("KRW-BTC", "KRW-ETH", "KRW-XRP")


def trades(world: World, code: str, start: int, end: int) -> list[Happening]:
    """The trades after `start`, `end` included, looked up one by one."""
    market = world.market(code)
    minutes = range(start // MINUTE_MS, end // MINUTE_MS + 1)
    made = [trade.ms for minute in minutes for trade in market.tree.trades(minute)]
    return [Happening(ms, code) for ms in made if start < ms <= end]


def test_every_trade_is_told_once_whatever_the_steps() -> None:
    world = World(markets=5)
    tape = Tape(world, CODES, NOW)

    told = [one for ms in range(NOW + 700, NOW + 150_000, 700) for one in tape.until(ms)]

    end = NOW + 700 * ((150_000 - 1) // 700)
    assert told == sorted(one for code in CODES for one in trades(world, code, NOW, end))
    assert len(told) > 50


def test_trade_at_the_end_of_a_step_belongs_to_it_and_not_to_the_next() -> None:
    world = World(markets=5)
    first = trades(world, "KRW-BTC", NOW, NOW + 60_000)[0]
    tape = Tape(world, ["KRW-BTC"], first.ms - 1)

    assert tape.until(first.ms) == [first]
    assert first not in tape.until(first.ms + 1)


def test_long_stretch_is_told_by_the_last_trade_of_each_market() -> None:
    world = World(markets=5)
    tape = Tape(world, CODES, NOW)

    told = tape.until(NOW + 86_400_000)

    last = [world.market(code).last(NOW + 86_400_001) for code in CODES]
    assert told == sorted(
        Happening(deal.ms, code) for deal, code in zip(last, CODES, strict=True) if deal
    )


def test_stretch_without_a_trade_is_not_folded_into_one() -> None:
    world = World(markets=5)
    world.set_price("KRW-BTC", 1000, START)
    quiet = world.market("KRW-BTC").tree.last(NOW + 1)
    assert quiet is not None
    tape = Tape(world, ["BTC-ETH"], NOW)

    assert tape.until(NOW + FOLD_MS + 1) == []


def test_trade_by_hand_is_told_though_its_time_has_passed() -> None:
    world = World(markets=5)
    tape = Tape(world, ["KRW-BTC"], NOW)
    seen = tape.until(NOW + 10)
    world.set_price("KRW-BTC", 1000, START)

    assert seen == []
    assert tape.until(NOW + 20) == [Happening(NOW, "KRW-BTC")]
    assert tape.until(NOW + 30) == []


def test_trades_by_hand_in_one_step_are_told_one_by_one_and_a_release_is_none() -> None:
    world = World(markets=5)
    tape = Tape(world, ["KRW-BTC"], NOW)
    world.market("KRW-BTC").at_price(10**11, NOW + 1, pinned=False)
    world.market("KRW-BTC").at_price(2 * 10**11, NOW + 2, pinned=True)
    world.market("KRW-BTC").release(NOW + 3)

    assert tape.until(NOW + 10) == [Happening(NOW + 1, "KRW-BTC"), Happening(NOW + 2, "KRW-BTC")]


def test_clock_that_steps_back_tells_nothing_twice() -> None:
    world = World(markets=5)
    tape = Tape(world, CODES, NOW)
    tape.until(NOW + 30_000)

    assert tape.until(NOW) == []
    assert tape.until(NOW + 30_000) == []


def test_end_of_a_market_is_told_once_and_no_trade_after_it() -> None:
    world = World(markets=5)
    tape = Tape(world, CODES, NOW)
    world.delist("KRW-ETH")

    ends = [one for ms in range(NOW, NOW + 60_000, 900) for one in tape.until(ms)]

    assert [one for one in ends if one.code == "KRW-ETH"] == [Happening(NOW, "KRW-ETH", gone=True)]


def test_market_gone_before_it_was_asked_for_is_not_told() -> None:
    world = World(markets=5)
    world.delist("KRW-ETH")

    assert Tape(world, ["KRW-ETH"], NOW).until(NOW + 1_000) == []


def test_markets_listed_later_join_in_the_same_minute() -> None:
    world, codes = World(markets=5), [f"KRW-NEW{number}" for number in range(9)]
    tape = Tape(world, codes, NOW)
    tape.until(NOW + 10)
    for code in codes:
        world.list_market(code, START, price=50)

    told = [one for ms in range(NOW + 20, NOW + 29_020, 500) for one in tape.until(ms)]

    later = [one for code in codes for one in trades(world, code, NOW, NOW + 28_520)]
    assert told == sorted([*(Happening(NOW, code) for code in codes), *later])
    assert later


def test_path_of_a_market_before_its_listing_is_no_trade() -> None:
    world = World(markets=5)
    world.market("KRW-BTC").listed_ms = NOW + 30_000
    tape = Tape(world, ["KRW-BTC"], NOW)

    told = [one for ms in range(NOW, NOW + 60_000, 500) for one in tape.until(ms)]

    assert told == trades(world, "KRW-BTC", NOW + 29_999, NOW + 59_500)
    assert told
