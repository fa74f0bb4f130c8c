"""Drawing a candle into smaller ones, for any candle."""

from hypothesis import given
from hypothesis import strategies as st

from app.simulator.split import MOST_TRADES, Block, filled, parts, stations

prices = st.floats(-1, 1, allow_nan=False)
rolls = st.lists(st.integers(0, 65_535), min_size=32, max_size=32).map(tuple)


@st.composite
def blocks(draw: st.DrawFn, span: int) -> Block:
    """Any candle of `span` minutes."""
    low, *inner, high = sorted(draw(st.tuples(prices, prices, prices, prices)))
    start, end = draw(st.permutations(inner))
    minutes = draw(st.integers(1, span))
    volume = MOST_TRADES * minutes + draw(st.integers(0, 10**20))
    return Block(start, high, low, end, minutes, volume)


@given(block=blocks(40), roll=rolls)
def test_parts_are_the_whole_for_any_candle(block: Block, roll: tuple[int, ...]) -> None:
    made = [part for part in parts(block, 8, 5, roll) if part]

    assert (made[0].open, made[-1].close) == (block.open, block.close)
    assert max(part.high for part in made) == block.high
    assert min(part.low for part in made) == block.low
    assert sum(part.minutes for part in made) == block.minutes
    assert sum(part.volume for part in made) == block.volume


@given(block=blocks(40), roll=rolls)
def test_every_part_is_a_candle_itself(block: Block, roll: tuple[int, ...]) -> None:
    for part in parts(block, 8, 5, roll):
        if part is not None:
            assert part.low <= min(part.open, part.close)
            assert part.high >= max(part.open, part.close)
            assert 1 <= part.minutes <= 5
            assert part.volume >= MOST_TRADES * part.minutes


@given(leaf=blocks(1), rising=st.booleans(), count=st.integers(4, MOST_TRADES))
def test_prices_of_a_minute_reach_its_corners_and_no_further(
    leaf: Block, rising: bool, count: int
) -> None:
    made = filled(stations(leaf, rising_first=rising), count)

    assert (made[0], made[-1]) == (leaf.open, leaf.close)
    assert (max(made), min(made)) == (leaf.high, leaf.low)
    assert len(made) in (1, count)
