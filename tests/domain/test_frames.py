"""The frames of a chart."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.frames import FRAMES, Frame
from app.domain.kst import KST
from app.domain.market import CandleUnit

THURSDAY = datetime(2026, 11, 19, 14, 37, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "opened"),
    [
        ("1m", datetime(2026, 11, 19, 14, 37, tzinfo=UTC)),
        ("15m", datetime(2026, 11, 19, 14, 30, tzinfo=UTC)),
        ("1h", datetime(2026, 11, 19, 14, tzinfo=UTC)),
        ("4h", datetime(2026, 11, 19, 12, tzinfo=UTC)),
        ("1d", datetime(2026, 11, 19, tzinfo=UTC)),
        ("1w", datetime(2026, 11, 16, tzinfo=UTC)),
    ],
)
def test_candle_opens_on_the_exchanges_boundary(code: str, opened: datetime) -> None:
    assert FRAMES[code].opening(THURSDAY) == opened


@pytest.mark.parametrize("frame", Frame)
def test_the_very_boundary_belongs_to_the_new_candle(frame: Frame) -> None:
    opened = frame.opening(THURSDAY)

    assert frame.opening(opened) == opened
    assert frame.opening(opened - timedelta(microseconds=1)) == opened - frame.length


def test_a_day_begins_at_nine_in_korea() -> None:
    before = datetime(2026, 11, 20, 8, 59, 59, tzinfo=KST)

    assert Frame.DAY.opening(before) == datetime(2026, 11, 19, tzinfo=UTC)


def test_moments_before_the_first_counted_week_open_on_the_same_boundaries() -> None:
    assert Frame.WEEK.opening(datetime(2018, 3, 7, 5, tzinfo=UTC)) == datetime(
        2018, 3, 5, tzinfo=UTC
    )


def test_longer_frames_are_made_of_what_is_stored() -> None:
    assert [frame.unit for frame in Frame] == [
        CandleUnit.MINUTE, CandleUnit.MINUTE, CandleUnit.HOUR, CandleUnit.HOUR, CandleUnit.DAY,
        CandleUnit.DAY,
    ]  # fmt: skip


def test_every_frame_has_a_word_of_its_own() -> None:
    assert [FRAMES[frame.code] for frame in Frame] == list(Frame)
