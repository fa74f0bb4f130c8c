"""Simulators that the tests of this folder share or take alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.simulator import Simulator

START = datetime(2026, 11, 20, 3, 0, 30, tzinfo=UTC)
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "upbit"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    """A simulator at which time stands still; its tests only read."""
    with Simulator(start=START, speed=0, rate_limit=None, notation="fixed8") as sim:
        yield sim


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A small simulator of the test's own, time standing still."""
    with Simulator(start=START, speed=0, markets=5, rate_limit=None, notation="fixed8") as own:
        yield own


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(start=START, speed=0, markets=5, rate_limit=None, notation="fixed8") as sim:
        yield sim


@pytest.fixture
def faulty(shared: Simulator) -> Iterator[Simulator]:
    """A simulator whose faults are cleared after the test."""
    yield shared
    shared.clear_faults()


@pytest.fixture
def recordings() -> Path:
    """The folder of recorded answers."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings of ../shared/data/upbit are not here")
    return RECORDINGS
