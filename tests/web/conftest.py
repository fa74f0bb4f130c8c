"""The application over an empty database: enough for what only formats and draws."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.domain.votes import Direction, Duration, VoteState
from app.services.votes import VoteView
from config import Config

NOW = datetime(2026, 11, 20, 5, 5, 12, tzinfo=UTC)
Speaking = Callable[[str], AbstractContextManager[None]]


def build_app(folder: Path, migrated: Path) -> Flask:
    url = f"sqlite:///{shutil.copy(migrated, folder / 'nobody.db')}"
    return create_app(Config(database_url=url, secret_key="x" * 40, instance=folder))


@pytest.fixture(scope="session")
def bare_app(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Flask:
    return build_app(tmp_path_factory.mktemp("instance"), migrated)


@pytest.fixture
def speaking(bare_app: Flask) -> Speaking:
    """`with speaking("en"):` puts a request in that language around the block."""

    @contextmanager
    def request_in(language: str) -> Iterator[None]:
        request = bare_app.test_request_context(headers={"Accept-Language": language})
        with bare_app.app_context(), request:
            yield

    return request_in


@pytest.fixture
def korean(speaking: Speaking) -> Iterator[None]:
    with speaking("ko"):
        yield


@pytest.fixture
def english(speaking: Speaking) -> Iterator[None]:
    with speaking("en"):
        yield


@pytest.fixture
def make_view() -> Callable[..., VoteView]:
    """An open vote on Bitcoin, nobody's answer yet; say what matters."""

    def make(**wanted: object) -> VoteView:
        values: dict[str, object] = {
            "id": 7, "coin_code": "BTC", "korean_name": "비트코인", "english_name": "Bitcoin",
            "has_logo": False, "direction": Direction.UP, "duration": Duration.WEEK,
            "range_pct": 5, "state": VoteState.ONGOING, "is_staff_vote": False,
            "created_at": NOW - timedelta(days=1), "finished_at": NOW + timedelta(days=2),
            "tracked_at": NOW + timedelta(days=6), "updated_at": NOW,
            "created_price": Decimal(100), "final_price": None, "now_price": Decimal(103),
            "price_as_of": NOW, "yes_count": 0, "no_count": 0, "yes_whales": 0, "no_whales": 0,
            "spent_point": 10, "earned_point": 20, "outcome": None, "my_choice": None,
            "my_answered_at": None, "creator_id": 1, "creator_name": "민지",
        }  # fmt: skip
        return VoteView(**(values | wanted))  # type: ignore[arg-type]

    return make
