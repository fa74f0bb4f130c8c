"""Values that are remembered: how old they may be, and what makes them stale at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from time import sleep

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.db import Remembered, RememberedEach, transaction
from tests.conftest import NOW

Reads = list[str]


@pytest.fixture
def reads() -> Reads:
    return []


@pytest.fixture
def remembered(session: Session, reads: Reads) -> RememberedEach[str, str]:
    """Ten seconds per key; each reading is written down."""

    def read(key: str, _now: object) -> str:
        reads.append(key)
        return key.upper()

    return RememberedEach(read, timedelta(seconds=10), most=2)


def test_value_is_read_once_per_key(remembered: RememberedEach[str, str], reads: Reads) -> None:
    assert [remembered.get(key, NOW) for key in ("a", "b", "a")] == ["A", "B", "A"]
    assert reads == ["a", "b"]


@pytest.mark.parametrize(("later_s", "times"), [(9.999, 1), (10, 2), (-1, 2)])
def test_value_is_read_anew_when_too_old_or_from_the_future(
    remembered: RememberedEach[str, str], reads: Reads, later_s: float, times: int
) -> None:
    remembered.get("a", NOW)
    remembered.get("a", NOW + timedelta(seconds=later_s))

    assert len(reads) == times


def test_own_write_makes_every_value_stale(
    remembered: RememberedEach[str, str], reads: Reads
) -> None:
    remembered.get("a", NOW)
    with transaction():
        pass
    remembered.get("a", NOW)

    assert reads == ["a", "a"]


def test_no_more_keys_are_kept_than_allowed(
    remembered: RememberedEach[str, str], reads: Reads
) -> None:
    for key in ("a", "b", "c", "a"):
        remembered.get(key, NOW)

    assert reads == ["a", "b", "c", "a"]


def test_value_too_large_to_keep_is_read_every_time(session: Session, reads: Reads) -> None:
    def read(key: str, _now: object) -> str:
        reads.append(key)
        return key

    remembered = RememberedEach(read, timedelta(seconds=10), fits=lambda value: len(value) < 2)

    assert [remembered.get(key, NOW) for key in ("a", "aa", "a", "aa")] == ["a", "aa"] * 2
    assert reads == ["a", "aa", "aa"]


@pytest.mark.parametrize(("later_s", "times"), [(9.999, 1), (10, 2), (-1, 2)])
def test_single_value_is_read_anew_when_too_old_or_from_the_future(
    session: Session, later_s: float, times: int
) -> None:
    reads: list[datetime] = []
    remembered = Remembered(reads.append, timedelta(seconds=10))

    for moment in (NOW, NOW + timedelta(seconds=later_s)):
        remembered.get(moment)

    assert len(reads) == times


def test_many_who_ask_at_once_cost_one_reading(app: Flask) -> None:
    reads: list[datetime] = []
    begin = Barrier(8)

    def read(now: datetime) -> int:
        reads.append(now)
        sleep(0.05)  # long enough for all to stand at the door
        return len(reads)

    remembered = Remembered(read, timedelta(seconds=1))

    def ask(place: int) -> int:
        begin.wait()
        with app.app_context():
            return remembered.get(NOW + timedelta(milliseconds=place))

    for round_number in (1, 2):
        with ThreadPoolExecutor(8) as pool:
            later = 10_000 * round_number  # by then what was kept is too old
            assert set(pool.map(ask, range(later, later + 8))) == {round_number}
    assert len(reads) == 2
