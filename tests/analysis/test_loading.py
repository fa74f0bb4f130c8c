"""The server stays light: what is large is loaded when it is first needed."""

import subprocess
import sys

import pytest

from app import analysis
from tests.serving import ROOT

LIGHT = """
import sys
import run
from app import analysis
large = {"numpy", "zxcvbn", "alembic", "flask_migrate", "app.cli", "app.simulator"}
assert not large & set(sys.modules), large & set(sys.modules)
analysis.k_search.search_all
assert "numpy" in sys.modules
"""


def test_server_begins_without_what_not_every_server_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr


def test_module_is_loaded_when_it_is_named() -> None:
    assert analysis.__getattr__("k_search") is sys.modules["app.analysis.k_search"]


def test_room_has_no_other_modules_than_its_own() -> None:
    with pytest.raises(AttributeError, match="no attribute 'crystal_ball'"):
        analysis.crystal_ball  # noqa: B018
