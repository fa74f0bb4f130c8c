"""The frames of a chart."""

from app.domain import candles
from app.domain.frames import FRAMES, USUAL_FRAME


def test_every_length_that_can_be_put_together_has_a_word() -> None:
    assert tuple(FRAMES.values()) == candles.FRAMES
    assert USUAL_FRAME in FRAMES
