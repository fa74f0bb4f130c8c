"""The rules of a vote with their figures, at their boundaries."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import votes as rules
from app.domain.errors import InvalidInput
from app.domain.kst import KST
from app.domain.votes import Choice, Direction, Duration, Question, VoteClosed, VoteState

NOON = datetime(2026, 3, 2, 3, 4, 30, 123_456, tzinfo=UTC)
STEP = timedelta(microseconds=1)
ticks = st.integers(1, 10**12).map(lambda units: Decimal(units).scaleb(-8))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    direction = draw(st.sampled_from(Direction))
    largest = 300 if direction is Direction.UP else 99
    return Question(direction, Duration.DAY, draw(st.integers(1, largest)))


def asked(direction: str, range_pct: int) -> Question:
    return Question(Direction(direction), Duration.DAY, range_pct)


def test_prices_of_the_game() -> None:
    assert rules.terms_for(is_staff=False) == rules.Terms(50, 10, 20)
    assert rules.terms_for(is_staff=True) == rules.Terms(0, 0, 30)


@pytest.mark.parametrize(
    ("direction", "range_pct", "final", "result"),
    [
        ("up", 10, "110", "yes"),
        ("up", 10, "109.99999999", "no"),
        ("up", 10, "110.00000001", "yes"),
        ("up", 10, "90", "no"),
        ("down", 10, "90", "yes"),
        ("down", 10, "90.00000001", "no"),
        ("down", 10, "89.99999999", "yes"),
        ("down", 10, "110", "no"),
        ("up", 300, "400", "yes"),
        ("up", 300, "399.99999999", "no"),
        ("down", 99, "1", "yes"),
        ("down", 99, "1.00000001", "no"),
    ],
)
def test_reaching_the_threshold_exactly_is_yes(
    direction: str, range_pct: int, final: str, result: str
) -> None:
    decided = rules.outcome(
        asked(direction, range_pct), created_price=Decimal(100), final_price=Decimal(final)
    )

    assert decided is Choice(result)


def test_threshold_between_two_prices_is_reached_by_the_next_one_only() -> None:
    # 7 % above 0.00000333 is 0.0000035631: binary fractions and cut prices would miss it.
    question, created = asked("up", 7), Decimal("0.00000333")

    assert rules.threshold(created, question) == Decimal("0.0000035631")
    for final, result in (("0.00000356", Choice.NO), ("0.00000357", Choice.YES)):
        decided = rules.outcome(question, created_price=created, final_price=Decimal(final))
        assert decided is result


@given(questions(), ticks, ticks)
def test_outcome_flips_exactly_at_the_threshold(
    question: Question, created: Decimal, final: Decimal
) -> None:
    result = rules.outcome(question, created_price=created, final_price=final)

    limit = rules.threshold(created, question)
    up = question.direction is Direction.UP
    assert (result is Choice.YES) == (final >= limit if up else final <= limit)


@given(questions(), ticks, st.lists(ticks, min_size=2, max_size=30))
def test_outcome_never_flips_twice_as_price_moves_one_way(
    question: Question, created: Decimal, prices: list[Decimal]
) -> None:
    results = [
        rules.outcome(question, created_price=created, final_price=price)
        for price in sorted(prices)
    ]

    changes = sum(one is not other for one, other in pairwise(results))
    assert changes <= 1


@pytest.mark.parametrize(
    ("result", "yes", "no", "right"),
    [
        ("yes", 3, 2, True),
        ("yes", 2, 3, False),
        ("no", 2, 3, True),
        ("no", 3, 2, False),
        ("yes", 2, 2, True),
        ("no", 2, 2, True),
        ("yes", 0, 0, True),
    ],
)
def test_crowd_is_right_with_its_majority_and_in_a_tie(
    result: str, yes: int, no: int, right: bool
) -> None:
    assert rules.crowd_was_right(Choice(result), yes_count=yes, no_count=no) is right


@pytest.mark.parametrize(
    ("duration", "closes", "result"),
    [
        ("day", timedelta(hours=8), timedelta(days=1)),
        ("week", timedelta(days=3), timedelta(days=7)),
    ],
)
def test_deadlines_count_from_the_whole_minute(
    duration: str, closes: timedelta, result: timedelta
) -> None:
    when = rules.schedule(Duration(duration), NOON)

    start = NOON.replace(second=0, microsecond=0)
    assert when == rules.Schedule(start + closes, start + result)


@pytest.mark.parametrize(
    ("made", "result"),
    [
        ("2026-01-31T23:59:59", "2026-02-28T23:59:00"),
        ("2028-01-31T00:00:00", "2028-02-29T00:00:00"),
        ("2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("2026-12-31T12:00:00", "2027-01-31T12:00:00"),
    ],
)
def test_month_ends_by_the_korean_calendar(made: str, result: str) -> None:
    now = datetime.fromisoformat(made).replace(tzinfo=KST)

    when = rules.schedule(Duration.MONTH, now)

    assert when.finished_at == now.replace(second=0) + timedelta(days=7)
    assert when.tracked_at == datetime.fromisoformat(result).replace(tzinfo=KST)


@given(st.sampled_from(Duration), st.timedeltas(timedelta(0), timedelta(days=25_000)))
def test_answers_close_before_the_result_and_after_now(
    duration: Duration, later: timedelta
) -> None:
    moment = NOON + later

    when = rules.schedule(duration, moment)

    assert moment < when.finished_at < when.tracked_at
    assert when.finished_at.second == when.tracked_at.second == 0


@pytest.mark.parametrize(
    ("field", "code", "parts"),
    [
        ("direction", "direction_unknown", ("sideways", "day", 5)),
        ("duration", "duration_unknown", ("up", "year", 5)),
        ("range", "range_out_of_bounds", ("up", "day", 0)),
        ("range", "range_out_of_bounds", ("up", "day", 301)),
        ("range", "range_out_of_bounds", ("up", "day", -1)),
        ("range", "range_not_whole", ("up", "day", 5.0)),
        ("range", "range_not_whole", ("up", "day", "5")),
        ("range", "range_not_whole", ("up", "day", True)),
        ("range", "range_not_whole", ("up", "day", None)),
        ("range", "fall_too_large", ("down", "day", 100)),
        ("range", "fall_too_large", ("down", "day", 300)),
    ],
)
def test_question_that_cannot_be_is_refused_at_its_part(
    field: str, code: str, parts: tuple[str, str, object]
) -> None:
    direction, duration, range_pct = parts

    with pytest.raises(InvalidInput) as refused:
        rules.question(direction=direction, duration=duration, range_pct=range_pct)

    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.parametrize(("direction", "edge"), [("up", 1), ("up", 300), ("down", 1), ("down", 99)])
def test_range_at_its_bounds_is_fine(direction: str, edge: int) -> None:
    made = rules.question(direction=direction, duration="month", range_pct=edge)

    assert made == Question(Direction(direction), Duration.MONTH, edge)


@pytest.mark.parametrize(
    ("state", "late", "refused"),
    [
        ("ongoing", -STEP, False),
        ("ongoing", timedelta(0), True),
        ("ongoing", STEP, True),
        ("finished", -STEP, True),
        ("tracked", -STEP, True),
        ("void", -STEP, True),
    ],
)
def test_answers_count_before_the_deadline_alone(
    state: str, late: timedelta, refused: bool
) -> None:
    def check() -> None:
        rules.check_can_answer(state=VoteState(state), finished_at=NOON, now=NOON + late)

    if not refused:
        check()
        return
    with pytest.raises(VoteClosed):
        check()


@pytest.mark.parametrize(
    ("age", "decides"),
    [
        (timedelta(0), False),
        (-STEP, False),
        (STEP, True),
        (timedelta(minutes=1), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24) + STEP, False),
    ],
)
def test_candle_decides_within_the_day_before(age: timedelta, decides: bool) -> None:
    assert rules.candle_decides(opened_at=NOON - age, tracked_at=NOON) is decides


@pytest.mark.parametrize(
    ("age", "last"),
    [
        (timedelta(0), False),
        (STEP, True),
        (timedelta(minutes=1), True),
        (timedelta(minutes=1) + STEP, False),
    ],
)
def test_candle_of_the_last_minute_leaves_room_for_no_later_one(age: timedelta, last: bool) -> None:
    assert rules.is_of_last_minute(opened_at=NOON - age, tracked_at=NOON) is last


@pytest.mark.parametrize(
    ("waited", "tries", "answered", "void"),
    [
        (timedelta(hours=72), 0, True, True),
        (timedelta(hours=72) - STEP, 99, True, False),
        (timedelta(hours=72), 9, False, False),
        (timedelta(hours=72), 10, False, True),
        (timedelta(days=30), 0, False, False),
    ],
)
def test_waiting_ends_after_72_hours_unless_nobody_was_reached(
    waited: timedelta, tries: int, answered: bool, void: bool
) -> None:
    assert rules.may_void(NOON, NOON + waited, tries=tries, answered=answered) is void


def test_market_is_gone_after_more_than_an_hour_off_the_list() -> None:
    hour = timedelta(hours=1)

    assert not rules.market_is_gone(None, NOON)
    assert not rules.market_is_gone(NOON - hour, NOON)
    assert rules.market_is_gone(NOON - hour - STEP, NOON)


def test_retries_wait_twice_as_long_each_time_up_to_six_hours() -> None:
    minutes = [rules.retry_delay(attempts) / timedelta(minutes=1) for attempts in range(12)]

    assert minutes == [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    assert rules.retry_delay(10**9) == timedelta(hours=6)


def test_void_reason_is_trimmed_and_needs_1_to_200_characters() -> None:
    assert rules.void_reason("  market \n halted ") == "market halted"
    assert rules.void_reason("x" * 200) == "x" * 200
    for text, code in ((" \n ", "void_reason_missing"), ("x" * 201, "void_reason_too_long")):
        with pytest.raises(InvalidInput) as refused:
            rules.void_reason(text)
        assert refused.value.code == code
