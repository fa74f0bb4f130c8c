"""Which prices are believed, how old they are, and how a coin is found by a few letters."""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.market import (
    Believed,
    Suspect,
    Ticker,
    age_s,
    contradicts,
    initials,
    is_fresh,
    is_from_the_future,
    is_plausible,
    is_timely,
    judge,
    matches,
    newest_stamp,
    observed_at,
    overtakes,
    search_key,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
prices = st.integers(min_value=1, max_value=10**15).map(lambda units: Decimal(units) / 10**8)
factors = st.decimals(min_value="0.3", max_value="3", places=2)


def stamped(seconds: float) -> Ticker:
    moment = NOON + timedelta(seconds=seconds)
    return Ticker(market="KRW-BTC", price=Decimal(1), traded_at=moment, stamped_at=moment)


@pytest.mark.parametrize(
    ("lag_s", "age_s"), [(0, 0), (29.9, 0), (30, 0), (30.1, 30.1), (900, 900), (-5, 0), (-900, 0)]
)
def test_old_snapshot_has_its_own_age_and_none_comes_from_the_future(
    lag_s: float, age_s: float
) -> None:
    observed = observed_at(NOON - timedelta(seconds=lag_s), NOON)

    assert NOON - observed == timedelta(seconds=age_s)


def test_row_stamped_in_the_far_future_does_not_make_an_old_snapshot_new() -> None:
    rows = [stamped(-600), stamped(-700), stamped(10**9)]

    assert newest_stamp(rows, NOON) == NOON - timedelta(seconds=600)


def test_stamp_of_a_clock_half_a_minute_ahead_is_taken() -> None:
    assert newest_stamp([stamped(30)], NOON) == NOON + timedelta(seconds=30)
    assert newest_stamp([stamped(31)], NOON) is None


@pytest.mark.parametrize(
    ("off_s", "timely", "future"),
    [(0, True, False), (-30, True, False), (-31, False, False), (30, True, False),
     (31, False, True)],
)  # fmt: skip
def test_stamp_of_the_present_is_half_a_minute_off_at_most(
    off_s: int, timely: bool, future: bool
) -> None:
    stamp = NOON + timedelta(seconds=off_s)

    assert (is_timely(stamp, NOON), is_from_the_future(stamp, NOON)) == (timely, future)


@pytest.mark.parametrize(
    ("seen_s", "age", "fresh"),
    [
        (-90.000001, 90.000001, False),
        (-90, 90, True),
        (0, 0, True),
        (30, 0, True),  # clocks may be half a minute off
        (30.000001, None, False),
        (3600, None, False),  # our clock was set back since
    ],
)
def test_what_was_seen_in_the_future_is_of_unknown_age_and_not_fresh(
    seen_s: float, age: float | None, fresh: bool
) -> None:
    seen = NOON + timedelta(seconds=seen_s)

    assert (age_s(seen, NOON), is_fresh(seen, NOON)) == (age, fresh)


@pytest.mark.parametrize(
    ("traded_s", "price", "seen_s", "wins"),
    [
        (1, "2", -5, True),  # a later trade, whenever it was told
        (-1, "2", 5, False),  # an earlier trade, told later
        (0, "2", 0, True),  # the same trade, seen at the same moment or later
        (0, "2", -1, False),
        (-1, "1", 0, True),  # an earlier trade at the same price confirms it
        (-1, "1", -1, False),
        (-1, "2", 180, False),  # for three minutes the later trade stands …
        (-1, "2", 181, True),  # … and then what is still told is believed
    ],
)
def test_later_trade_overtakes_and_an_earlier_one_never_comes_back(
    traded_s: int, price: str, seen_s: int, wins: bool
) -> None:
    row = Ticker("KRW-BTC", Decimal(price), NOON + timedelta(seconds=traded_s), NOON)

    assert overtakes(row, Believed(Decimal(1), NOON, NOON), NOON + timedelta(seconds=seen_s)) == (
        wins
    )


def test_first_price_of_a_coin_overtakes_nothing() -> None:
    assert overtakes(stamped(0), None, NOON)


@pytest.mark.parametrize(("new", "plausible"), [("499", True), ("500", False), ("1000", False)])
def test_rise_by_a_factor_of_five_is_suspect(new: str, plausible: bool) -> None:
    assert is_plausible(Decimal(100), Decimal(new)) is plausible


@pytest.mark.parametrize(("new", "plausible"), [("20.1", True), ("20", False), ("10", False)])
def test_fall_to_a_fifth_is_suspect(new: str, plausible: bool) -> None:
    assert is_plausible(Decimal(100), Decimal(new)) is plausible


@given(prices, prices)
def test_suspicion_is_the_same_in_both_directions(one: Decimal, other: Decimal) -> None:
    assert is_plausible(one, other) == is_plausible(other, one) == (not contradicts(one, other))


@given(prices)
def test_first_price_of_a_market_is_believed(new: Decimal) -> None:
    assert judge(None, None, new) is None


@given(prices, factors)
def test_plausible_price_is_believed_and_clears_suspicion(old: Decimal, factor: Decimal) -> None:
    assert judge(old, Suspect(old * 9, 2), old * factor) is None


def test_jump_is_believed_in_the_third_snapshot_that_agrees() -> None:
    once = judge(Decimal(100), None, Decimal(1000))
    twice = judge(Decimal(100), once, Decimal(1200))

    assert once == Suspect(Decimal(1000), 1)
    assert twice == Suspect(Decimal(1000), 2)
    assert judge(Decimal(100), twice, Decimal(800)) is None


def test_jump_to_another_price_starts_the_count_again() -> None:
    twice = Suspect(Decimal(1000), 2)

    assert judge(Decimal(100), twice, Decimal("1200.01")) == Suspect(Decimal("1200.01"), 1)
    assert judge(Decimal(100), twice, Decimal("799.99")) == Suspect(Decimal("799.99"), 1)


@given(st.lists(prices, min_size=1, max_size=30), prices)
def test_no_price_is_locked_out_for_more_than_two_snapshots(
    noise: list[Decimal], new: Decimal
) -> None:
    believed, suspect = Decimal(100), None
    for seen in [*noise, new, new, new]:
        suspect = judge(believed, suspect, seen)
        believed = believed if suspect else seen

    assert believed == new


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("비트코인", "ㅂㅌㅋㅇ"),
        ("쎄타 토큰", "ㅆㅌ ㅌㅋ"),
        ("1인치", "1ㅇㅊ"),
        ("Bit", "Bit"),
        ("", ""),
    ],
)
def test_initials_are_the_first_consonants(name: str, letters: str) -> None:
    assert initials(name) == letters
    assert initials(unicodedata.normalize("NFD", name)) == letters


@pytest.mark.parametrize(
    "query",
    [
        *(
            "BTC",
            "btc",
            "tc",
            "비트코인",
            "트코",
            "bitcoin",
            "BIT COIN",
            "ㅂㅌㅋㅇ",
            "ㅌㅋ",
            " 비 트 ",
            "",
        ),
        *(unicodedata.normalize("NFD", "비트"), "\u1107\u1110"),
    ],
)
def test_coin_is_found_by_part_of_code_name_or_initials(query: str) -> None:
    assert matches(search_key("BTC", "비트코인", "Bitcoin"), query)


@pytest.mark.parametrize("query", ["eth", "이더", "ㅂㅋ", "btc비트", "%", "bitcoinㅂ"])
def test_coin_is_not_found_by_what_it_is_not_called(query: str) -> None:
    assert not matches(search_key("BTC", "비트코인", "Bitcoin"), query)


@pytest.mark.parametrize(("typed", "name"), [("ㄳ", "가스"), ("ㅄ", "비수"), ("ㅀ", "라훌")])
def test_consonants_that_the_keyboard_joined_are_taken_apart(typed: str, name: str) -> None:
    assert matches(search_key("X", name, "X"), typed)


@given(st.text(max_size=20), st.text(max_size=20))
def test_whole_name_always_finds_its_coin(korean: str, english: str) -> None:
    key = search_key("X1", korean, english)

    assert matches(key, korean)
    assert matches(key, english)
