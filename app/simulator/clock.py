"""The simulator's own time: starts anywhere, runs at any speed, never jumps."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

from app.clock import monotonic, utcnow

MOST_SPEED = 100_000.0


class VirtualClock:
    """Virtual UTC that runs `speed` times as fast as real time; 0 stands still."""

    def __init__(
        self,
        start: datetime | None = None,
        speed: float = 1.0,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware time")
        self._ticks = ticks
        self._lock = Lock()
        self._speed = _checked(speed)
        self._from = (start or utcnow()).astimezone(UTC)
        self._since = ticks()

    @property
    def speed(self) -> float:
        """How many virtual seconds pass in a real one."""
        return self._speed

    def now(self) -> datetime:
        """The virtual moment, aware UTC."""
        with self._lock:
            return self._now()

    def set_speed(self, speed: float) -> None:
        """Run at another speed from this moment on; ValueError unless 0 <= speed <= 100,000."""
        wanted = _checked(speed)
        with self._lock:
            self._from, self._since = self._now(), self._ticks()
            self._speed = wanted

    def _now(self) -> datetime:
        return self._from + timedelta(seconds=(self._ticks() - self._since) * self._speed)


def _checked(speed: float) -> float:
    if isinstance(speed, bool) or not isinstance(speed, (int, float)):
        raise ValueError("speed must be a number")
    if not math.isfinite(speed) or not 0 <= speed <= MOST_SPEED:
        raise ValueError(f"speed must lie between 0 and {MOST_SPEED:,.0f}")
    return float(speed)
