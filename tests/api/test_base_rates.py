"""Base rates of all coins over JSON: the rule of votes, for everybody, in one answer."""

import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import utcnow
from app.domain.base_rates import last_finished
from app.services import market
from tests import factories as make
from tests.api.conftest import Client, code_of

PATH = "/base-rates"


@pytest.fixture
def known(stranger: Client) -> Client:
    """BTC known for eight days, ETH not at all, and a coin that is gone."""
    now = utcnow()
    make.make_candles(make.make_coin(), *["100", "110"] * 4, until=now)
    make.make_coin("ETH")
    gone = make.make_coin("GONE", delisted_at=now)
    make.make_candles(gone, "100", "110", until=now)
    return stranger


def test_every_active_coin_is_told_for_every_duration(known: Client) -> None:
    told = known.get(f"{PATH}?comment=up&range=10").get_json()

    assert told == {
        "comment": "up",
        "range": 10,
        "until": last_finished(utcnow()).isoformat(),
        "coins": [
            {
                "code": "BTC",
                "day": {"base_rate": 0.5714, "base_rate_hits": 4, "base_rate_count": 7},
                "week": {"base_rate": 1, "base_rate_hits": 1, "base_rate_count": 1},
                "month": None,
            },
            {"code": "ETH", "day": None, "week": None, "month": None},
        ],
    }


@pytest.mark.parametrize(
    ("query", "hits"),
    [("", 4), ("range=11", 0), ("comment=down&range=9", 3), ("comment=down&range=10", 0)],
)
def test_direction_and_range_can_be_chosen(known: Client, query: str, hits: int) -> None:
    coins = known.get(f"{PATH}?{query}").get_json()["coins"]

    assert coins[0]["day"]["base_rate_hits"] == hits


def test_rates_are_those_that_votes_keep(known: Client) -> None:
    vote = make.make_vote(make.make_user(), range_pct=10, now=utcnow())

    told = known.get(f"{PATH}?range=10").get_json()["coins"][0]["day"]

    kept = (vote.base_rate_hits, vote.base_rate_windows)
    assert (told["base_rate_hits"], told["base_rate_count"]) == kept


def test_new_days_are_told_at_once(known: Client) -> None:
    known.get(PATH)
    coin = market.get_coin("ETH")
    assert coin is not None
    make.make_candles(coin, "100", "100", until=utcnow())

    assert known.get(PATH).get_json()["coins"][1]["day"]["base_rate_count"] == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("range=0", "number_out_of_bounds"),
        ("range=301", "number_out_of_bounds"),
        ("range=x", "number_out_of_bounds"),
        ("range=5.5", "number_out_of_bounds"),
        ("comment=sideways", "direction_unknown"),
        ("comment=down&range=100", "fall_too_large"),
    ],
)
def test_question_that_cannot_be_asked_is_refused(known: Client, query: str, code: str) -> None:
    response = known.get(f"{PATH}?{query}")

    assert (response.status_code, code_of(response)) == (400, code)


def test_unchanged_rates_cost_an_empty_answer(known: Client) -> None:
    etag = known.get(PATH).headers["ETag"]

    again = known.get(PATH, headers={"If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")


def test_days_of_last_year_do_not_count(stranger: Client) -> None:
    now = utcnow()
    make.make_candles(make.make_coin(), "1", "100", "1", until=now - timedelta(days=364))

    assert stranger.get(PATH).get_json()["coins"][0]["day"] is None


LIGHT = """
import sys
from pathlib import Path
from app import create_app
from config import Config
path = Path(sys.argv[1])
app = create_app(
    Config(database_url=f"sqlite:///{path}", secret_key="x" * 40, instance=path.parent)
)
assert app.test_client().get("/login").status_code == 200
assert app.test_client().get("/api/v1/openapi.json").status_code == 200
assert "numpy" not in sys.modules, "numpy is loaded"
assert app.test_client().get("/api/v1/base-rates").status_code == 200
assert "numpy" in sys.modules
"""


def test_server_loads_numpy_only_when_figures_are_asked_for(migrated: Path, tmp_path: Path) -> None:
    path = shutil.copy(migrated, tmp_path / "light.db")

    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(path)], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
