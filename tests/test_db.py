"""Values that are remembered: how old they may be, and what makes them stale at once."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.db import RememberedEach, transaction
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
