"""Virtual time."""

from datetime import UTC, datetime, timedelta

import pytest

from app.simulator.clock import VirtualClock

START = datetime(2026, 1, 1, tzinfo=UTC)


class Ticks:
    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


def test_virtual_time_runs_at_its_speed() -> None:
    ticks = Ticks()
    clock = VirtualClock(START, 60, ticks)

    ticks.seconds += 2

    assert clock.now() == START + timedelta(minutes=2)


def test_changing_the_speed_never_makes_time_jump() -> None:
    ticks = Ticks()
    clock = VirtualClock(START, 1, ticks)
    for speed in (100, 0, 3):
        ticks.seconds += 1
        before = clock.now()
        clock.set_speed(speed)
        assert clock.now() == before

    ticks.seconds += 1

    assert clock.now() == START + timedelta(seconds=1 + 100 + 0 + 3)


def test_clock_without_start_shows_real_time() -> None:
    seen = VirtualClock().now()

    assert abs(seen - datetime.now(UTC)) < timedelta(seconds=2)


@pytest.mark.parametrize("speed", [-1, float("nan"), float("inf"), 1e9, True, "2", None])
def test_impossible_speed_is_refused_and_changes_nothing(speed: object) -> None:
    clock = VirtualClock(START, 2)

    with pytest.raises(ValueError, match="speed"):
        clock.set_speed(speed)  # type: ignore[arg-type]

    assert clock.speed == 2
