"""Wishes for candles as they come from requests: seldom written, and never in anybody's way."""

import logging
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.domain.candles import stored_unit
from app.domain.market import CandleUnit
from app.extensions import db
from app.services.market.candles import NOTE_EVERY, want_candles

log = logging.getLogger(__name__)

#: When this process last tried to note a wish; there are three units, so it stays small.
_tried: WeakKeyDictionary[Engine, dict[tuple[int, CandleUnit], datetime]] = WeakKeyDictionary()


def look_at_candles(*, coin_id: int, frame: int, now: datetime) -> None:
    """Note that somebody looks at candles of this frame, at most once a minute and process.

    A database that others keep locked refuses the note; looking works all the same, and the next
    look after a minute tries again.
    """
    tried, key = _tried.setdefault(db.engine, {}), (coin_id, stored_unit(frame))
    last = tried.get(key)
    if last is not None and timedelta(0) <= now - last < NOTE_EVERY:
        return
    tried[key] = now  # before the deed: while the database is locked nobody queues up behind this
    try:
        want_candles(coin_id=coin_id, unit=key[1], now=now)
    except OperationalError:
        log.warning("candles.wish_refused coin=%s unit=%s", *key)
