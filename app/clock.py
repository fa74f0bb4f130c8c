"""The one reader of the clock; everything else is handed `now`."""

import time
from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present moment as an aware UTC time."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never jump, for pacing and for measuring a duration."""
    return time.monotonic()
