"""Wishes for candles as they come from requests."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import CandleWish, Coin
from app.services import market
from tests import factories as make

NOW = make.NOW


@pytest.fixture
def coin(session: Session) -> Coin:
    return make.make_coin()


@pytest.fixture
def locked(coin: Coin) -> Iterator[None]:
    """Somebody else's process is writing, and our patience is short."""

    @event.listens_for(db.engine, "connect")
    def _hurry(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    path = Path(db.engine.url.database or "")
    db.session.remove()
    db.engine.dispose()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


def look(coin_id: int, *, frame: int = 1440, now: datetime = NOW) -> None:
    market.look_at_candles(coin_id=coin_id, frame=frame, now=now)


def wishes() -> list[tuple[int, datetime]]:
    db.session.rollback()
    rows = db.session.execute(
        select(CandleWish.unit, CandleWish.wanted_at).order_by(CandleWish.unit)
    )
    return [tuple(row) for row in rows]


def test_a_look_is_noted_for_the_stored_candles_behind_the_frame(coin: Coin) -> None:
    for frame in (1, 15, 60, 240, 1440, 10_080):
        look(coin.id, frame=frame)

    assert wishes() == [(1, NOW), (60, NOW), (1440, NOW)]


def test_a_second_look_within_a_minute_writes_nothing(coin: Coin) -> None:
    coin_id = coin.id
    look(coin_id)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    look(coin_id, now=NOW + timedelta(seconds=59))

    assert statements == []


def test_a_look_after_a_minute_is_noted_anew(coin: Coin) -> None:
    look(coin.id)
    look(coin.id, now=NOW + timedelta(minutes=1))

    assert wishes() == [(1440, NOW + timedelta(minutes=1))]


def test_a_locked_database_refuses_the_note_and_nothing_else(locked: None) -> None:
    coin = market.find_coin("BTC", NOW)
    assert coin is not None

    look(coin.id)

    assert wishes() == []
