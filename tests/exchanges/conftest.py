"""What the tests of the outside share: a server to talk to, and the recordings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchanges.stub import Stub

_RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "upbit"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        yield server


@pytest.fixture
def recordings() -> Path:
    if not _RECORDINGS.is_dir():
        pytest.skip("the recordings of the exchange are not beside the repository")
    return _RECORDINGS
