"""Passwords that too many people choose: the list that the zxcvbn package brings."""

import runpy
from functools import cache
from importlib.metadata import distribution

from app.domain.accounts import MIN_PASSWORD


@cache
def common_passwords() -> frozenset[str]:
    """Those that our rules would take otherwise, in small letters.

    Read when somebody first chooses a password, and as data: the package's own code would make
    tables of all its lists, fifteen times the memory, for an estimate that we don't ask for.
    """
    place = distribution("zxcvbn").locate_file("zxcvbn/frequency_lists.py")
    words = runpy.run_path(str(place))["FREQUENCY_LISTS"]["passwords"]
    return frozenset(word for word in words if len(word) >= MIN_PASSWORD)
