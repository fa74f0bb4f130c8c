"""Memory to calculate in, kept from coin to coin."""

import numpy as np
from numpy.typing import NDArray

from app.analysis.steps import Floats

Flags = NDArray[np.bool_]


class Scratch:
    """Named arrays that are lent again and again.

    Asking the system for fresh memory takes ten times as long as what is calculated in it. What was
    lent under a name is overwritten when the name is asked for again.
    """

    def __init__(self) -> None:
        self._floats: dict[str, Floats] = {}
        self._flags: dict[str, Flags] = {}

    def floats(self, name: str, rows: int, columns: int) -> Floats:
        """An array of numbers, filled with anything."""
        size = rows * columns
        kept = self._floats.get(name)
        if kept is None or len(kept) < size:
            kept = self._floats[name] = np.empty(size)
        return kept[:size].reshape(rows, columns)

    def flags(self, name: str, rows: int, columns: int) -> Flags:
        """An array of yes and no, filled with anything."""
        size = rows * columns
        kept = self._flags.get(name)
        if kept is None or len(kept) < size:
            kept = self._flags[name] = np.empty(size, np.bool_)
        return kept[:size].reshape(rows, columns)
