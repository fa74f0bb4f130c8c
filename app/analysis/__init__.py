"""FIGURES over arrays: the one room that loads numpy, and only when something in it is named."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.analysis import backtest, base_rates, following, history, k_search

_MODULES = frozenset({"backtest", "base_rates", "following", "history", "k_search"})
__all__ = ["backtest", "base_rates", "following", "history", "k_search"]


def __getattr__(name: str) -> ModuleType:
    """Load a module of this room when it is first named."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
