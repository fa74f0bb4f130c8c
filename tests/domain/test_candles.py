"""Candles: when one is over, how longer ones are put together, and what is still to be asked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.candles import (
    FRAMES,
    LARGEST_PAGE,
    Ask,
    Known,
    calls_left,
    finished_until,
    frame_start,
    next_ask,
    put_together,
    stored_unit,
)
from app.domain.market import Candle, CandleUnit

DAY, HOUR, MINUTE = CandleUnit.DAY, CandleUnit.HOUR, CandleUnit.MINUTE
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
TODAY = datetime(2026, 3, 4, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def candle(opened_at: datetime, first: str, high: str, low: str, close: str) -> Candle:
    prices = map(Decimal, (first, high, low, close))
    return Candle("KRW-BTC", opened_at, *prices, volume=1.5, turnover=2.5)


@pytest.mark.parametrize(
    ("frame", "start"),
    [
        (1, "2026-03-04 12:34"),
        (15, "2026-03-04 12:30"),
        (60, "2026-03-04 12:00"),
        (240, "2026-03-04 12:00"),
        (1440, "2026-03-04 00:00"),
        (10080, "2026-03-02 00:00"),
    ],
)
def test_frames_begin_on_the_exchanges_boundaries(frame: int, start: str) -> None:
    moment = datetime(2026, 3, 4, 12, 34, 56, tzinfo=UTC)

    assert f"{frame_start(moment, frame):%Y-%m-%d %H:%M}" == start


@pytest.mark.parametrize("frame", FRAMES)
def test_frame_at_its_very_start_is_a_new_one(frame: int) -> None:
    start = frame_start(NOON, frame)

    assert frame_start(start, frame) == start
    assert frame_start(start - timedelta(microseconds=1), frame) == start - timedelta(minutes=frame)


def test_longer_frames_are_made_from_the_longest_unit_that_fits() -> None:
    assert [stored_unit(frame) for frame in FRAMES] == [MINUTE, MINUTE, HOUR, HOUR, DAY, DAY]


@pytest.mark.parametrize("frame", [0, 2, 30, 1441, -1])
def test_unknown_frame_is_refused(frame: int) -> None:
    with pytest.raises(ValueError, match="no frame"):
        stored_unit(frame)


@pytest.mark.parametrize(
    ("second", "minutes"), [(4.999999, 33), (5, 34), (59, 34)], ids=["before", "at", "after"]
)
def test_minute_is_final_five_seconds_after_its_end(second: float, minutes: int) -> None:
    now = NOON.replace(minute=34) + timedelta(seconds=second)

    assert finished_until(now, MINUTE) == NOON.replace(minute=minutes)


def test_day_ends_at_nine_in_korea_all_the_year() -> None:
    seoul = datetime.fromisoformat("2026-07-01T09:00:05+09:00")

    assert finished_until(seoul, DAY) == datetime(2026, 7, 1, tzinfo=UTC)
    assert finished_until(seoul - timedelta(seconds=1), DAY) == datetime(2026, 6, 30, tzinfo=UTC)


def test_longer_candle_holds_all_its_parts() -> None:
    parts = [
        candle(NOON, "10", "12", "9", "11"),
        candle(NOON + timedelta(hours=2), "11", "11", "8", "8.5"),
        candle(NOON + timedelta(hours=4), "7", "7", "7", "7"),
    ]

    four_hours, later = put_together(parts, 240)

    assert four_hours == Candle(
        "KRW-BTC",
        NOON,
        open=Decimal(10),
        high=Decimal(12),
        low=Decimal(8),
        close=Decimal("8.5"),
        volume=3.0,
        turnover=5.0,
    )
    assert later.opened_at == NOON + timedelta(hours=4)


def test_without_parts_there_is_no_candle() -> None:
    assert put_together([], 240) == []


def ask(known: Known | None, *, unit: CandleUnit = DAY, wanted: float = 400) -> Ask | None:
    return next_ask(known, unit=unit, wanted_from=TODAY - days(wanted), end=TODAY)


def test_newest_are_asked_first() -> None:
    assert ask(None) == Ask(TODAY, LARGEST_PAGE)
    assert ask(None, wanted=30) == Ask(TODAY, 30)
    assert ask(None, wanted=0) == Ask(TODAY, 1)


def test_then_the_past_as_far_as_it_is_wanted() -> None:
    assert ask(Known(TODAY - days(200), TODAY)) == Ask(TODAY - days(200), 200)
    assert ask(Known(TODAY - days(390.5), TODAY)) == Ask(TODAY - days(390.5), 10)
    assert ask(Known(TODAY - days(400), TODAY)) is None


def test_nothing_older_than_the_start_is_asked() -> None:
    assert ask(Known(TODAY - days(3), TODAY, reaches_start=True)) is None


def test_going_forward_the_newest_known_candle_is_asked_again() -> None:
    quiet = Known(TODAY - days(400), TODAY - days(1), newest=TODAY - days(3))

    assert ask(quiet) == Ask(TODAY, 3, since=TODAY - days(3))


@pytest.mark.parametrize("newest", [None, TODAY - days(300)])
def test_where_no_candle_is_near_the_last_known_time_is_asked_again(
    newest: datetime | None,
) -> None:
    known = Known(TODAY - days(400), TODAY - days(1), newest=newest)

    assert ask(known) == Ask(TODAY, 2, since=TODAY - days(2))


def test_long_downtime_is_made_up_for_page_by_page() -> None:
    now_known = Known(TODAY - days(900), TODAY - days(390), newest=TODAY - days(391))

    assert ask(now_known) == Ask(TODAY - days(191), 200, since=TODAY - days(391))


def test_knowledge_too_old_to_be_of_use_begins_anew() -> None:
    assert ask(Known(TODAY - days(900), TODAY - days(401))) == Ask(TODAY, LARGEST_PAGE)


def test_answer_that_touches_widens_what_is_known() -> None:
    known = Known(TODAY - days(10), TODAY - days(5), newest=TODAY - days(6))

    assert known.learns(Known(TODAY - days(6), TODAY - days(4), newest=TODAY - days(5))) == Known(
        TODAY - days(10), TODAY - days(4), newest=TODAY - days(5)
    )
    assert known.learns(Known(TODAY - days(20), TODAY - days(10))).since == TODAY - days(20)


def test_answer_that_does_not_touch_never_leaves_a_hole() -> None:
    known = Known(TODAY - days(10), TODAY - days(5))
    newer, older = Known(TODAY - days(3), TODAY), Known(TODAY - days(30), TODAY - days(20))

    assert known.learns(newer) == newer
    assert known.learns(older) == known


def test_that_nothing_is_older_is_asked_again_each_monday() -> None:
    monday = TODAY - days(2)
    known = Known(monday - days(9), monday, reaches_start=True)

    assert known.learns(Known(monday - days(1), monday + days(6))).reaches_start is True
    assert known.learns(Known(monday - days(1), monday + days(7))).reaches_start is False
    assert known.learns(Known(known.since, known.since, reaches_start=True)).reaches_start is True


def test_stretch_is_known_whole_or_not() -> None:
    known = Known(TODAY - days(2), TODAY)

    assert known.holds(TODAY - days(2), TODAY) is True
    assert known.holds(TODAY - days(3), TODAY) is False
    assert known.holds(TODAY - days(1), TODAY + days(1)) is False
    assert Known(known.since, known.until, reaches_start=True).holds(TODAY - days(3), TODAY) is True


@given(
    unit=st.sampled_from(CandleUnit),
    wanted=st.integers(0, 900),
    known=st.none() | st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 300)),
    traded=st.sets(st.integers(1, 1200), max_size=60),
)
def test_asking_ends_and_leaves_no_gap(
    unit: CandleUnit, wanted: int, known: tuple[int, int, int] | None, traded: set[int]
) -> None:
    end = frame_start(NOON, unit)
    wanted_from = end - wanted * unit.length
    candles = sorted(end - place * unit.length for place in traded)
    now_known = None
    if known is not None:
        until = end - known[2] * unit.length
        now_known = Known(until - known[0] * unit.length, until)
    most = calls_left(now_known, unit=unit, wanted_from=wanted_from, end=end)
    calls = 0

    while (asked := next_ask(now_known, unit=unit, wanted_from=wanted_from, end=end)) is not None:
        assert 1 <= asked.count <= LARGEST_PAGE
        answer = [one for one in candles if one < asked.until][-asked.count :]
        if asked.since:
            assert all(one in answer for one in candles if asked.since <= one < asked.until)
            answer = [one for one in answer if one >= asked.since]
        page = Known(
            asked.since or min(answer, default=asked.until),
            asked.until,
            reaches_start=not answer and not asked.since,
            newest=max(answer, default=None),
        )
        now_known = now_known.learns(page) if now_known else page
        calls += 1

    assert now_known is not None
    assert now_known.holds(wanted_from, end)
    assert calls <= most + 1  # one more where the exchange has nothing older
