"""The server without a desk user stays light: numpy waits until figures are asked for."""

import subprocess
import sys

import pytest

from app import analysis

LIGHT = """
import sys
from app import analysis, create_app
import app.domain.trading
assert "numpy" not in sys.modules, "numpy is loaded"
analysis.k_search.search_all
assert "numpy" in sys.modules
"""


def test_importing_the_application_loads_no_numpy() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr


def test_module_is_loaded_when_it_is_named() -> None:
    assert analysis.__getattr__("k_search") is sys.modules["app.analysis.k_search"]


def test_room_has_no_other_modules_than_its_own() -> None:
    with pytest.raises(AttributeError, match="no attribute 'crystal_ball'"):
        analysis.crystal_ball  # noqa: B018
