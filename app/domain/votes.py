"""The rules of a vote: what may be asked, until when it is answered, and how it is decided."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import Conflict, InvalidInput
from app.domain.kst import add_month, floor_minute

MIN_RANGE_PCT = 1
MAX_RANGE_PCT = 300
#: A fall of 100 % or more can't happen, so nobody may ask for one.
MAX_FALL_PCT = 99
#: A candle is final, and may be asked for, five seconds after its minute is over.
CANDLE_SETTLES_IN = timedelta(seconds=5)
#: A candle older than this at `tracked_at` (trading halted) decides nothing.
CANDLE_MAX_AGE = timedelta(hours=24)
#: Without a deciding candle by then the vote is void and everything goes back.
VOID_AFTER = timedelta(hours=72)
MIN_TRIES = 10
GONE_AFTER = timedelta(hours=1)
MAX_RETRY_DELAY = timedelta(hours=6)
MAX_VOID_REASON = 200


class Direction(StrEnum):
    """Which way the price is asked to go."""

    UP = "up"
    DOWN = "down"


class Duration(StrEnum):
    """How long until the price is compared."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Choice(StrEnum):
    """One person's answer, and also the outcome of a vote."""

    YES = "yes"
    NO = "no"


class VoteState(StrEnum):
    """ONGOING takes answers, FINISHED waits for its price, TRACKED is settled, VOID refunded."""

    ONGOING = "ongoing"
    FINISHED = "finished"
    TRACKED = "tracked"
    VOID = "void"


class VoteClosed(Conflict):
    """The vote takes no more answers: its time is up, or it is settled or void."""

    def __init__(self) -> None:
        super().__init__("vote_closed")


class AlreadyAnswered(Conflict):
    """One answer per person and vote."""

    def __init__(self) -> None:
        super().__init__("already_answered")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a vote costs and pays, in points."""

    creation_cost: int
    spent_point: int
    earned_point: int


TERMS = Terms(creation_cost=50, spent_point=10, earned_point=20)
STAFF_TERMS = Terms(creation_cost=0, spent_point=0, earned_point=30)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: will the coin move at least `range_pct` % in `direction` within `duration`?"""

    direction: Direction
    duration: Duration
    range_pct: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When answers close and when the price is compared; both whole minutes, aware UTC."""

    finished_at: datetime
    tracked_at: datetime


def terms_for(*, is_staff: bool) -> Terms:
    """Staff votes are free to create and to answer, and pay 30 instead of 20."""
    return STAFF_TERMS if is_staff else TERMS


def question(*, direction: str, duration: str, range_pct: object) -> Question:
    """Check the parts of a question, or raise InvalidInput naming the part.

    The range is a whole percentage from 1 to 300, and at most 99 for a fall.
    """
    if direction not in set(Direction):
        raise InvalidInput("direction", "direction_unknown")
    if duration not in set(Duration):
        raise InvalidInput("duration", "duration_unknown")
    if isinstance(range_pct, bool) or not isinstance(range_pct, int):
        raise InvalidInput("range", "range_not_whole", low=MIN_RANGE_PCT, high=MAX_RANGE_PCT)
    if not MIN_RANGE_PCT <= range_pct <= MAX_RANGE_PCT:
        raise InvalidInput("range", "range_out_of_bounds", low=MIN_RANGE_PCT, high=MAX_RANGE_PCT)
    if direction == Direction.DOWN and range_pct > MAX_FALL_PCT:
        raise InvalidInput("range", "fall_too_large", high=MAX_FALL_PCT)
    return Question(Direction(direction), Duration(duration), range_pct)


def schedule(duration: Duration, now: datetime) -> Schedule:
    """The deadlines of a vote made at `now`, counted from its whole minute in Korean time."""
    start = floor_minute(now).astimezone(UTC)
    if duration is Duration.DAY:
        return Schedule(start + timedelta(hours=8), start + timedelta(days=1))
    if duration is Duration.WEEK:
        return Schedule(start + timedelta(days=3), start + timedelta(days=7))
    return Schedule(start + timedelta(days=7), add_month(start))


def threshold(created_price: Decimal, asked: Question) -> Decimal:
    """The price at which the answer turns to yes; exact, so it may have ten decimals."""
    sign = 1 if asked.direction is Direction.UP else -1
    return created_price * (100 + sign * asked.range_pct) / 100


def outcome(asked: Question, *, created_price: Decimal, final_price: Decimal) -> Choice:
    """Yes when the final price reaches the threshold; equality is yes. Exact arithmetic."""
    if asked.direction is Direction.UP:
        reached = 100 * final_price >= created_price * (100 + asked.range_pct)
    else:
        reached = 100 * final_price <= created_price * (100 - asked.range_pct)
    return Choice.YES if reached else Choice.NO


def crowd_was_right(result: Choice, *, yes_count: int, no_count: int) -> bool:
    """Whether the majority chose the outcome; a tie always counts as right."""
    return yes_count >= no_count if result is Choice.YES else yes_count <= no_count


def check_can_answer(*, state: VoteState, finished_at: datetime, now: datetime) -> None:
    """Raise VoteClosed unless the vote is ongoing and `now` is before its deadline.

    The deadline itself is too late, and the minute job need not have run for that.
    """
    if state is not VoteState.ONGOING or now >= finished_at:
        raise VoteClosed


def candle_decides(*, opened_at: datetime, tracked_at: datetime) -> bool:
    """The candle opened before `tracked_at`, and no more than 24 hours before it."""
    return opened_at < tracked_at and tracked_at - opened_at <= CANDLE_MAX_AGE


def is_of_last_minute(*, opened_at: datetime, tracked_at: datetime) -> bool:
    """The candle is of the very minute before `tracked_at`, so that no later one can decide."""
    return timedelta(0) < tracked_at - opened_at <= timedelta(minutes=1)


def may_void(tracked_at: datetime, now: datetime, *, tries: int, answered: bool) -> bool:
    """Whether waiting for a candle is over: 72 hours after `tracked_at`.

    An exchange that answered has said all it will ever say (`answered`). One that can't be reached
    must have been tried at least ten times, so that a server that was itself switched off for days
    never gives up at its first failed call.
    """
    return now >= tracked_at + VOID_AFTER and (answered or tries >= MIN_TRIES)


def market_is_gone(delisted_at: datetime | None, now: datetime) -> bool:
    """A market is gone once it has been off the exchange's list for over an hour.

    The list is read hourly, so no single wrong answer of the exchange can void a vote.
    """
    return delisted_at is not None and now - delisted_at > GONE_AFTER


def retry_delay(attempts: int) -> timedelta:
    """How long a vote that failed `attempts` times waits: 1, 2, 4 … minutes, six hours at most."""
    return min(timedelta(minutes=2 ** min(max(attempts, 1) - 1, 10)), MAX_RETRY_DELAY)


def void_reason(text: str) -> str:
    """The reason staff gives for a void, trimmed; empty or over 200 characters is refused."""
    reason = " ".join(text.split())
    if not reason:
        raise InvalidInput("reason", "void_reason_missing")
    if len(reason) > MAX_VOID_REASON:
        raise InvalidInput("reason", "void_reason_too_long", limit=MAX_VOID_REASON)
    return reason
