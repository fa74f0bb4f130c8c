"""When a bot leaves its exchange alone, and how often an order is asked about.

All of it may be lost at any moment: what matters is in the database.
"""

import threading
from collections.abc import Collection
from datetime import datetime, timedelta

from app.services.trading.cases import Pending

#: How often an order is asked about, by how long ago it was sent.
_ASK_EVERY = (
    (timedelta(minutes=1), timedelta(seconds=1)),
    (timedelta(hours=1), timedelta(seconds=10)),
)
_ASK_LATER = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)


class Pauses:
    """Shared by all bots' threads. A pause that lies far ahead was made by a clock that has been
    set back since: it is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet: dict[tuple[int, str], datetime] = {}
        self._ask_at: dict[int, datetime] = {}

    def be_quiet(self, bot_id: int, market: str, *, until: datetime) -> None:
        """Leave a market of a bot alone; all of them for ""."""
        with self._lock:
            self._quiet[bot_id, market] = until

    def is_quiet(self, bot_id: int, market: str, now: datetime) -> bool:
        """Whether that time isn't over."""
        until = self._quiet.get((bot_id, market))
        return until is not None and now < until <= now + _LONGEST

    def note_asked(self, order: Pending, now: datetime) -> None:
        """An order is asked about now; the next time is the later, the longer ago it was sent."""
        age = now - order.sent_at if order.sent_at is not None else timedelta(0)
        pause = next((pause for limit, pause in _ASK_EVERY if age < limit), _ASK_LATER)
        with self._lock:
            self._ask_at[order.id] = now + pause

    def should_ask(self, order: Pending, now: datetime) -> bool:
        """Whether it is time to ask about an order (again)."""
        due = self._ask_at.get(order.id)
        return due is None or not now < due <= now + _ASK_LATER

    def forget(self, *, pending: Collection[int], now: datetime) -> None:
        """Keep nothing of orders that are over, and no pause that has ended."""
        with self._lock:
            self._ask_at = {one: at for one, at in self._ask_at.items() if one in pending}
            self._quiet = {one: until for one, until in self._quiet.items() if until > now}
