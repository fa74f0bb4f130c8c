"""The price path: every candle agrees with the smaller ones inside it."""

import pytest

from app.simulator.tree import DAY, FANS, LEAF, MINUTE_MS, SPANS, Character, Tree

DAY_NUMBER = 20_777
BUSY = Character(swing=0.3, activity=1.0, volume=10**12, trades=14)
QUIET = Character(swing=0.9, activity=0.01, volume=10**10)


def tree(character: Character = BUSY, key: bytes = b"1/KRW-BTC") -> Tree:
    return Tree(key, character)


@pytest.mark.parametrize("character", [BUSY, QUIET])
@pytest.mark.parametrize("level", range(LEAF))
def test_parts_make_up_their_whole(character: Character, level: int) -> None:
    path = tree(character)
    index = DAY_NUMBER * SPANS[DAY] // SPANS[level]
    while (whole := path.block(level, index)) is None:
        index += 1

    below = range(index * FANS[level], (index + 1) * FANS[level])
    parts = [part for part in (path.block(level + 1, child) for child in below) if part]

    assert (parts[0].open, parts[-1].close) == (whole.open, whole.close)
    assert max(part.high for part in parts) == whole.high
    assert min(part.low for part in parts) == whole.low
    assert sum(part.volume for part in parts) == whole.volume
    assert sum(part.minutes for part in parts) == whole.minutes
    assert all(part.low <= min(part.open, part.close) for part in parts)
    assert all(part.high >= max(part.open, part.close) for part in parts)


@pytest.mark.parametrize("character", [BUSY, QUIET])
def test_trades_of_a_minute_are_its_candle(character: Character) -> None:
    path = tree(character)
    starts = path.starts_back(LEAF, DAY_NUMBER * SPANS[DAY] * MINUTE_MS, 0)
    for _ in range(50):
        minute = next(starts) // MINUTE_MS
        leaf, trades = path.block(LEAF, minute), path.trades(minute)
        prices = [trade.price for trade in trades]

        assert leaf is not None
        assert (prices[0], prices[-1]) == (leaf.open, leaf.close)
        assert (max(prices), min(prices)) == (leaf.high, leaf.low)
        assert sum(trade.volume for trade in trades) == leaf.volume
        assert sorted(trades) == trades
        assert all(trade.ms // MINUTE_MS == minute for trade in trades)


def test_quiet_market_has_minutes_without_trade() -> None:
    day = tree(QUIET).pieces(DAY_NUMBER * 86_400_000, DAY_NUMBER * 86_400_000 + 1)
    blocks = [tree(QUIET).block(LEAF, DAY_NUMBER * 1_440 + minute) for minute in range(1_440)]

    assert blocks.count(None) > 1_000
    assert list(day) == []


def test_path_stays_within_its_swing() -> None:
    wholes = [tree().block(0, epoch) for epoch in range(30, 50)]

    assert all(-0.3 < whole.low < whole.high < 0.3 for whole in wholes if whole)


def test_last_trade_is_the_newest_before_the_moment() -> None:
    path = tree(QUIET)
    trade = path.last(DAY_NUMBER * 86_400_000)
    assert trade is not None

    assert path.last(trade.ms + 1) == trade
    assert path.last(trade.ms) != trade


def test_other_keys_have_other_paths() -> None:
    assert tree().block(DAY, DAY_NUMBER) != tree(key=b"2/KRW-BTC").block(DAY, DAY_NUMBER)


def test_a_forgetful_cache_changes_nothing() -> None:
    small, large = Tree(b"k", BUSY, cache=1), Tree(b"k", BUSY)
    span = (DAY_NUMBER * 86_400_000 + 12_345, DAY_NUMBER * 86_400_000 + 9_876_543)

    assert list(small.pieces(*span)) == list(large.pieces(*span))


def test_ranges_side_by_side_hold_each_trade_once() -> None:
    path, start = tree(), DAY_NUMBER * 86_400_000
    cut, end = start + 7_777_777, start + 20_000_000

    volumes = [
        sum(piece.volume for piece in path.pieces(*span))
        for span in ((start, end), (start, cut), (cut, end))
    ]

    assert volumes[0] == volumes[1] + volumes[2]
